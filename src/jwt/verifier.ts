/** Verifying tokens: the policy is compiled when the verifier is made, and each call only follows it. */
import { type Claims, deepFreeze } from "./claims.ts";
import { encodeHeader, readHeader } from "./header.ts";
import { compileClaimRules, readClaims, requireShape } from "./judge.ts";
import { type Key, materialOf } from "./key.ts";
import type { KeySet } from "./key-set.ts";
import { type Policy, type PolicyOptions, readPolicy } from "./policy.ts";
import { quote, refuse } from "./refusal.ts";
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
  let finder = createKeyFinder(keys, policy);

  function verify(token: unknown): Claims {
    if (finder.version !== keys.version) {
      finder = createKeyFinder(keys, policy);
      cache?.clear();
    }
    const cached = cache !== undefined && typeof token === "string" ? cache.find(token, now()) : undefined;
    if (cached !== undefined) return cached;
    requireShape(token);
    const headerEnd = token.indexOf(".");
    const inputLength = token.indexOf(".", headerEnd + 1);
    const key = finder.find(token, headerEnd);
    if (!materialOf(key).verifies(token, inputLength)) refuse(`the signature is not one by key ${quote(key.kid)}`);
    finder.remember(token, headerEnd, key);
    const members = readClaims(token.slice(headerEnd + 1, inputLength));
    judgeClaims(members, now());
    const claims = members as unknown as Claims;
    cache?.keep(token, deepFreeze(claims), claims);
    return claims;
  }

  return Object.freeze({ verify });
}

interface KeyFinder {
  /** The version of the key set that it was made of. */
  readonly version: number;
  /** The key that a token's header names. Throws AuthError. */
  find(token: string, headerEnd: number): Key;
  /** Notes the header of a token whose signature was good, to know it by sight. */
  remember(token: string, headerEnd: number, key: Key): void;
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
  const typ = policy.typs[0];
  if (typ !== undefined) {
    for (const key of keys.keys.slice(0, MAX_KNOWN_HEADERS))
      known.push({ text: `${encodeHeader(key.alg, typ, key.kid)}.`, key });
  }

  function findKnown(token: string): Key | undefined {
    for (const { text, key } of known) {
      if (token.startsWith(text)) return key;
    }
    return undefined;
  }

  return {
    version: keys.version,
    find(token, headerEnd) {
      return findKnown(token) ?? findByHeader(token.slice(0, headerEnd), keys, policy);
    },
    remember(token, headerEnd, key) {
      if (known.length >= MAX_KNOWN_HEADERS || findKnown(token)) return;
      known.push({ text: token.slice(0, headerEnd + 1), key });
    },
  };
}

function findByHeader(encoded: string, keys: KeySet, { typs, typName }: Policy): Key {
  const header = readHeader(encoded);
  if (header.problem !== undefined) refuse(`the header ${header.problem}`);
  if (!typs.includes(header.typ)) refuse(`typ is ${quote(header.typ)}, not ${typName}`);
  const key = keys.find(header.kid);
  if (!key)
    refuse(
      header.kid === undefined ? "kid is missing, and there are several keys" : `kid ${quote(header.kid)} is unknown`,
    );
  // The key says which algorithm is used; the header may only agree (RFC 8725 §3.1).
  if (header.alg !== key.alg) refuse(`alg is ${quote(header.alg)}, and key ${quote(key.kid)} is for ${key.alg}`);
  return key;
}
