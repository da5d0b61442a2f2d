/** The load generator, a process of its own: keeps so many requests in flight and insists on every answer being good. */
import { Agent, request } from "node:http";
import { serve } from "../service.ts";
import type { RequestPlan, RequestVariant } from "./request-plan.ts";

export interface LoadInput {
  readonly plan: RequestPlan;
  readonly count: number;
  readonly inFlight: number;
}

await serve(async () => {
  function send(agent: Agent, { port, method, path }: RequestPlan, { headers, body }: RequestVariant): Promise<void> {
    return new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
      const options = { agent, host: "127.0.0.1", port, method, path, headers: { ...headers, ...length } };
      const outgoing = request(options, (answer) => {
        const { statusCode = 0 } = answer;
        const parts: Buffer[] = [];
        answer.on("data", (part: Buffer) => parts.push(part));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(parts).toString();
          // better-auth answers 200 and null to whom it does not know.
          if (statusCode >= 200 && statusCode < 300 && text !== "null") resolve();
          else reject(new Error(`${method} ${path} was answered with ${statusCode}: ${text.slice(0, 300)}`));
        });
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  return {
    async run({ plan, count, inFlight }: LoadInput): Promise<void> {
      // New connections for each run: servers hang up on those that were idle through the turns of the others.
      const agent = new Agent({ keepAlive: true });
      let sent = 0;
      const lane = async (): Promise<void> => {
        while (sent < count) await send(agent, plan, plan.variants[sent++ % plan.variants.length]!);
      };
      await Promise.all(Array.from({ length: Math.min(inFlight, count) }, lane));
      agent.destroy();
    },
  };
});
