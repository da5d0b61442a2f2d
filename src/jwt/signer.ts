/** Signing tokens: header, issuer, audience and lifetime are decided when the signer is made, so no call can change them. */
import { type Duration, parseDuration, realSystem, type System } from "../system.ts";
import { encodeBase64url } from "./base64url.ts";
import { NO_AUDIENCE, NO_ISSUER, REGISTERED_NAMES } from "./claims.ts";
import { encodeHeader } from "./header.ts";
import { materialOf } from "./key.ts";
import type { KeySet } from "./key-set.ts";
import { MAX_TOKEN_LENGTH } from "./limits.ts";
import { readAudience, readIssuer } from "./policy.ts";

export interface SignerOptions {
  /** The set whose signing key signs. */
  readonly keys: KeySet;
  readonly issuer: string | typeof NO_ISSUER;
  readonly audience: string | readonly string[] | typeof NO_AUDIENCE;
  /** How long a token lives when the call does not say `exp`. */
  readonly ttl: Duration;
  /** The header's `typ`. Default "at+jwt" (RFC 9068 §2.1). */
  readonly typ?: string;
  /** Clock, and the randomness of `jti`. */
  readonly system?: Pick<System, "now" | "randomBytes">;
}

/** The claims that whoever issues tokens decides. */
export interface IssuedClaims {
  /** Who the token is about. Not empty. */
  readonly sub: string;
  /** Whole seconds since 1970. Default: now. */
  readonly iat?: number;
  /** Whole seconds since 1970, after `iat`. Default: `iat` and the signer's `ttl`. */
  readonly exp?: number;
  /** Whole seconds since 1970. Default: absent. */
  readonly nbf?: number;
  /** The token's own name. Default: 128 random bits. */
  readonly jti?: string;
  /** Others that the issuer adds, such as `sid`. `iss` and `aud` are the signer's alone. */
  readonly [name: string]: unknown;
}

export interface Signer {
  /**
   * Signs a token.
   * @param claims of the issuer; a member that is `undefined` is left out.
   * @param application claims of the application. None can have a registered name (RFC 7519 §4.1) or one that `claims` has.
   * @returns the token in compact form, at most 8 KiB.
   * @throws TypeError for claims that may not be set, have the wrong type or make the token too long.
   */
  sign(claims: IssuedClaims, application?: Readonly<Record<string, unknown>>): string;
}

/**
 * Makes a signer.
 * @throws TypeError naming the option that is missing or mistyped, or when no key of the set can sign.
 */
export function createSigner(options: SignerOptions): Signer {
  const { keys, typ = "at+jwt", system = realSystem } = options;
  const issuer = readIssuer(options.issuer);
  const audience = readAudience(options.audience);
  const ttl = parseDuration(options.ttl, "ttl");
  if (ttl === 0) throw new TypeError("ttl is longer than 0 s");
  const fixed = {
    iss: issuer === NO_ISSUER ? undefined : issuer,
    aud: audience === NO_AUDIENCE ? undefined : audience.length === 1 ? audience[0] : audience,
  };
  let hand = createHand(keys, typ);

  function sign(claims: IssuedClaims, application?: Readonly<Record<string, unknown>>): string {
    if (hand.version !== keys.version) hand = createHand(keys, typ);
    const iat = claims.iat ?? system.now();
    const payload = {
      ...fixed,
      ...claims,
      jti: claims.jti ?? encodeBase64url(system.randomBytes(16)),
      iat,
      exp: claims.exp ?? iat + ttl,
      ...application,
    };
    refuseBadClaims(claims, payload, application);
    return hand.sign(JSON.stringify(payload));
  }

  return Object.freeze({ sign });
}

interface Hand {
  /** The version of the key set that it was made of. */
  readonly version: number;
  sign(payload: string): string;
}

function createHand(keys: KeySet, typ: string): Hand {
  const key = keys.signingKey;
  const sign = key && materialOf(key).sign;
  if (!key || !sign) throw new TypeError("no key of this set can sign: give it a secret or a private key");
  const header = encodeHeader(key.alg, typ, key.kid);
  return {
    version: keys.version,
    sign(payload) {
      const input = `${header}.${Buffer.from(payload).toString("base64url")}`;
      if (input.length > MAX_TOKEN_LENGTH) throw tooLong();
      const token = `${input}.${sign(input)}`;
      if (token.length > MAX_TOKEN_LENGTH) throw tooLong();
      return token;
    },
  };
}

function tooLong(): TypeError {
  return new TypeError(`the claims make a token of more than ${MAX_TOKEN_LENGTH} characters: put less in them`);
}

function refuseBadClaims(
  claims: IssuedClaims,
  { sub, iat, exp, nbf, jti }: { sub: unknown; iat: unknown; exp: unknown; nbf?: unknown; jti: unknown },
  application: Readonly<Record<string, unknown>> | undefined,
): void {
  if (Object.hasOwn(claims, "iss") || Object.hasOwn(claims, "aud"))
    throw new TypeError("iss and aud are set by the signer's options");
  for (const name in application) {
    if ((REGISTERED_NAMES as readonly string[]).includes(name) || Object.hasOwn(claims, name)) {
      throw new TypeError(`the application may not set the claim ${JSON.stringify(name)}: it belongs to the issuer`);
    }
  }
  if (typeof sub !== "string" || sub === "") throw new TypeError("sub must be a text that is not empty");
  if (typeof jti !== "string" || jti === "") throw new TypeError("jti must be a text that is not empty");
  if (!isInstant(iat) || !isInstant(exp) || (nbf !== undefined && !isInstant(nbf))) {
    throw new TypeError("iat, exp and nbf are whole seconds since 1970");
  }
  if (exp <= iat) throw new TypeError("exp must be after iat");
}

function isInstant(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
