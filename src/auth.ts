/**
 * `createAuth`: users, sessions and tokens put together. The only file that knows all three.
 * Login is one read and one transaction; authenticating a bearer token is no I/O at all while the revocation feed is
 * fresh.
 */
import { AuthError } from "./errors.ts";
import { type Claims, createKeySet, createSigner, createVerifier, importKey, NO_AUDIENCE } from "./jwt/index.ts";
import {
  createPublishedRevocations,
  type RevocationPage,
  type SinceOptions,
} from "./revocations/published-revocations.ts";
import { createRevocationFeed, type FeedState } from "./revocations/revocation-feed.ts";
import type { TokenSubject } from "./revocations/revocation-index.ts";
import { takenBack } from "./revocations/taken-back.ts";
import { readId, readSubject } from "./revocations/token-subject.ts";
import { deriveKeys, type RootSecret, secretProblem } from "./secrets.ts";
import { startHousekeeping } from "./sessions/housekeeping.ts";
import {
  createSessions,
  type Device,
  type Grant,
  type RefreshOptions,
  type Session,
  type SessionEvent,
  type SessionMode,
} from "./sessions/sessions.ts";
import { createStandingCheck } from "./sessions/standing.ts";
import { createStoredRevocations } from "./sessions/stored-revocations.ts";
import * as queries from "./storage/queries.ts";
import type { Statement, Storage } from "./storage/storage.ts";
import { type Duration, parseDuration, realSystem, type System } from "./system.ts";
import { createPasswordHasher } from "./users/password-hash.ts";
import { createUsers, type Login, type Registration, type User } from "./users/users.ts";

export interface AuthOptions {
  /** Signs access tokens: text (its UTF-8 bytes are the key, as in PyJWT) or bytes; as long as the algorithm's hash. */
  readonly secret: string | Uint8Array;
  /** `openSqlite("auth.db")`; `createAuth` creates the tables. */
  readonly storage: Storage;
  /** `iss` of access tokens. Default "latchkey". */
  readonly issuer?: string;
  /** `aud` of access tokens; "none" leaves it out and does not require it, for verifiers that name no audience. Default "latchkey". */
  readonly audience?: string;
  /** Default HS256. */
  readonly algorithm?: "HS256" | "HS384" | "HS512";
  /** The root of every derived key; default `secret`. Give one of its own where others hold `secret`. */
  readonly rootSecret?: RootSecret;
  /** Life of an access token. Default "15m". */
  readonly accessTtl?: Duration;
  /** A session dies when it was not refreshed for so long. Default "30d". */
  readonly sessionIdleTtl?: Duration;
  /** No refresh carries a session past this age. Default "90d". */
  readonly sessionMaxAge?: Duration;
  /** How long a spent refresh token is answered with its successor. Default "20s"; "0s" is strict. */
  readonly refreshGrace?: Duration;
  /** Live sessions that a user may have; one more ends the oldest. Default 50. */
  readonly sessionLimit?: number;
  /** Claims to add to a user's access tokens; registered ones can't be overridden. */
  readonly claims?: (user: User) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;
  /** Judges a new password beyond the rules, such as against breached ones: what is wrong, or `undefined`. */
  readonly checkPassword?: (password: string) => Promise<string | undefined>;
  /** Password hashes at once and waiting. Default: the cores but one, and 64. */
  readonly passwordQueue?: { readonly concurrency?: number; readonly limit?: number };
  /** Told of stolen refresh tokens and of stores that went back in time. */
  readonly onEvent?: (event: SessionEvent) => void;
  /** Time and randomness; for tests. */
  readonly system?: System;
}

/** What a login or a refresh gives. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly tokenType: "Bearer";
  /** Seconds until the access token expires. */
  readonly expiresIn: number;
  readonly sessionId: string;
  /** Grows with every refresh: the higher one is the newer. */
  readonly generation: number;
}

/** What the caller knows of another system's refresh token, having verified it. */
export interface Adoption extends RefreshOptions {
  readonly userId: number;
  /** When it expires, in seconds since 1970; the session does too. */
  readonly expiresAt: number;
  /** Default "fixed": the client goes on with the token that it has. */
  readonly mode?: SessionMode;
}

/** Who is behind an access token. */
export interface Identity {
  readonly userId: number;
  readonly sessionId: string;
  readonly claims: Claims;
  /** Reads the user; `undefined` when it was deleted. */
  user(): Promise<User | undefined>;
}

export interface AuthenticateOptions {
  /**
   * How new the knowledge of ended sessions must be: "token" does not ask, "feed" asks the index in memory, "live" the
   * store. Default "feed".
   */
  readonly freshness?: "token" | "feed" | "live";
}

/** The engine. Its methods throw AuthError when they refuse. */
export interface Auth {
  /** @throws AuthError `input_invalid`, `username_taken`, `email_taken`, `busy`. */
  register(registration: Registration): Promise<User>;
  /** Starts a session, rotating unless said otherwise. @throws AuthError `invalid_credentials`, `input_invalid`, `busy`. */
  login(login: Login, device?: Device, options?: { readonly mode?: SessionMode }): Promise<Tokens>;
  /** Spends a refresh token by the refresh rule. @throws AuthError, see docs/sessions.md. */
  refresh(refreshToken: string, options?: RefreshOptions, device?: Device): Promise<Tokens>;
  /**
   * Spends a refresh token of another system, which the caller has verified: the first time it is given a session of
   * ours, and whoever brings it again meets there. @throws AuthError `user_not_found`, and as `refresh`.
   */
  adopt(foreignToken: string, adoption: Adoption, device?: Device): Promise<Tokens>;
  /** Ends the session of a refresh token; one that has ended is fine. @throws AuthError `refresh_token_invalid`. */
  logout(refreshToken: string): Promise<void>;
  /**
   * Verifies an access token. Synchronous while the feed is fresh (or not asked), a promise otherwise.
   * @throws AuthError `token_expired`, `token_invalid`, `session_ended`, `user_not_found`, `store_unavailable`.
   */
  authenticate(accessToken: string, options?: AuthenticateOptions): Identity | Promise<Identity>;
  /** Ends every session but the one that asks. @throws AuthError `wrong_password`, `input_invalid`, `user_not_found`. */
  changePassword(
    identity: Identity,
    change: { readonly currentPassword: string; readonly newPassword: string },
  ): Promise<void>;
  readonly users: {
    byId(id: number): Promise<User | undefined>;
    /** Takes a user out of service and ends all sessions; false when there was nothing to do. */
    deactivate(id: number): Promise<boolean>;
    reactivate(id: number): Promise<boolean>;
    delete(id: number): Promise<boolean>;
  };
  readonly sessions: {
    /** Live ones, newest first. */
    list(userId: number): Promise<Session[]>;
    /** False when the user has no such live session. */
    end(userId: number, sessionId: string): Promise<boolean>;
    endAll(userId: number, options?: { readonly except?: string }): Promise<void>;
  };
  readonly revocations: {
    /** How well this process knows what has been taken back; for metrics and readiness. */
    state(): FeedState;
    /** What has been taken back since a cursor, for services that hold no database. */
    since(cursor: string | undefined, options?: SinceOptions): Promise<RevocationPage>;
    /** Answers those who wait for the next entry: the server is going down. */
    answerWaiting(): void;
  };
  /** Rejects with `store_unavailable` when the store does not answer. */
  ping(): Promise<void>;
  /** Stops reading the feed and closes the storage. */
  close(): Promise<void>;
}

const DEFAULT_NAME = "latchkey";
const ACCESS_TYPE = "at+jwt";
/** Seconds. Tokens that were issued before `accessTtl` was lowered stay good. */
const LONGEST_LIFE = 60 * 60;
/** Verified tokens that are known by sight: about 1 KB each. */
const CACHED_TOKENS = 4096;

/**
 * Composes an engine over a store; creates or upgrades the store's tables.
 * @throws TypeError for a weak secret or an option out of range; rejects when the store can't be used.
 */
export async function createAuth(options: AuthOptions): Promise<Auth> {
  const { secret, storage, algorithm = "HS256", claims: customClaims } = options;
  const system = onStoreClock(options.system ?? realSystem, storage);
  const problem = secretProblem(secret);
  if (problem) throw new TypeError(`secret ${problem}`);
  const seconds = {
    accessTtl: positive(options.accessTtl ?? "15m", "accessTtl"),
    idleTtl: positive(options.sessionIdleTtl ?? "30d", "sessionIdleTtl"),
    maxAge: positive(options.sessionMaxAge ?? "90d", "sessionMaxAge"),
    grace: parseDuration(options.refreshGrace ?? "20s", "refreshGrace"),
  };

  const key = importKey(typeof secret === "string" ? Buffer.from(secret) : secret, { alg: algorithm });
  const tokens = {
    keys: createKeySet([key]),
    issuer: options.issuer ?? DEFAULT_NAME,
    audience: options.audience === "none" ? NO_AUDIENCE : (options.audience ?? DEFAULT_NAME),
    typ: ACCESS_TYPE,
    system,
  } as const;
  const signer = createSigner({ ...tokens, ttl: seconds.accessTtl });
  const verifier = createVerifier({
    ...tokens,
    claimValues: { typ: ACCESS_TYPE },
    maxLifetime: Math.max(seconds.accessTtl, LONGEST_LIFE),
    cache: CACHED_TOKENS,
  });

  const hasher = createPasswordHasher({
    system,
    ...(options.passwordQueue?.concurrency !== undefined && { concurrency: options.passwordQueue.concurrency }),
    ...(options.passwordQueue?.limit !== undefined && { queueLimit: options.passwordQueue.limit }),
  });
  await storage.migrate();
  const users = createUsers({ storage, system, hasher, checkPassword: options.checkPassword });
  const root = options.rootSecret ?? secret;
  const sessions = createSessions({
    storage,
    system,
    keys: deriveKeys(root, "refresh-token"),
    adoptKeys: deriveKeys(root, "adopt"),
    ...seconds,
    limit: readLimit(options.sessionLimit ?? 50),
    onEvent: options.onEvent ?? (() => {}),
    afterEnd: () => feed.catchUp(),
  });
  const source = createStoredRevocations(storage, system);
  const feed = createRevocationFeed({ source, system });
  const published = createPublishedRevocations(source, feed);
  const askStanding = createStandingCheck(storage);
  await feed.catchUp();
  const housekeeping = startHousekeeping({ storage, system });

  async function toTokens(grant: Grant, user?: User): Promise<Tokens> {
    const { issuedAt, accessExpiresAt } = grant;
    const claims = {
      sub: String(grant.userId),
      sid: String(grant.sessionId),
      epoch: grant.userEpoch,
      iat: issuedAt,
      exp: accessExpiresAt,
      typ: ACCESS_TYPE,
    };
    return {
      accessToken: signer.sign(claims, customClaims && (await readCustomClaims(grant.userId, user))),
      refreshToken: grant.refreshToken,
      tokenType: "Bearer",
      expiresIn: accessExpiresAt - issuedAt,
      sessionId: String(grant.sessionId),
      generation: grant.generation,
    };
  }

  async function readCustomClaims(userId: number, known?: User): Promise<Readonly<Record<string, unknown>>> {
    const user = known ?? (await users.byId(userId));
    if (!user) throw new AuthError("session_ended", { reason: "the user is gone" });
    return (await customClaims?.(user)) ?? {};
  }

  /** Commits an end and makes it known here before it is acknowledged. */
  async function end(statements: readonly Statement[]): Promise<boolean> {
    const written = await storage.write(statements);
    if (!written) return false;
    await feed.catchUp();
    return true;
  }

  return {
    register: (registration) => users.register(registration),

    async login(login, device = {}, { mode } = {}) {
      const { user, epoch, alongside } = await users.authenticate(login);
      return toTokens(await sessions.start({ id: user.id, epoch }, device, { mode, alongside }), user);
    },

    async refresh(refreshToken, refreshOptions, device = {}) {
      return toTokens(await sessions.refresh(refreshToken, device, refreshOptions));
    },

    async adopt(foreignToken, { userId, expiresAt, mode = "fixed", ...refreshOptions }, device = {}) {
      const epoch = await users.epochOf(userId);
      if (epoch === undefined) throw new AuthError("user_not_found", { reason: "the user is inactive or gone" });
      const token = await sessions.adopt(foreignToken, { id: userId, epoch }, device, { mode, expiresAt });
      return toTokens(await sessions.refresh(token, device, refreshOptions));
    },

    async logout(refreshToken) {
      await sessions.revoke(refreshToken);
    },

    authenticate(accessToken, { freshness = "feed" } = {}) {
      const claims = verifier.verify(accessToken);
      const subject = toSubject(claims);
      const identity: Identity = {
        userId: subject.userId,
        sessionId: claims.sid as string,
        claims,
        user: () => users.byId(subject.userId),
      };
      if (freshness === "token") return identity;
      if (freshness === "feed" && feed.isFresh()) {
        const reason = feed.find(subject);
        if (reason) throw takenBack(reason);
        return identity;
      }
      return askStanding(subject).then((reason) => {
        if (reason) throw takenBack(reason);
        return identity;
      });
    },

    async changePassword(identity, { currentPassword, newPassword }) {
      const change = await users.passwordChange(identity.userId, currentPassword, newPassword);
      const except = readId(identity.sessionId);
      const isChanged = await end([change, ...sessions.endAllStatements(identity.userId, "password", { except })]);
      // The hash that was checked is no longer there: somebody else has changed it.
      if (!isChanged) throw new AuthError("wrong_password", { reason: "the password changed at the same moment" });
    },

    users: {
      byId: users.byId,
      deactivate: (id) => end([queries.deactivateUser(id, system.now()), ...sessions.endAllStatements(id, "inactive")]),
      async reactivate(id) {
        return (await storage.write([queries.reactivateUser(id)]))?.[0]?.length === 1;
      },
      delete: (id) => end([queries.bumpEpoch(id), ...sessions.endAllStatements(id, "deleted"), queries.deleteUser(id)]),
    },

    sessions: {
      list: sessions.list,
      async end(userId, sessionId) {
        const id = readId(sessionId);
        return id !== undefined && (await sessions.end(userId, id));
      },
      async endAll(userId, { except } = {}) {
        const spared = except === undefined ? undefined : readId(except);
        await end([queries.bumpEpoch(userId), ...sessions.endAllStatements(userId, "all", { except: spared })]);
      },
    },

    revocations: { state: feed.state, since: published.since, answerWaiting: published.answerWaiting },

    async ping() {
      await storage.read(queries.feedHead());
    },

    async close() {
      feed.stop();
      housekeeping.stop();
      await storage.close();
    },
  };
}

/** @throws AuthError `token_invalid` for claims that no token of ours has. */
function toSubject(claims: Claims): TokenSubject {
  const subject = readSubject(claims);
  if (typeof subject === "string") throw new AuthError("token_invalid", { reason: subject });
  return subject;
}

/** All instances on one store go by its clock: a token that one issues is not from the future to another. */
function onStoreClock(system: System, storage: Storage): System {
  return { ...system, now: () => system.now() + storage.clockOffset };
}

function readLimit(limit: number): number {
  if (!Number.isSafeInteger(limit) || limit < 1) throw new TypeError("sessionLimit must be a whole number, at least 1");
  return limit;
}

function positive(duration: Duration, name: string): number {
  const value = parseDuration(duration, name);
  if (value < 1) throw new TypeError(`${name} must be at least one second`);
  return value;
}

export type { Device, FeedState, Login, RefreshOptions, Registration, Session, SessionEvent, SessionMode, User };
