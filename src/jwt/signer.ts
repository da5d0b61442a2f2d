/** Signing tokens: header, issuer, audience and lifetime are decided when the signer is made, so no call can change them. */
import { type OptionNames, refuseUnknownOptions } from "../known-options.ts";
import { type Duration, parseDuration, realSystem, type System } from "../system.ts";
import { encodeBase64url } from "./base64url.ts";
import { NO_AUDIENCE, NO_ISSUER, REGISTERED_NAMES } from "./claims.ts";
import { ExternalKey } from "./external-key.ts";
import { encodeHeader } from "./header.ts";
import { type Key, materialOf } from "./key.ts";
import type { KeySet } from "./key-set.ts";
import { MAX_TOKEN_LENGTH } from "./limits.ts";
import { readAudience, readClaimsLength, readIssuer } from "./policy.ts";

export interface SignerOptions<Member extends Key | ExternalKey = Key> {
  /** The set whose signing key signs. */
  readonly keys: KeySet<Member>;
  readonly issuer: string | typeof NO_ISSUER;
  readonly audience: string | readonly string[] | typeof NO_AUDIENCE;
  /** How long a token lives when the call does not say `exp`. */
  readonly ttl: Duration;
  /** The header's `typ`. Default "at+jwt" (RFC 9068 §2.1). */
  readonly typ?: string;
  /** Where the subject is written, for verifiers that have another name for it; a call gives it as `sub`. Default "sub". */
  readonly subjectClaim?: string;
  /** The most characters of the encoded claims, as the verifier has it. Default 4,096. */
  readonly maxClaimsLength?: number;
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

/** As `Signer`, made of a key set with a key that is elsewhere. */
export interface AsyncSigner {
  /** As `Signer.sign`. It also rejects with whatever the external signer rejects with. */
  sign(claims: IssuedClaims, application?: Readonly<Record<string, unknown>>): Promise<string>;
}

const OPTIONS = {
  keys: true,
  issuer: true,
  audience: true,
  ttl: true,
  typ: true,
  subjectClaim: true,
  maxClaimsLength: true,
  system: true,
} as const satisfies OptionNames<SignerOptions>;

/**
 * Makes a signer. The type of the key set decides whether it answers at once or with promises.
 * @throws TypeError naming the option that is missing, mistyped or not known, or when no key of the set can sign.
 */
export function createSigner(options: SignerOptions<Key>): Signer;
export function createSigner(options: SignerOptions<Key | ExternalKey>): AsyncSigner;
export function createSigner(options: SignerOptions<Key | ExternalKey>): Signer | AsyncSigner {
  refuseUnknownOptions(options, OPTIONS, "createSigner");
  const { keys, typ = "at+jwt", subjectClaim = "sub", system = realSystem } = options;
  if (keys?.kind !== "local") throw new TypeError("keys is a key set: use createKeySet");
  if (typeof typ !== "string" || typ === "") throw new TypeError("typ must be a text that is not empty");
  if (
    typeof subjectClaim !== "string" ||
    subjectClaim === "" ||
    (subjectClaim !== "sub" && REGISTERED_NAMES.has(subjectClaim))
  )
    throw new TypeError("subjectClaim must be a text that is not empty, and no other registered name");
  const ttl = parseDuration(options.ttl, "ttl");
  if (ttl === 0) throw new TypeError("ttl is longer than 0 s");
  const maxClaimsLength = readClaimsLength(options.maxClaimsLength);
  const writePayload = createPayloadWriter(readIssuer(options.issuer), readAudience(options.audience));
  let hand = createHand(keys, typ);

  function sign(claims: IssuedClaims, application?: Readonly<Record<string, unknown>>): string | Promise<string> {
    if (hand.version !== keys.version) hand = createHand(keys, typ);
    const issued: Record<string, unknown> = { ...claims };
    issued.jti ??= encodeBase64url(system.randomBytes(16));
    issued.iat ??= system.now();
    issued.exp ??= (issued.iat as number) + ttl;
    refuseBadIssued(issued);
    if (subjectClaim !== "sub") {
      issued[subjectClaim] = issued.sub;
      delete issued.sub;
    }
    if (application !== undefined) refuseOverrides(application, issued);
    const payload = writePayload(issued, application);
    if (payload.length > maxClaimsLength) throw tooLong(maxClaimsLength);
    return hand.sign(payload);
  }

  // One signer never answers now at once and now with a promise, whichever key of its set signs.
  const signLater = async (...claims: Parameters<typeof sign>): Promise<string> => sign(...claims);
  return Object.freeze({ sign: keys.signsElsewhere ? signLater : sign }) as Signer | AsyncSigner;
}

interface Hand {
  /** The version of the key set that it was made of. */
  readonly version: number;
  /** Makes the token of an encoded payload. */
  readonly sign: (payload: string) => string | Promise<string>;
}

function createHand(keys: KeySet, typ: string): Hand {
  const { version, signingKey: key } = keys;
  if (!key?.canSign) throw new TypeError("no key of this set can sign: give it a secret or a private key");
  const header = `${encodeHeader(key.alg, typ, key.kid)}.`;
  if (key instanceof ExternalKey) {
    const sign = async (payload: string): Promise<string> => {
      const input = `${header}${payload}`;
      return bounded(`${input}.${await key.sign(input)}`);
    };
    return { version, sign };
  }
  const sign = materialOf(key).sign as (header: string, payload: string) => string;
  return { version, sign: (payload) => bounded(`${header}${payload}.${sign(header, payload)}`) };
}

function bounded(token: string): string {
  if (token.length > MAX_TOKEN_LENGTH) throw tooLong(MAX_TOKEN_LENGTH);
  return token;
}

function tooLong(length: number): TypeError {
  return new TypeError(`the claims make a token of more than ${length} characters: put less in them`);
}

type Members = Readonly<Record<string, unknown>>;

/**
 * Prepares the writing of payloads, which all begin with the same issuer and audience.
 * The parts go one after the other into a buffer: merging them as objects, or joining their texts, costs several times as much.
 */
function createPayloadWriter(
  issuer: ReturnType<typeof readIssuer>,
  audience: ReturnType<typeof readAudience>,
): (issued: Members, application: Members | undefined) => string {
  const iss = issuer === NO_ISSUER ? "" : `"iss":${JSON.stringify(issuer)},`;
  const aud =
    audience === NO_AUDIENCE ? "" : `"aud":${JSON.stringify(audience.length === 1 ? audience[0] : audience)},`;
  const opening = Buffer.from(`{${iss}${aud}`);
  // UTF-8 takes at most three bytes for a UTF-16 unit.
  const buffer = Buffer.alloc(opening.length + 6 * MAX_TOKEN_LENGTH);
  buffer.set(opening);
  return (issued, application) => {
    let end = opening.length + writeMembers(issued, buffer, opening.length);
    const added = application === undefined ? 0 : writeMembers(application, buffer, end);
    // Of an application without claims only the brace was written, and the one before it stays the last.
    if (added > 1) {
      buffer[end - 1] = COMMA;
      end += added;
    }
    return buffer.toString("base64url", 0, end);
  };
}

const COMMA = 0x2c;

/** Writes the members of an object as JSON with the closing brace, and returns the count of bytes. */
function writeMembers(members: Members, buffer: Buffer, start: number): number {
  if (typeof members.toJSON === "function") throw new TypeError("claims are a plain object, without toJSON");
  const text = JSON.stringify(members);
  if (text.length > MAX_TOKEN_LENGTH) throw tooLong(MAX_TOKEN_LENGTH);
  return buffer.write(text.slice(1), start, "utf8");
}

function refuseBadIssued({ iss, aud, sub, iat, exp, nbf, jti }: Readonly<Record<string, unknown>>): void {
  if (iss !== undefined || aud !== undefined) throw new TypeError("iss and aud are set by the signer's options");
  if (typeof sub !== "string" || sub === "") throw new TypeError("sub must be a text that is not empty");
  if (typeof jti !== "string" || jti === "") throw new TypeError("jti must be a text that is not empty");
  if (!isInstant(iat) || !isInstant(exp) || (nbf !== undefined && !isInstant(nbf))) {
    throw new TypeError("iat, exp and nbf are whole seconds since 1970");
  }
  if (exp <= iat) throw new TypeError("exp must be after iat");
}

function refuseOverrides(
  application: Readonly<Record<string, unknown>>,
  issued: Readonly<Record<string, unknown>>,
): void {
  for (const name of Object.keys(application)) {
    if (REGISTERED_NAMES.has(name) || Object.hasOwn(issued, name)) {
      throw new TypeError(`the application may not set the claim ${JSON.stringify(name)}: it belongs to the issuer`);
    }
  }
}

function isInstant(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
