/** Reading other issuers' key sets (RFC 7517 §5). */
import { type Algorithm, isAlgorithm, type PairAlgorithm, rowOf } from "./algorithms.ts";
import { importKey } from "./import-key.ts";
import type { Jwk } from "./jwk.ts";
import type { PublicKey } from "./key.ts";
import { isPrivateJwk } from "./key-rules.ts";
import { quote } from "./refusal.ts";

/** More keys than an issuer publishes while it rotates them. */
const MAX_KEYS = 64;

/**
 * Reads the public keys of a JWKS document.
 * @param document the parsed JSON.
 * @param algorithms what this issuer is trusted to sign with. A key that does not say its `alg` gets the one of these that fits it; keys for
 *   anything else are passed over, as are keys for encryption and keys that `importKey` refuses (RFC 7517 §5 wants unknown ones ignored).
 * @returns at least one key.
 * @throws TypeError when the document is no key set, holds a secret or private key, names a `kid` twice, or has no key that can be used.
 */
export function readJwks(document: unknown, algorithms: readonly PairAlgorithm[]): PublicKey[] {
  const jwks = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(jwks) || jwks.length > MAX_KEYS)
    throw new TypeError(`a JWKS has an array of at most ${MAX_KEYS} keys`);
  const kids = new Set<string>();
  const keys: PublicKey[] = [];
  for (const jwk of jwks as readonly unknown[]) {
    if (typeof jwk !== "object" || jwk === null || Array.isArray(jwk)) throw new TypeError("a JWKS holds JSON objects");
    refuseSecret(jwk as Jwk);
    const key = readKey(jwk as Jwk, algorithms);
    if (!key) continue;
    if (kids.has(key.kid)) throw new TypeError(`the JWKS has the kid ${JSON.stringify(key.kid)} twice`);
    kids.add(key.kid);
    keys.push(key);
  }
  if (keys.length === 0) throw new TypeError(noKeyProblem(jwks as readonly Jwk[], algorithms));
  return keys;
}

/** Most often the issuer signs with something else than what it is trusted with. */
function noKeyProblem(jwks: readonly Jwk[], algorithms: readonly PairAlgorithm[]): string {
  if (jwks.length === 0) return "the JWKS is empty, as it is where the issuer signs with a secret (HS256)";
  const others = jwks.map(({ alg }) => alg).filter((alg) => alg !== undefined && !isTrusted(alg, algorithms));
  const named = [...new Set(others)].slice(0, 3).map(quote).join(", ");
  return `the JWKS has no key for ${algorithms.join(", ")}${named === "" ? "" : `, but for ${named}`}`;
}

const isTrusted = (alg: unknown, algorithms: readonly PairAlgorithm[]) => algorithms.some((one) => one === alg);

/** Whoever publishes a secret has lost it: anyone could have signed with it (RFC 7517 §9.2). */
function refuseSecret(jwk: Jwk): void {
  const isSecret = jwk.kty === "oct" || jwk.k !== undefined || jwk.d !== undefined || jwk.priv !== undefined;
  if (isSecret) throw new TypeError("the JWKS publishes a secret or private key");
}

function readKey(jwk: Jwk, trusted: readonly PairAlgorithm[]): PublicKey | undefined {
  const alg = algorithmOf(jwk, trusted);
  if (alg === undefined || (jwk.use !== undefined && jwk.use !== "sig")) return undefined;
  try {
    return importKey(jwk, { alg, type: "public" });
  } catch {
    return undefined;
  }
}

function algorithmOf(jwk: Jwk, trusted: readonly PairAlgorithm[]): PairAlgorithm | undefined {
  if (jwk.alg !== undefined) return trusted.find((alg) => alg === jwk.alg);
  const fitting = trusted.filter((alg) => fits(jwk, alg));
  return fitting.length === 1 ? fitting[0] : undefined;
}

function fits(jwk: Jwk, alg: Algorithm): boolean {
  const row = rowOf(alg);
  return row.kind === "pair" && jwk.kty === row.kty && jwk.crv === row.crv && !isPrivateJwk(jwk, row);
}

/** @throws TypeError unless every name is that of an algorithm with public keys, and there is one at least. */
export function readTrustedAlgorithms(algorithms: unknown): readonly PairAlgorithm[] {
  const isList = Array.isArray(algorithms) && algorithms.length > 0;
  if (isList && algorithms.every((alg) => isAlgorithm(alg) && rowOf(alg).kind === "pair")) return [...algorithms];
  throw new TypeError('algorithms names what the issuer signs with, such as ["RS256"]; secrets are not published');
}
