/**
 * What latchkey's guards stand on in these applications: with sessions behind it, or the token core alone. Each is called as a
 * handler by hand calls it, in the place where the framework has its guards.
 */
import type { Auth, Identity } from "../../src/index.ts";
import type { Verifier } from "../../src/jwt/index.ts";
import { AUDIENCE, ISSUER, OURS, OURS_CACHED, type Setting } from "./application.ts";

/** Who sends a request, by its Authorization header. @throws AuthError */
export type Authenticate = (authorization: string | undefined) => { readonly sub: string };

/** Both guards of ours in one framework. @param toApplication puts a guard in its place. */
export function guardedByOurs<Application>(
  toApplication: (authenticate: Authenticate) => Application | Promise<Application>,
): Readonly<Record<string, (setting: Setting) => Promise<Application>>> {
  return {
    [OURS_CACHED]: async (setting) => {
      const auth = await engine(setting);
      // While the feed is fresh it answers at once, and nothing makes it stale here.
      return toApplication((header) => (auth.authenticate(bearerOf(header)) as Identity).claims as { sub: string });
    },
    [OURS]: async (setting) => {
      const { verify } = await verifier(setting);
      return toApplication((header) => verify(bearerOf(header)) as { sub: string });
    },
  };
}

/** The engine as an application makes it; its verifier has a cache. */
async function engine({ latchkey, secret, database }: Setting): Promise<Auth> {
  const { createAuth, openSqlite } = await latchkey<typeof import("../../src/index.ts")>("latchkey");
  return createAuth({ secret, storage: openSqlite(database), issuer: ISSUER, audience: AUDIENCE });
}

/** A verifier without a cache, as a service has it that holds no database. */
async function verifier({ latchkey, secret }: Setting): Promise<Verifier> {
  const { createKeySet, createVerifier, importKey } =
    await latchkey<typeof import("../../src/jwt/index.ts")>("latchkey/jwt");
  const keys = createKeySet([importKey(Buffer.from(secret), { alg: "HS256" })]);
  return createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE });
}

function bearerOf(header = ""): string {
  return header.startsWith("Bearer ") ? header.slice("Bearer ".length) : "";
}
