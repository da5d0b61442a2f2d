/** Verifying tokens: the policy is compiled when the verifier is made, and each call only follows it. */
import type { AuthError } from "../errors.ts";
import { type OptionNames, refuseUnknownOptions } from "../known-options.ts";
import { applySchema, applySchemaAsync, type Verified } from "./application-claims.ts";
import { type Claims, deepFreeze } from "./claims.ts";
import type { KeyLookup } from "./key-finder.ts";
import type { KeySet } from "./key-set.ts";
import { POLICY_OPTIONS, type Policy, type PolicyOptions, readPolicy } from "./policy.ts";
import { tokenError } from "./refusal.ts";
import type { RemoteKeySet } from "./remote-key-set.ts";
import { isTooLong, TOO_LONG } from "./shape.ts";
import { createTokenJudge } from "./token-judge.ts";
import { createVerifiedCache } from "./verified-cache.ts";
import { register } from "./verifier-registry.ts";

export interface VerifierOptions<Application, Keys extends KeySet | RemoteKeySet> extends PolicyOptions<Application> {
  readonly keys: Keys;
}

/** Made of keys that are here: answers at once. */
export interface Verifier<Application = unknown> {
  /** Whose tokens it takes. */
  readonly issuer: Policy["issuer"];
  /** False: `verify` answers at once. */
  readonly isAsync: false;
  /**
   * Verifies a token in compact form and its claims.
   * @param token `header.payload.signature`, base64url, at most 8 KiB.
   * @returns the claims, after the signature, `typ`, `iss`, `aud`, `exp`, `iat`, `nbf`, `sub` and what else the policy names were checked (RFC
   *   7519 §7.2, RFC 8725 §3). They inherit nothing. With a cache they are deeply frozen.
   * @throws AuthError `token_expired` when only the time is past, `token_subject_missing` when the subject is missing, otherwise `token_invalid`;
   *   with `revocations` also what those refuse with. The reason is in `error.reason`, for logs. Nothing else is thrown, whatever `token` is.
   */
  verify(token: string): Verified<Application>;
}

/** Made of keys that are fetched: answers with a promise. */
export interface AsyncVerifier<Application = unknown> {
  readonly issuer: Policy["issuer"];
  readonly isAsync: true;
  /** As `Verifier.verify`. Besides, it rejects with AuthError `secret_unknown` (503) when no keys could be fetched that are fresh enough. */
  verify(token: string): Promise<Verified<Application>>;
}

const OPTIONS = { keys: true, ...POLICY_OPTIONS } as const satisfies OptionNames<VerifierOptions<unknown, KeySet>>;

/**
 * Makes a verifier. The keys decide whether it answers at once or with promises.
 * @throws TypeError naming the option that is missing, mistyped, out of bounds or not known.
 */
export function createVerifier<Application = unknown>(
  options: VerifierOptions<Application, KeySet>,
): Verifier<Application>;
export function createVerifier<Application = unknown>(
  options: VerifierOptions<Application, RemoteKeySet>,
): AsyncVerifier<Application>;
export function createVerifier<Application>(
  options: VerifierOptions<Application, KeySet | RemoteKeySet>,
): Verifier<Application> | AsyncVerifier<Application> {
  refuseUnknownOptions(options, OPTIONS, "createVerifier");
  const policy = readPolicy(options);
  const { keys } = options;
  const verifier = keys?.kind === "remote" ? createAsync(policy, keys) : createSync(policy, keys);
  register(verifier, { policy, keys });
  return verifier as Verifier<Application> | AsyncVerifier<Application>;
}

function createSync(policy: Policy, keys: KeySet): Verifier {
  if (keys?.kind !== "local") throw new TypeError("keys is a key set: use createKeySet or createRemoteKeySet");
  const judge = createTokenJudge(policy, keys);
  const cache = createCache(policy, keys);
  const { schema, system, revocations } = policy;

  // One function throws, and it is the outermost: each frame that a throw crosses costs as much as the rest of a refusal.
  function verify(token: string): Claims {
    // Before anything else is asked, the cache and the clock too: what is too long should cost us nothing but the error.
    if (isTooLong(token)) throw tokenError(TOO_LONG);
    const verified = verifyAlone(token);
    // Error is asked for and not AuthError, here and below: that costs a call, and a fifth of what a cached token does.
    if (verified instanceof Error) throw verified;
    // What was taken back since is looked at again for each token, cached or not.
    const refusal = revocations?.refusal(verified);
    if (refusal !== undefined) throw refusal;
    return verified;
  }

  function verifyAlone(token: string): Claims | AuthError {
    const cached = cache?.find(token, system.now());
    if (cached !== undefined) return cached;
    const claims = judge(token);
    if (claims instanceof Error) return claims;
    const verified = schema === undefined ? claims : applySchema(schema, claims);
    if (cache !== undefined && !(verified instanceof Error) && deepFreeze(verified)) {
      cache.keep(token, verified, claims, keys.version);
    }
    return verified;
  }

  return Object.freeze({ issuer: policy.issuer, isAsync: false, verify });
}

function createAsync(policy: Policy, remote: RemoteKeySet): AsyncVerifier {
  let missedKey = false;
  const keys: KeyLookup = {
    get keys() {
      return remote.keys;
    },
    get version() {
      return remote.version;
    },
    find(kid) {
      const key = remote.find(kid);
      missedKey = key === undefined;
      return key;
    },
  };
  const judge = createTokenJudge(policy, keys);
  const cache = createCache(policy, keys);
  const { schema, system, revocations } = policy;

  /** Judges, and when the key is unknown once more with newer keys, if there are any: the issuer may have changed keys a moment ago. */
  async function judgeWithNewestKeys(token: string): Promise<Claims | AuthError> {
    missedKey = false;
    const judged = judge(token);
    if (!missedKey || !(await remote.lookAgain())) return judged;
    return judge(token);
  }

  async function verify(token: string): Promise<Claims> {
    const claims = await verifyAlone(token);
    const refusal = revocations?.refusal(claims);
    if (refusal !== undefined) throw refusal;
    return claims;
  }

  async function verifyAlone(token: string): Promise<Claims> {
    const wait = remote.ready();
    if (wait) await wait;
    const cached = cache?.find(token, system.now());
    if (cached !== undefined) return cached;
    const claims = await judgeWithNewestKeys(token);
    if (claims instanceof Error) throw claims;
    const { version } = remote;
    const verified = schema === undefined ? claims : await applySchemaAsync(schema, claims);
    if (verified instanceof Error) throw verified;
    if (cache !== undefined && deepFreeze(verified)) cache.keep(token, verified, claims, version);
    return verified;
  }

  return Object.freeze({ issuer: policy.issuer, isAsync: true, verify });
}

function createCache({ cache: capacity, tolerance }: Policy, keys: KeyLookup) {
  return capacity > 0 ? createVerifiedCache<Claims>({ capacity, tolerance, keys }) : undefined;
}
