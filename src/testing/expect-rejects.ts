/** Attacks an application's guarded route and names what got in. */
import { request } from "node:http";
import { type Attack, hostileRequests } from "./hostile-requests.ts";
import type { TestIssuer } from "./test-issuer.ts";

/** Sends a GET for a guarded route with these headers and query. @returns the status. */
export type Send = (attack: Pick<Attack, "headers" | "query">) => number | Promise<number>;

export interface RejectOptions {
  /** With the application's own secret, issuer and audience. */
  readonly issuer: TestIssuer;
  /** Names of attacks that are let pass on purpose. Each needs a reason that you could tell an auditor. */
  readonly allow?: readonly string[];
}

/**
 * Fires some forty hostile tokens at a guarded route.
 * @param route its http:// URL, or what sends a request to it.
 * @throws Error that names every attack that got in; or, before any is sent, that a good token is refused, since then nothing is shown.
 */
export async function expectRejects(route: string | Send, { issuer, allow = [] }: RejectOptions): Promise<void> {
  const send = typeof route === "string" ? toSend(route) : route;
  const welcome = await send({ headers: { authorization: `Bearer ${issuer.tokenFor(1)}` } });
  if (welcome < 200 || welcome >= 300) {
    throw new Error(
      `a good token was answered with ${welcome}: give createTestIssuer the application's secret, issuer and audience, and a route that answers 2xx`,
    );
  }
  const attacks = hostileRequests(issuer);
  const unknown = allow.find((name) => !attacks.some((attack) => attack.name === name));
  if (unknown !== undefined) throw new TypeError(`allow: there is no attack "${unknown}"`);
  const holes: string[] = [];
  for (const attack of attacks) {
    const status = await send(attack);
    if (status >= 400 && status < 500) continue;
    if (!allow.includes(attack.name)) holes.push(`${attack.name} (${status})`);
  }
  if (holes.length > 0)
    throw new Error(`${holes.length} of ${attacks.length} attacks were not refused: ${holes.join("; ")}`);
}

function toSend(route: string): Send {
  return ({ headers, query = "" }) =>
    new Promise((resolve, reject) => {
      const outgoing = request(route + query, { agent: false }, (incoming) => {
        incoming.resume();
        incoming.on("end", () => resolve(incoming.statusCode ?? 0));
        incoming.on("error", reject);
      });
      for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
      outgoing.on("error", reject);
      outgoing.end();
    });
}
