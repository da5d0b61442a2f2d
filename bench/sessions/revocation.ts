/**
 * Revocation on another process: a session is ended on one server, and a client goes on asking an application behind
 * another one. Measured is the time from the acknowledgement of the end to the first 401.
 */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { answerParent } from "../child.ts";
import { JSON_TYPE } from "./request-plan.ts";
import { createMint } from "./stored-sessions.ts";

export interface RevocationInput {
  readonly secret: string;
  /** Where sessions are ended. */
  readonly endingPort: number;
  /** The application on the other server. */
  readonly guardedPort: number;
  /** Sessions 1 to so many are ended. */
  readonly samples: number;
  readonly label: string;
}

export interface RevocationResult {
  /** Milliseconds, in order of size. */
  readonly delays: readonly number[];
}

/** Milliseconds between looks: what is measured is no finer. */
const LOOK_INTERVAL = 1;
/** Milliseconds; sessions end at any moment between two looks of the server. */
const LONGEST_PAUSE = 60;
const TIME_LIMIT = 10_000;

interface Answer {
  readonly status: number;
  readonly text: string;
}

await answerParent(async (input: RevocationInput, progress): Promise<RevocationResult> => {
  const mint = createMint(input.secret);
  const agent = new Agent({ keepAlive: true });
  const ask = (port: number, path: string, { token, body }: { token?: string; body?: unknown }): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const outgoing = request(
        {
          agent,
          host: "127.0.0.1",
          port,
          path,
          method: body === undefined ? "GET" : "POST",
          headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body !== undefined && JSON_TYPE) },
        },
        (answer) => {
          let text = "";
          answer.setEncoding("utf8");
          answer.on("data", (part: string) => {
            text += part;
          });
          answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text }));
          answer.on("error", reject);
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });

  async function measureOne(id: number): Promise<number> {
    const refreshed = await ask(input.endingPort, "/v1/users/me/token/refresh", { body: { refresh_token: mint(id) } });
    const tokens = JSON.parse(refreshed.text) as { access_token: string; refresh_token: string };
    const look = () => ask(input.guardedPort, "/profile", { token: tokens.access_token });
    expectStatus(await look(), 200);
    await sleep(Math.random() * LONGEST_PAUSE);
    const ended = await ask(input.endingPort, "/v1/users/me/token/revoke", {
      body: { refresh_token: tokens.refresh_token },
    });
    const acknowledged = performance.now();
    expectStatus(ended, 204);
    for (;;) {
      const { status } = await look();
      const delay = performance.now() - acknowledged;
      if (status === 401) return delay;
      if (delay > TIME_LIMIT) throw new Error(`no 401 within ${TIME_LIMIT} ms of the end`);
      await sleep(LOOK_INTERVAL);
    }
  }

  const delays: number[] = [];
  for (let id = 1; id <= input.samples; id++) {
    if (id % 20 === 1) progress(`${input.label}: session ${id} of ${input.samples}`);
    delays.push(await measureOne(id));
  }
  agent.destroy();
  return { delays: delays.sort((a, b) => a - b) };
});

function expectStatus({ status, text }: Answer, expected: number): void {
  if (status !== expected) throw new Error(`${expected} was expected, and ${status} came: ${text.slice(0, 200)}`);
}
