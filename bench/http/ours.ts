/** What latchkey's guards stand on in these applications: with sessions behind it, or the token core alone. */
import type { Auth } from "../../src/index.ts";
import type { Verifier } from "../../src/jwt/index.ts";
import { type Applications, AUDIENCE, ISSUER, OURS, OURS_CACHED, type Setting } from "./application.ts";

/** What a handler behind `requireAuth` finds, whatever it stands on. */
export interface Who {
  readonly claims: { readonly sub: string };
}

/**
 * Both guards of ours in one framework.
 * @param adapter `latchkey/express` and so on.
 * @param start makes the application with the adapter and what `requireAuth` takes, and starts it.
 * @param names of the two.
 */
export function guardedByOurs<Adapter>(
  adapter: string,
  start: (adapter: Adapter, source: Auth | Verifier) => Promise<number>,
  names: readonly [cached: string, uncached: string] = [OURS_CACHED, OURS],
): Applications {
  const [cached, uncached] = names;
  return {
    [cached]: async (setting) => start(await setting.latchkey<Adapter>(adapter), await engine(setting)),
    [uncached]: async (setting) => start(await setting.latchkey<Adapter>(adapter), await verifier(setting)),
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
