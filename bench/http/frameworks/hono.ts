/** Hono on @hono/node-server, and hono/jwt with a key that was imported once. */
import { webcrypto } from "node:crypto";
import type { Server } from "node:net";
import { serve } from "@hono/node-server";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { jwt } from "hono/jwt";
import {
  type Applications,
  AUDIENCE,
  HOST,
  ISSUER,
  listening,
  NO_AUTH,
  NO_OP,
  NOBODY,
  OURS_AROUND,
  OURS_AROUND_UNCACHED,
  PATH,
  TYP,
} from "../application.ts";
import { guardedByOurs, type Who } from "../ours.ts";

export const hono: Applications = {
  [NO_AUTH]: () => answering([], () => NOBODY),

  [NO_OP]: () => answering([(_, next) => next()], () => NOBODY),

  ...guardedByOurs<typeof import("../../../src/adapters/hono.ts")>("latchkey/hono", ({ requireAuth }, source) =>
    answering([requireAuth(source)], subjectIn),
  ),

  ...guardedByOurs<typeof import("../../../src/adapters/hono.ts")>(
    "latchkey/hono",
    ({ requireAuth }, source) =>
      serving(
        new Hono().get(
          PATH,
          requireAuth(source).around((c) => c.json({ sub: subjectIn(c) })),
        ),
      ),
    [OURS_AROUND, OURS_AROUND_UNCACHED],
  ),

  "hono/jwt": async ({ secret }) => {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await webcrypto.subtle.importKey("raw", Buffer.from(secret), algorithm, false, ["verify"]);
    const guard = jwt({ secret: key, alg: "HS256", verification: { iss: ISSUER, aud: AUDIENCE, typ: TYP } });
    return answering([guard], (c) => (c.get("jwtPayload") as { sub: string }).sub);
  },
};

const subjectIn = (c: Context): string => (c.get("auth") as Who).claims.sub;

function answering(guards: readonly MiddlewareHandler[], subjectOf: (c: Context) => string): Promise<number> {
  const app = new Hono();
  for (const guard of guards) app.use(PATH, guard);
  return serving(app.get(PATH, (c) => c.json({ sub: subjectOf(c) })));
}

function serving(app: Hono): Promise<number> {
  return listening(serve({ fetch: app.fetch, port: 0, hostname: HOST }) as Server);
}
