/**
 * Latchkey among the contenders, through its public entry and with nothing tuned: the application's own claims go in,
 * the verifier checks `typ`, `iss`, `aud`, `exp`, `iat` and everything else that it always checks.
 */
import type { Algorithm, KeyForms } from "./algorithms.ts";
import { AUDIENCE, ISSUER, type OwnClaims, TTL } from "./claims.ts";
import { type Contender, OURS, OURS_CACHED, POOL_SIZE } from "./contender.ts";

/** The header's `typ` of our tokens: peers that check it expect this one. */
export const TYP = "at+jwt";

type LatchkeyJwt = typeof import("../../src/jwt/index.ts");

export interface Ours {
  readonly contenders: readonly Contender[];
  /** Signed by us, verified by everybody. */
  readonly tokens: readonly string[];
}

/** @param entry the module to measure: the packed package's entry, or the TypeScript source. */
export async function oursFor(
  entry: string,
  algorithm: Algorithm,
  key: KeyForms,
  claims: readonly OwnClaims[],
): Promise<Ours> {
  const { importKey, createKeySet, createSigner, createVerifier } = (await import(entry)) as LatchkeyJwt;
  const alg = algorithm.alg as "HS256";
  const source = algorithm.family === "HS" ? Buffer.from(key.privateText) : key.privateText;
  const keys = createKeySet([importKey(source, { alg, kid: "1" })]);
  const signer = createSigner({ keys, issuer: ISSUER, audience: AUDIENCE, ttl: TTL });
  const policy = { keys, issuer: ISSUER, audience: AUDIENCE };
  const verifier = createVerifier(policy);
  const cachingVerifier = createVerifier({ ...policy, cache: POOL_SIZE * 2 });
  const withoutJti = claims.map(({ jti: _, ...rest }) => rest);
  const tokens = claims.map((own) => signer.sign(own));
  return {
    tokens,
    contenders: [
      {
        name: OURS,
        sign: { call: (_, index) => signer.sign(claims[index]!) },
        verify: { call: (token) => verifier.verify(token) },
      },
      { name: `${OURS}, making the jti too`, sign: { call: (_, index) => signer.sign(withoutJti[index]!) } },
      { name: OURS_CACHED, verify: { isCached: true, call: (token) => cachingVerifier.verify(token) } },
    ],
  };
}
