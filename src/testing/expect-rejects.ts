/** Attacks an application's guarded route and names what got in. */
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { startAttacker } from "./attacker.ts";
import { type Attack, attacksOn, type Severity } from "./hostile-requests.ts";
import type { TestClaims, TestIssuer } from "./test-issuer.ts";

/** Sends a GET for a guarded route with these headers and query. @returns the status. */
export type Send = (attack: Pick<Attack, "headers" | "query">) => number | Promise<number>;

export interface RejectOptions {
  /** With the application's own secret, issuer and audience. */
  readonly issuer: TestIssuer;
  /** Whom the tokens are of; default 1. */
  readonly user?: number | string;
  /** What the route asks for, such as `{ roles: ["staff"] }`: in the good token and in every attack, so that each is refused for its own reason alone. */
  readonly claims?: TestClaims;
  /** Names of attacks that are let pass on purpose, such as those by which alone nobody gets in. Each needs a reason that you could tell an auditor. */
  readonly allow?: readonly string[];
}

/**
 * Fires some eighty hostile tokens at a guarded route. For that time it listens on 127.0.0.1: some tokens name an address there, and to ask it is a finding,
 * whatever the route answers. Nothing but 4xx is a refusal: for a route that redirects to a page to sign in at, give a function that
 * knows this redirect.
 * @param route its URL, or what sends a request to it.
 * @throws Error that names every attack that got in; or, before any is sent, that a good token is refused, since then nothing is shown.
 */
export async function expectRejects(route: string | Send, options: RejectOptions): Promise<void> {
  const { issuer, user = 1, claims = {}, allow = [] } = options;
  const send = typeof route === "string" ? toSend(route) : route;
  const welcome = await send({ headers: { authorization: `Bearer ${issuer.tokenFor(user, claims)}` } });
  if (welcome < 200 || welcome >= 300) {
    throw new Error(
      `a good token was answered with ${welcome}: give createTestIssuer the application's secret, issuer and audience, ` +
        "expectRejects the claims that the route asks for (roles, and what a schema wants), and a route that answers 2xx",
    );
  }
  const attacker = await startAttacker(issuer.key);
  try {
    const attacks = attacksOn(issuer, attacker, { user, claims });
    const unknown = allow.find((name) => !attacks.some((attack) => attack.name === name));
    if (unknown !== undefined) throw new TypeError(`allow: there is no attack "${unknown}"`);
    const outcomes: (number | string)[] = [];
    for (const attack of attacks) outcomes.push(await outcomeOf(send, attack));
    // Judged when all were sent, for an application may ask an address after it has answered.
    const holes = attacks.flatMap(({ name, severity, lure }, i): Hole[] => {
      const outcome = outcomes[i];
      const isRefused = typeof outcome === "number" && outcome >= 400 && outcome < 500;
      const askedThere = lure !== undefined && attacker.visits.has(lure);
      if (allow.includes(name) || (isRefused && !askedThere)) return [];
      return [{ severity, text: `${name} (${outcome}${askedThere ? ", and asked the address in the token" : ""})` }];
    });
    if (holes.length > 0) throw new Error(reportOf(holes, attacks.length));
  } finally {
    attacker.stop();
  }
}

interface Hole {
  readonly severity: Severity;
  readonly text: string;
}

/** Where somebody gets in comes first and apart: it is not to be overlooked among what is merely lax. */
function reportOf(holes: readonly Hole[], count: number): string {
  const those = (severity: Severity) => holes.filter((hole) => hole.severity === severity).map(({ text }) => text);
  const entries = those("entry");
  const lax = those("strictness");
  const beginning = `${holes.length} of ${count} attacks were not refused: `;
  const lenience = `laxer than RFC 8725 and RFC 6750 ask, though by this alone nobody gets in: ${lax.join("; ")}`;
  if (lax.length === 0) return beginning + entries.join("; ");
  if (entries.length === 0) return beginning + lenience;
  return `${beginning}${entries.join("; ")}. And ${lenience}`;
}

/** The status, or what went wrong instead: a server that hangs up has not refused, and may have fallen over. */
async function outcomeOf(send: Send, attack: Attack): Promise<number | string> {
  try {
    return await send(attack);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function toSend(route: string): Send {
  const request = route.startsWith("https:") ? requestHttps : requestHttp;
  return ({ headers, query = "" }) =>
    new Promise((resolve, reject) => {
      // A route with a query of its own takes the token into it, or it would be part of another value.
      const url = route.includes("?") ? route + query.replace("?", "&") : route + query;
      const outgoing = request(url, { agent: false }, (incoming) => {
        incoming.resume();
        incoming.on("end", () => resolve(incoming.statusCode ?? 0));
        incoming.on("error", reject);
      });
      for (const [name, value] of Object.entries(headers)) outgoing.setHeader(name, value);
      outgoing.on("error", reject);
      outgoing.end();
    });
}
