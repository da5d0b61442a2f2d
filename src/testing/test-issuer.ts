/**
 * An issuer for tests: signs what an engine with the same secret or key would sign, without a store and by a clock that only the test moves.
 */
import { randomBytes } from "node:crypto";
import {
  createKeySet,
  createSigner,
  createVerifier,
  importKey,
  type Jwks,
  type PrivateKey,
  type SecretKey,
  toJwks,
  type Verifier,
} from "../jwt/index.ts";
import { type Duration, parseDuration, type System } from "../system.ts";

export interface TestIssuerOptions {
  /** As the application's, so that its own guard takes these tokens. Default: a random one. */
  readonly secret?: string;
  /** Instead of a secret: what signs, such as `generateKey("ES256")`, for an application that verifies with a JWKS. */
  readonly key?: SecretKey | PrivateKey;
  /** Default "latchkey". */
  readonly issuer?: string;
  /** Default "latchkey". */
  readonly audience?: string;
  /** Seconds since 1970 at the beginning. Default: now. */
  readonly now?: number;
}

/** Claims beside those of every token; `iat` and `exp` move it in time. */
export type TestClaims = Readonly<Record<string, unknown>> & { readonly iat?: number; readonly exp?: number };

export interface TestIssuer {
  /** What HS256 tokens are signed with; where a `key` was given, nothing is. */
  readonly secret: string;
  readonly issuer: string;
  readonly audience: string;
  readonly key: SecretKey | PrivateKey;
  /** The public key, as an application fetches it; empty where a secret signs. */
  jwks(): Jwks;
  /** Goes by this issuer's clock: for `requireAuth(verifier)`. */
  readonly verifier: Verifier;
  /** The clock, as `createVerifier({ system })` takes it. */
  readonly system: Pick<System, "now">;
  /** An access token of a user. @param options.expiresIn default "15m". */
  tokenFor(userId: number | string, claims?: TestClaims, options?: { readonly expiresIn?: Duration }): string;
  /** Moves the clock: `advance("16m")`. */
  advance(duration: Duration): void;
}

/** @throws TypeError for a secret and a key at once, and for a secret that is too short. */
export function createTestIssuer(options: TestIssuerOptions = {}): TestIssuer {
  if (options.key !== undefined && options.secret !== undefined)
    throw new TypeError("give a secret or a key, not both");
  const { secret = randomBytes(48).toString("base64url"), issuer = "latchkey", audience = "latchkey" } = options;
  let now = options.now ?? Math.floor(Date.now() / 1000);
  const system = { now: () => now };
  const key = options.key ?? importKey(Buffer.from(secret), { alg: "HS256" });
  const keys = createKeySet([key]);
  const verifier = createVerifier({ keys, issuer, audience, claimValues: { typ: "at+jwt" }, system });
  const signer = createSigner({ keys, issuer, audience, ttl: "15m" });
  return {
    ...{ secret, issuer, audience, key, verifier, system },
    jwks: () => toJwks(keys),
    tokenFor(userId, { iat = now, exp, ...claims } = {}, { expiresIn = "15m" } = {}) {
      const times = { iat, exp: exp ?? iat + parseDuration(expiresIn, "expiresIn") };
      return signer.sign({ sub: String(userId), sid: "1", epoch: 0, typ: "at+jwt", ...claims, ...times });
    },
    advance(duration) {
      now += parseDuration(duration, "duration");
    },
  };
}
