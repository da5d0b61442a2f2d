/**
 * Tokens of another dialect over this engine's sessions: access tokens as a Django service writes them, and refresh tokens that are JWTs.
 * The refresh JWT is an envelope: what counts in it is a refresh token of ours (`lkr`), so the session rule is the same. The envelope is signed with a
 * derived key, so that a Django that holds the access secret can't refresh a session that was ended here. Tokens that Django itself issued
 * are taken only where that was said aloud.
 */
import { createHash } from "node:crypto";
import { AuthError } from "./errors.ts";
import { REGISTERED_NAMES } from "./jwt/claims.ts";
import {
  type Claims,
  createKeySet,
  createSigner,
  createVerifier,
  explainToken,
  importKey,
  type Key,
  type KeySet,
  NO_AUDIENCE,
  NO_ISSUER,
  type PolicyOptions,
  type SecretAlgorithm,
  UNTYPED,
  type Verifier,
} from "./jwt/index.ts";
import { readId } from "./revocations/token-subject.ts";
import { type NumberedKeys, type RootSecret, toNumberedSecrets } from "./secrets.ts";
import { createRefreshTokenCodec } from "./sessions/refresh-token.ts";
import type { Device, Grant, Sessions } from "./sessions/sessions.ts";
import { type Duration, parseDuration, type System } from "./system.ts";
import type { Authenticated, Login, User, Users } from "./users/users.ts";

type TokenKind = "access" | "refresh";

/** What a dialect's tokens look like, and what is taken for one. */
export interface TokenDialect {
  /** The claim that tells access tokens and refresh tokens apart. */
  readonly typeClaim: string;
  /** The claim that holds the user's id. */
  readonly subjectClaim: string;
  /** What the tokens that Django issued are held to: from `allowUnscopedTokensOf`. */
  readonly policy: (kind: TokenKind) => PolicyOptions;
  readonly accessTtl: Duration;
  readonly refreshTtl: Duration;
  /** Claims that access tokens have beside those of every dialect. */
  readonly accessClaims?: (user: User) => Readonly<Record<string, unknown>>;
  /** Copies what an application added to the refresh token into the access tokens made from it. */
  readonly copiesClaims?: boolean;
  /** True: every refresh answers a new refresh token. False: one refresh token serves until the session ends. */
  readonly rotatesRefreshTokens: boolean;
  /** "shared": refresh tokens are signed with the access secret, so that Django can go on with them. It can then also refresh what we ended. */
  readonly refreshKey: "derived" | "shared";
  /** Takes access tokens that Django issued, and adopts its refresh tokens. Whoever holds the secret can make both. */
  readonly allowTokensIssuedByDjango: boolean;
  /** Whether Django has taken back a refresh token that it issued, as its blacklist says; asked before one is adopted. Default: none is. */
  readonly isTakenBack?: ((claims: Claims) => boolean | Promise<boolean>) | undefined;
  /** Adds `hash_password` (simplejwt's CHECK_REVOKE_TOKEN), and checks it at the guard, which then reads the user each time. */
  readonly passwordHashClaim: boolean;
}

/** Why a token of a dialect is refused; each dialect has its own words for it. */
export type TokenFault =
  | "invalid"
  | "expired"
  | "wrong_type"
  | "no_type"
  | "no_id"
  | "no_exp"
  | "no_subject"
  | "ended"
  | "user_missing"
  | "user_inactive"
  | "password_changed";

/** A token that was refused, with the fault for the dialect to word. */
export class TokenRefusal extends AuthError {
  readonly fault: TokenFault;

  constructor(fault: TokenFault, reason: string) {
    super(fault === "expired" ? "token_expired" : "token_invalid", { reason });
    this.fault = fault;
  }
}

export interface DialectTokenPair {
  readonly access: string;
  readonly refresh: string;
}

/** Who is behind an access token of a dialect. */
export interface DialectIdentity {
  readonly userId: number;
  /** Absent in tokens that Django issued. */
  readonly sessionId: string | undefined;
  readonly claims: Claims;
  user(): Promise<User | undefined>;
}

export interface DialectTokens {
  /** @throws AuthError as `auth.login`. The name counts in its very case, as Django compares it. */
  login(login: Login, device: Device): Promise<DialectTokenPair>;
  /** @throws TokenRefusal; AuthError 503. `refresh` is new only where tokens rotate. */
  refresh(token: string, device: Device): Promise<DialectTokenPair>;
  /** Ends the session of a refresh token, also of a user who is gone. @throws TokenRefusal, "ended" when it had ended before. */
  end(token: string, device: Device): Promise<void>;
  /** Checks signature and expiry of either kind of token, and nothing else. @throws TokenRefusal */
  verify(token: string): void;
  /** Whether a refresh token of ours belongs to a session that has ended. */
  hasEnded(token: string): Promise<boolean>;
  /** As fresh as the engine's own default, unless told "live". @throws TokenRefusal; AuthError 503. */
  authenticate(token: string, options?: { readonly freshness?: "token" | "feed" | "live" }): Promise<DialectIdentity>;
}

/** What the engine lends. */
export interface DialectParts {
  readonly system: System;
  /** Signs access tokens; of several the first signs and all verify. */
  readonly secret: RootSecret;
  readonly algorithm: SecretAlgorithm;
  /** Derived under the label "refresh-token". */
  readonly refreshKeys: NumberedKeys;
  /** Derived under the label "refresh-envelope". */
  readonly envelopeKeys: NumberedKeys;
  /** Seconds: a longer life of access tokens would outlive the entries that take them back. */
  readonly longestAccessLife: number;
  /** Seconds: no refresh carries a session past this age. */
  readonly maxAge: number;
  readonly users: Pick<Users, "byId" | "epochOf" | "passwordHashOf">;
  /** Told of every access token that was judged, and why it was refused if it was. */
  readonly countVerification: (error?: unknown) => void;
  /** Checks a password as `auth.login` does, limits included, and has the session begun. */
  readonly signIn: <T>(login: Login, device: Device, begin: (who: Authenticated) => Promise<T>) => Promise<T>;
  /** Sessions whose access tokens and refresh tokens live so long. */
  readonly createSessions: (ttl: { readonly accessTtl: number; readonly idleTtl: number }) => Sessions;
  readonly customClaims:
    | ((user: User) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>)
    | undefined;
  /** Judges a verified token against what was taken back. @throws AuthError `session_ended`, `user_not_found`, 503. */
  readonly judge: (claims: Claims, freshness: "token" | "feed" | "live" | undefined) => void | Promise<void>;
}

/** The claim of the envelope that holds the refresh token of ours. */
const INNER = "lkr";
const PASSWORD_CLAIM = "hash_password";
/** We signed it, and the session says how long it is good. */
const ENVELOPE_LIFE = "3650d";
/** What does not matter where only signature and time do. */
const UNASKED: readonly TokenFault[] = ["wrong_type", "no_type", "no_subject"];
/** What the dialect itself writes; the rest is the application's. */
const OWN_CLAIMS = ["sid", "epoch", INNER, PASSWORD_CLAIM];

export function createDialectTokens(parts: DialectParts, dialect: TokenDialect): DialectTokens {
  const { system, users, judge, customClaims } = parts;
  const { typeClaim, subjectClaim } = dialect;
  const accessTtl = parseDuration(dialect.accessTtl, "accessTtl");
  const refreshTtl = parseDuration(dialect.refreshTtl, "refreshTtl");
  if (accessTtl < 1 || refreshTtl < 1) throw new TypeError("accessTtl and refreshTtl must be at least one second");
  if (accessTtl > parts.longestAccessLife) {
    throw new TypeError(
      `accessTtl is longer than the ${parts.longestAccessLife} s for which the engine remembers what it took back: raise longestAccessLife of createAuth`,
    );
  }
  const sessions = parts.createSessions({ accessTtl, idleTtl: refreshTtl });
  const codec = createRefreshTokenCodec(parts.refreshKeys);
  const mode = dialect.rotatesRefreshTokens ? "rotating" : "fixed";
  const isFixed = mode === "fixed";

  // A set for each, because Django's tokens name no key.
  const sharedSets = toNumberedSecrets(parts.secret).map(({ secret }) =>
    createKeySet([importKey(typeof secret === "string" ? Buffer.from(secret) : secret, { alg: parts.algorithm })]),
  );
  const shared = sharedSets[0] as KeySet<Key>;
  const derived = toKeySet(parts.envelopeKeys);
  const envelopeKeys = dialect.refreshKey === "shared" ? shared : derived;
  const signing = { issuer: NO_ISSUER, audience: NO_AUDIENCE, typ: "JWT", subjectClaim, system } as const;
  const accessSigner = createSigner({ ...signing, keys: shared, ttl: accessTtl });
  const refreshSigner = createSigner({ ...signing, keys: envelopeKeys, ttl: refreshTtl });

  const policyOf = (kind: TokenKind): PolicyOptions => {
    const policy = dialect.policy(kind);
    const known = parseDuration(policy.maxLifetime ?? 0, "maxLifetime");
    return { ...policy, maxLifetime: Math.max(known, kind === "access" ? accessTtl : refreshTtl), system };
  };
  const accessVerifiers = sharedSets.map((keys) => createVerifier({ keys, ...policyOf("access"), cache: 4096 }));
  /** Refresh tokens under the access secret: Django's, and ours where the key is shared. */
  const sharedRefreshVerifiers = sharedSets.map((keys) =>
    createVerifier({ keys, ...policyOf("refresh"), maxLifetime: ENVELOPE_LIFE }),
  );
  const envelopeVerifier = createVerifier({
    keys: derived,
    ...{ issuer: NO_ISSUER, audience: NO_AUDIENCE, typ: UNTYPED, subjectClaim, allowNumericSubject: true },
    claimValues: { [typeClaim]: "refresh" },
    requiredClaims: ["jti", INNER],
    maxLifetime: ENVELOPE_LIFE,
    system,
  });

  /** What a refresh token is, once its signature is good: a session's of ours, or one that Django issued. */
  type Refresh =
    | { readonly inner: string; readonly claims: Claims }
    | { readonly inner?: undefined; readonly claims: Claims };

  function readRefresh(token: string): Refresh {
    const own = verified([envelopeVerifier], token);
    if (own) return { inner: own[INNER] as string, claims: own };
    const foreign = verified(sharedRefreshVerifiers, token);
    if (!foreign) throw diagnose(token, [envelopeVerifier, ...sharedRefreshVerifiers]);
    // Ours from a time with the shared key. The inner token has a MAC of its own, so whoever holds the secret gains nothing here.
    if (foreign[INNER] !== undefined) return { inner: String(foreign[INNER]), claims: foreign };
    if (!dialect.allowTokensIssuedByDjango) throw new TokenRefusal("invalid", "issued by Django, which is not allowed");
    return { claims: foreign };
  }

  /** Says which fault a refused token has; of several verifiers the one that at least knows the signature tells. */
  function diagnose(token: string, verifiers: readonly Verifier[]): AuthError {
    const newer = newerSecret(token);
    if (newer) return newer;
    for (const verifier of verifiers) {
      const { isAccepted, checks, unverified, reason = "refused" } = explainToken(token, verifier);
      if (isAccepted) return new TokenRefusal("wrong_type", "a refresh token in the place of another");
      const failed = new Map(checks.filter(({ outcome }) => outcome === "failed").map((c) => [c.name, c.problem]));
      if (["form", "header", "signature", "claims"].some((name) => failed.has(name))) continue;
      const claims = unverified.claims as Readonly<Record<string, unknown>>;
      const fault = ((): TokenFault => {
        if (failed.has("iss") || failed.has("aud") || failed.has("nbf")) return "invalid";
        if (claims.exp === undefined) return "no_exp";
        if (failed.has("times")) return "invalid";
        if (failed.has("exp")) return "expired";
        if (failed.has("jti") && claims.jti === undefined) return "no_id";
        if (claims[typeClaim] === undefined) return "no_type";
        if (failed.has(typeClaim)) return "wrong_type";
        if (claims[subjectClaim] === undefined) return "no_subject";
        return "invalid";
      })();
      return new TokenRefusal(fault, reason);
    }
    return new TokenRefusal("invalid", "the signature is none of ours");
  }

  /** An envelope under a newer secret than any known is no forgery but a rolling deploy. */
  function newerSecret(token: string): AuthError | undefined {
    const header = Buffer.from(token.slice(0, Math.min(token.indexOf("."), 200)), "base64url").toString("latin1");
    const number = /"kid":"refresh-(\d{1,5})"/.exec(header)?.[1];
    if (number === undefined || Number(number) <= parts.envelopeKeys.newest) return undefined;
    return new AuthError("secret_unknown", { reason: `secret number ${number} is not known` });
  }

  async function toPair(
    grant: Grant,
    known: User | undefined,
    copied: Readonly<Record<string, unknown>> = {},
  ): Promise<DialectTokenPair> {
    const wantsUser = dialect.accessClaims !== undefined || customClaims !== undefined;
    const user = wantsUser ? (known ?? (await users.byId(grant.userId))) : undefined;
    if (wantsUser && !user) throw new TokenRefusal("user_missing", "the user is gone");
    const password = dialect.passwordHashClaim ? await users.passwordHashOf(grant.userId) : undefined;
    const subject = {
      sub: String(grant.userId),
      ...(password !== undefined && { [PASSWORD_CLAIM]: toPasswordClaim(password) }),
    };
    const added = user && { ...(await customClaims?.(user)) };
    const access = accessSigner.sign(
      {
        ...subject,
        [typeClaim]: "access",
        sid: String(grant.sessionId),
        epoch: grant.userEpoch,
        iat: grant.issuedAt,
        exp: grant.accessExpiresAt,
        jti: toHex(system.randomBytes(16)),
      },
      user ? { ...dialect.accessClaims?.(user), ...copied, ...added } : copied,
    );
    const { sessionId, generation, handle } = codec.decode(grant.refreshToken);
    const refresh = refreshSigner.sign(
      {
        ...subject,
        [typeClaim]: "refresh",
        iat: grant.refreshIssuedAt,
        exp: grant.refreshExpiresAt,
        // Of the session and its generation, so that everyone who is entitled to a successor is given the same one.
        jti: createHash("sha256").update(`${sessionId}.${generation}.`).update(handle).digest("hex").slice(0, 32),
        [INNER]: grant.refreshToken,
      },
      dialect.copiesClaims ? { ...copied, ...added } : {},
    );
    return { access, refresh };
  }

  /** The application's claims of a refresh token. */
  function copiedClaims(claims: Claims): Record<string, unknown> {
    if (!dialect.copiesClaims) return {};
    const isOwn = (name: string) =>
      REGISTERED_NAMES.has(name) || OWN_CLAIMS.includes(name) || name === typeClaim || name === subjectClaim;
    return Object.fromEntries(Object.entries(claims).filter(([name]) => !isOwn(name)));
  }

  /** What the session rule refuses, in the faults of tokens. */
  async function toFault(error: unknown, userId: number | undefined): Promise<unknown> {
    if (!(error instanceof AuthError) || error instanceof TokenRefusal) return error;
    if (error.code === "refresh_token_expired") return new TokenRefusal("expired", error.reason);
    if (error.code === "refresh_token_invalid") return new TokenRefusal("invalid", error.reason);
    const isEnd = ["session_ended", "refresh_token_reused", "refresh_superseded", "user_not_found"].includes(
      error.code,
    );
    if (!isEnd) return error;
    const user = userId === undefined ? undefined : await users.byId(userId);
    if (!user) return new TokenRefusal("user_missing", error.reason);
    return new TokenRefusal(user.isActive ? "ended" : "user_inactive", error.reason);
  }

  async function adopt(token: string, claims: Claims, device: Device): Promise<string> {
    const userId = readId(claims.sub);
    if (userId === undefined) throw new TokenRefusal("invalid", `${subjectClaim} is not a user's id`);
    if (await dialect.isTakenBack?.(claims)) throw new TokenRefusal("ended", "Django has taken it back");
    const epoch = await users.epochOf(userId);
    if (epoch === undefined) {
      const isThere = (await users.byId(userId)) !== undefined;
      throw new TokenRefusal(isThere ? "user_inactive" : "user_missing", "the user is inactive or gone");
    }
    // Where tokens rotate, Django would have given the next one a life of its own, too.
    const dies = Math.floor(claims.exp);
    const expiresAt = isFixed ? dies : Math.max(system.now() + parts.maxAge, dies);
    return sessions.adopt(token, { id: userId, epoch }, device, { mode, expiresAt });
  }

  return {
    async login(login, device) {
      return parts.signIn(login, device, async ({ user, epoch, alongside }) => {
        const options = { mode, alongside, ...(isFixed && { lifetime: refreshTtl }) } as const;
        return toPair(await sessions.start({ id: user.id, epoch }, device, options), user);
      });
    },

    async refresh(token, device) {
      const { inner, claims } = readRefresh(token);
      try {
        const own = inner ?? (await adopt(token, claims, device));
        return await toPair(await sessions.refresh(own, device, { isFixed }), undefined, copiedClaims(claims));
      } catch (error) {
        throw await toFault(error, readId(claims.sub));
      }
    },

    async end(token, device) {
      const { inner, claims } = readRefresh(token);
      const userId = readId(claims.sub);
      if (userId === undefined) throw new TokenRefusal("invalid", `${subjectClaim} is not a user's id`);
      if (inner === undefined && (await dialect.isTakenBack?.(claims))) {
        throw new TokenRefusal("ended", "Django has taken it back");
      }
      // Of a user who is out of service no token can be adopted to any end but this; no epoch is below zero, so it never refreshes.
      const own =
        inner ??
        (await sessions.adopt(token, { id: userId, epoch: (await users.epochOf(userId)) ?? -1 }, device, {
          mode,
          expiresAt: Math.floor(claims.exp),
        }));
      const isEnded = (await sessions.revoke(own)) !== undefined || (await sessions.noteLogout(own));
      if (!isEnded) throw new TokenRefusal("ended", "the session had ended");
    },

    verify(token) {
      const claims = verified([...accessVerifiers, envelopeVerifier, ...sharedRefreshVerifiers], token);
      const refusal = claims ? undefined : diagnose(token, [...accessVerifiers, envelopeVerifier]);
      const isOurs = claims?.sid !== undefined || claims?.[INNER] !== undefined;
      if (isOurs) return;
      // Of Django's tokens neither the kind nor the user is asked.
      const isGood = !refusal || (refusal instanceof TokenRefusal && UNASKED.includes(refusal.fault));
      if (!isGood) throw refusal;
      if (!dialect.allowTokensIssuedByDjango) {
        throw new TokenRefusal("invalid", "issued by Django, which is not allowed");
      }
    },

    async hasEnded(token) {
      const own = verified([envelopeVerifier, ...sharedRefreshVerifiers], token);
      if (typeof own?.[INNER] !== "string") return false;
      return sessions.hasEnded(own[INNER]);
    },

    async authenticate(token, authenticateOptions) {
      try {
        const identity = await identify(token, authenticateOptions);
        parts.countVerification();
        return identity;
      } catch (error) {
        parts.countVerification(error);
        throw error;
      }
    },
  };

  async function identify(token: string, { freshness }: Parameters<DialectTokens["authenticate"]>[1] = {}) {
    const claims = verified(accessVerifiers, token);
    if (!claims) throw diagnose(token, [...accessVerifiers, envelopeVerifier]);
    const userId = readId(claims.sub);
    if (userId === undefined) throw new TokenRefusal("invalid", `${subjectClaim} is not a user's id`);
    const isOurs = claims.sid !== undefined;
    if (!isOurs && !dialect.allowTokensIssuedByDjango) {
      throw new TokenRefusal("invalid", "issued by Django, which is not allowed");
    }
    try {
      await judge(claims, freshness);
    } catch (error) {
      throw await toFault(error, userId);
    }
    // No session and no epoch speak for a token that Django issued, so its user is looked at.
    if (!isOurs) await refuseUnlessActive(userId);
    if (dialect.passwordHashClaim) {
      const password = await users.passwordHashOf(userId);
      if (password === undefined || claims[PASSWORD_CLAIM] !== toPasswordClaim(password)) {
        throw new TokenRefusal("password_changed", "hash_password is not that of the user's password");
      }
    }
    const sessionId = isOurs ? (claims.sid as string) : undefined;
    return { userId, sessionId, claims, user: () => users.byId(userId) };
  }

  async function refuseUnlessActive(userId: number): Promise<void> {
    const user = await users.byId(userId);
    if (!user) throw new TokenRefusal("user_missing", "no such user");
    if (!user.isActive) throw new TokenRefusal("user_inactive", "the user is inactive");
  }
}

/** @returns the claims by the first verifier that takes the token, or `undefined` when all refuse. */
function verified(verifiers: readonly Verifier[], token: string): Claims | undefined {
  for (const verifier of verifiers) {
    try {
      return verifier.verify(token);
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
    }
  }
  return undefined;
}

/** Every accepted secret's key, the current one first: that one signs. */
function toKeySet({ current, byNumber }: NumberedKeys): KeySet<Key> {
  const numbers = [current, ...[...byNumber.keys()].filter((number) => number !== current)];
  return createKeySet(
    numbers.map((number) => importKey(byNumber.get(number) as Uint8Array, { alg: "HS256", kid: `refresh-${number}` })),
  );
}

/** As simplejwt makes it: not a protection of the hash, only a sign that it is still the same. */
const toPasswordClaim = (stored: string): string => createHash("md5").update(stored).digest("hex").toUpperCase();

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
