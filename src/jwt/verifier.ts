/** Verifying tokens: the policy is compiled when the verifier is made, and each call only follows it. */
import { type Claims, deepFreeze } from "./claims.ts";
import { encodeHeader, readHeader } from "./header.ts";
import { compileClaimRules, createClaimsReader, shapeProblem } from "./judge.ts";
import { type Key, materialOf } from "./key.ts";
import type { KeySet } from "./key-set.ts";
import { type Policy, type PolicyOptions, readPolicy } from "./policy.ts";
import { quote, tokenError } from "./refusal.ts";
import { createVerifiedCache } from "./verified-cache.ts";

export interface VerifierOptions<Application = unknown> extends PolicyOptions<Application> {
  readonly keys: KeySet;
}

export interface Verifier<Verified = Claims> {
  /**
   * Verifies a token in compact form and its claims.
   * @param token `header.payload.signature`, base64url, at most 8 KiB.
   * @returns the claims, after the signature, `typ`, `iss`, `aud`, `exp`, `iat`, `nbf`, `sub` and what else the policy names were checked (RFC
   *   7519 §7.2, RFC 8725 §3). With a cache they are deeply frozen.
   * @throws AuthError `token_expired` when only the time is past, `token_subject_missing` when only the subject is missing, otherwise
   *   `token_invalid`. The reason is in `error.reason`, for logs. Nothing else is thrown, whatever `token` is.
   */
  verify(token: string): Verified;
}

/**
 * Makes a verifier.
 * @throws TypeError naming the option that is missing, mistyped or out of bounds.
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const policy = readPolicy(options);
  const { keys } = options;
  const { now } = policy.system;
  const judgeClaims = compileClaimRules(policy);
  const cache = policy.cache > 0 ? createVerifiedCache<Claims>(policy.cache, policy.tolerance) : undefined;
  const readClaims = createClaimsReader();
  let finder = createKeyFinder(keys, policy);

  function verify(token: unknown): Claims {
    if (finder.version !== keys.version) {
      finder = createKeyFinder(keys, policy);
      cache?.clear();
    }
    if (typeof token !== "string") throw tokenError("the token is not a text");
    const cached = cache?.find(token, now());
    if (cached !== undefined) return cached;
    const problem = shapeProblem(token);
    if (problem !== undefined) throw tokenError(problem);

    const headerEnd = token.indexOf(".");
    const inputLength = token.indexOf(".", headerEnd + 1);
    const known = finder.findKnown(token);
    const key = known ?? findByHeader(token.slice(0, headerEnd), keys, policy);
    if (typeof key === "string") throw tokenError(key);
    if (!materialOf(key).verifies(token, inputLength))
      throw tokenError(`the signature is not one by key ${quote(key.kid)}`);
    if (known === undefined) finder.remember(token.slice(0, headerEnd + 1), key);

    const members = readClaims(token.slice(headerEnd + 1, inputLength));
    if (typeof members === "string") throw tokenError(members);
    const refusal = judgeClaims(members, now());
    if (refusal !== undefined) throw tokenError(refusal.reason, refusal.code);
    const claims = members as unknown as Claims;
    cache?.keep(token, deepFreeze(claims), claims);
    return claims;
  }

  return Object.freeze({ verify });
}

interface KeyFinder {
  /** The version of the key set that it was made of. */
  readonly version: number;
  /** The key of a token whose header is known by sight. */
  findKnown(token: string): Key | undefined;
  /** Notes a header, encoded and with its dot, of a token whose signature was good. */
  remember(header: string, key: Key): void;
}

interface KnownHeader {
  /** The encoded header with its dot. */
  readonly text: string;
  readonly key: Key;
}

/** Headers that are known by sight: more than any sensible key set has keys. */
const MAX_KNOWN_HEADERS = 16;

/**
 * Finds keys by header. Our own signer writes one text for a key, so comparing texts is enough for the tokens of every day: ten times cheaper than
 * parsing. Others are added only after a signature under them was good, so strangers can't fill the list.
 */
function createKeyFinder(keys: KeySet, policy: Policy): KeyFinder {
  const known: KnownHeader[] = [];

  function remember(header: string, key: Key): void {
    if (known.length >= MAX_KNOWN_HEADERS) return;
    // Through bytes, because a text that was cut or put together is compared ten times slower than one in one piece.
    known.push({ text: Buffer.from(header).toString("latin1"), key });
  }

  const typ = policy.typs[0];
  if (typ !== undefined) {
    for (const key of keys.keys) remember(`${encodeHeader(key.alg, typ, key.kid)}.`, key);
  }
  return {
    version: keys.version,
    findKnown(token) {
      for (const { text, key } of known) {
        if (token.substring(0, text.length) === text) return key;
      }
      return undefined;
    },
    remember,
  };
}

/** The key that a header names, or why there is none. */
function findByHeader(encoded: string, keys: KeySet, { typs, typName }: Policy): Key | string {
  const header = readHeader(encoded);
  if (header.problem !== undefined) return `the header ${header.problem}`;
  if (!typs.includes(header.typ)) return `typ is ${quote(header.typ)}, not ${typName}`;
  const key = keys.find(header.kid);
  if (!key)
    return header.kid === undefined
      ? "kid is missing, and there are several keys"
      : `kid ${quote(header.kid)} is unknown`;
  // The key says which algorithm is used; the header may only agree (RFC 8725 §3.1).
  if (header.alg !== key.alg) return `alg is ${quote(header.alg)}, and key ${quote(key.kid)} is for ${key.alg}`;
  return key;
}
