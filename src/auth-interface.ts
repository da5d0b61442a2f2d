/** The engine as its users see it: what it is given, what it gives, what it does. */
import type { Audit, AuditEntry, AuditEvent, AuditPage, AuditQuery, AuditType, Events } from "./audit/audit.ts";
import type { DialectTokens, TokenDialect } from "./dialect-tokens.ts";
import type { Algorithm, Jwks, StandardSchema, TokenExplanation, Verified } from "./jwt/index.ts";
import type { KeyInfo } from "./keys/key-record.ts";
import type { KeyEvent, RotateOptions } from "./keys/key-ring.ts";
import type { LimitOptions } from "./limits/login-limits.ts";
import type { AnsweredRequest, Metrics } from "./metrics/metrics.ts";
import type { Tracer } from "./metrics/tracing.ts";
import type { RevocationPage, SinceOptions } from "./revocations/published-revocations.ts";
import type { FeedState } from "./revocations/revocation-feed.ts";
import type { RootSecret } from "./secrets.ts";
import type { Device, RefreshOptions, Session, SessionEvent, SessionMode } from "./sessions/sessions.ts";
import type { Staff, UserChange } from "./staff.ts";
import type { Storage } from "./storage/storage.ts";
import type { Duration, System } from "./system.ts";
import type { UsersInPlaceOptions } from "./users/django-users.ts";
import type { FirstUser } from "./users/first-user.ts";
import type { HashEvent, PasswordFormat } from "./users/password-hash.ts";
import type { ListOptions, Login, Registration, User, UserName, UserPage } from "./users/users.ts";
import type { WatchOptions } from "./watch.ts";

export interface AuthOptions {
  /**
   * Signs access tokens of HS256, HS384 and HS512: text (its UTF-8 bytes are the key, as in PyJWT) or bytes, as long as the
   * algorithm's hash; or several with their numbers, of which the first signs and all are accepted.
   */
  readonly secret: RootSecret;
  /** `openSqlite("auth.db")`; `createAuth` creates the tables. */
  readonly storage: Storage;
  /** Users in a table that Django goes on using: `djangoUsers({ table: "auth_user" })`. Default: a table of ours. */
  readonly users?: UsersInPlaceOptions;
  /** `iss` of access tokens. Default "latchkey". */
  readonly issuer?: string;
  /** `aud` of access tokens; "none" leaves it out and does not require it, for verifiers that name no audience. Default "latchkey". */
  readonly audience?: string;
  /**
   * Signs access tokens; another one than the store's keys have is changed to when it has been published for long enough.
   * Default: as the store's keys are, HS256 in a new store.
   */
  readonly algorithm?: Algorithm;
  /** Key pairs: how they rotate, and how long others keep the JWKS. */
  readonly keys?: KeyOptions;
  /** The root of every derived key; default `secret`. Give one of its own where others hold `secret`. */
  readonly rootSecret?: RootSecret;
  /** Life of an access token. Default "15m". */
  readonly accessTtl?: Duration;
  /** The longest life of any access token, those of dialects and of earlier settings included. Default "1h", and at least `accessTtl`. */
  readonly longestAccessLife?: Duration;
  /**
   * Takes the access tokens of the django-ninja service as well: under `secret`, with `typ` "at+jwt" among the claims, no issuer and no audience. They
   * name no session, so the store is asked for their user each time. Whoever holds the secret can make them; switch it off when the last has expired.
   * Default false.
   */
  readonly allowTokensIssuedByDjango?: boolean;
  /** A session dies when it was not refreshed for so long. Default "30d". */
  readonly sessionIdleTtl?: Duration;
  /** No refresh carries a session past this age. Default "90d". */
  readonly sessionMaxAge?: Duration;
  /** How long a spent refresh token is answered with its successor. Default "20s"; "0s" is strict. */
  readonly refreshGrace?: Duration;
  /** Live sessions that a user may have; one more ends the oldest. Default 50. */
  readonly sessionLimit?: number;
  /** Claims to add to a user's access tokens; registered ones can't be overridden. Or a schema of them: see `TypedAuthOptions`. */
  readonly claims?: (user: User) => Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>;
  /** Judges a new password beyond the rules, such as against breached ones: what is wrong, or `undefined`. */
  readonly checkPassword?: (password: string) => Promise<string | undefined>;
  /**
   * What new password hashes are. Default "argon2id": hashes that Django made verify, and are made anew at the next login. "django" while a Django
   * still reads the same rows.
   */
  readonly passwordFormat?: PasswordFormat;
  /** Password hashes at once and waiting. Default: the cores but one, and 64. */
  readonly passwordQueue?: { readonly concurrency?: number; readonly limit?: number };
  /** How long entries of the audit trail are kept. Default "365d". */
  readonly auditRetention?: Duration;
  /** How often passwords may be guessed; `false` sets no limit, for measuring. Default: five at a name, a hundred from a network, then delays. */
  readonly limits?: LimitOptions | false;
  /** Told of stolen refresh tokens, stores that went back in time, what becomes of keys, and password hashes that can't be computed here. */
  readonly onEvent?: (event: SessionEvent | KeyEvent | HashEvent) => void;
  /** Makes spans of password hashes and of what the store is asked: `trace.getTracer("latchkey")` of `@opentelemetry/api`. Default: none. */
  readonly tracer?: Tracer;
  /** Time and randomness; for tests. */
  readonly system?: System;
}

/** The same where nothing may be changed: what is handed over to be signed may be `as const`. */
export type ReadonlyOf<Value> = Value extends (...rest: never) => unknown
  ? Value
  : { readonly [Name in keyof Value]: ReadonlyOf<Value[Name]> };

/** What has a type of its own for each value. */
export type Literal = string | number | boolean | null | undefined;

/** What goes into claims. That a value is a type variable makes the compiler keep "pro" where it would say `string`. */
export type ClaimsGiven<Value> = { readonly [name: string]: Value | object | readonly (Value | object)[] };

/** Options of an engine whose application claims have a type: `Output` where they are read, `Input` where they are issued. */
export interface TypedAuthOptions<Output extends object, Input, Given = ReadonlyOf<Input>>
  extends Omit<AuthOptions, "claims"> {
  /**
   * The application's claims: any Standard Schema (zod, valibot, arktype …) that answers at once. It is shown these claims and no others, when a token is
   * issued and when one is read; a token that does not fit, as after the schema was changed, is refused and its client refreshes.
   */
  readonly claims: StandardSchema<Output, Input>;
  /** What a user's claims are, as the schema takes them. They are read by whoever holds the token, so nothing secret. */
  readonly claimsOf: (user: User) => Given | Promise<Given>;
}

/** Nothing more where `Given` is what the schema takes; otherwise what it takes, so that the compiler says what is wrong. */
export type Fitting<Given, Input> = [Given] extends [ReadonlyOf<Input>]
  ? unknown
  : Pick<TypedAuthOptions<object, Input>, "claimsOf">;

export interface KeyOptions {
  /** A pair signs for so long, then the next one does. Default "30d". */
  readonly rotateEvery?: Duration;
  /** `max-age` of the JWKS. Default "5m". */
  readonly jwksMaxAge?: Duration;
  /** `stale-while-revalidate` of the JWKS. A key is published for both together before it signs. Default "10m". */
  readonly jwksStale?: Duration;
}

/** What a login or a refresh gives. */
export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly tokenType: "Bearer";
  /** Seconds until the access token expires. */
  readonly expiresIn: number;
  /** Seconds until the refresh token expires if it is not spent. */
  readonly refreshExpiresIn: number;
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

/** Who is behind an access token. Frozen, and the same object for every request with that token. */
export interface Identity<Application = unknown> {
  readonly userId: number;
  /** `undefined` only in tokens that Django issued (`allowTokensIssuedByDjango`). */
  readonly sessionId: string | undefined;
  readonly claims: Verified<Application>;
  /** Reads the user; `undefined` when it was deleted. */
  user(): Promise<User | undefined>;
}

export interface AuthenticateOptions {
  /**
   * How new the knowledge of ended sessions must be: "token" does not ask, "feed" asks the index in memory, "live" the
   * store. Default "feed"; over users in place, what `djangoUsers` says ("live").
   */
  readonly freshness?: "token" | "feed" | "live";
}

/** The metrics of an engine, and where its handlers say what they have answered. */
export interface EngineMetrics extends Metrics {
  countRequest(request: AnsweredRequest): void;
}

/** The engine. Its methods throw AuthError when they refuse. @typeParam Application the claims that its schema describes. */
export interface Auth<Application = unknown> {
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
  authenticate(
    accessToken: string,
    options?: AuthenticateOptions,
  ): Identity<Application> | Promise<Identity<Application>>;
  /**
   * Watches the token of a connection that stays open: the signal is aborted when the token expires or is taken back, with the AuthError as its reason;
   * at once when it is no good already, so look at `aborted` before you listen.
   * @param who an access token, or whom a guard or `authenticate` made of one: `auth.watch(request.auth)`. What this
   *   engine did not make is no good, a copy of it included.
   */
  watch(who: string | Identity, options?: WatchOptions): AbortSignal;
  /** Ends every session but the one that asks. @throws AuthError `wrong_password`, `input_invalid`, `user_not_found`. */
  changePassword(
    identity: Identity,
    change: { readonly currentPassword: string; readonly newPassword: string },
  ): Promise<void>;
  /** Tokens of another dialect over the same sessions; what `drfContract` and `simplejwtContract` are made of. */
  dialect(dialect: TokenDialect): DialectTokens;
  readonly users: {
    byId(id: number): Promise<User | undefined>;
    /** Active or not; `undefined` when there is none, or when several share an email. */
    find(name: UserName): Promise<User | undefined>;
    /** A page of users. @throws AuthError `input_invalid`. */
    list(options?: ListOptions): Promise<UserPage>;
    /**
     * Sets a password without knowing the one before, and ends all sessions.
     * @throws AuthError `input_invalid`, `user_not_found`, `busy`.
     */
    setPassword(id: number, password: string): Promise<void>;
    /** A role that is taken ends all sessions, and with them the tokens into which `claims` may have put it. @throws AuthError `user_not_found`. */
    setRoles(id: number, roles: { readonly isStaff?: boolean; readonly isSuperuser?: boolean }): Promise<User>;
    /** Takes a user out of service and ends all sessions; false when there was nothing to do. */
    deactivate(id: number): Promise<boolean>;
    reactivate(id: number): Promise<boolean>;
    delete(id: number): Promise<boolean>;
  };
  /** The first user of an empty store, who becomes staff. */
  readonly firstUser: FirstUser;
  /** What staff do to users, and whether they may: for requests of people. What is under `users` asks no leave. */
  readonly staff: Staff;
  readonly sessions: {
    /** Live ones, newest first. */
    list(userId: number): Promise<Session[]>;
    /**
     * Signs a user in without a password, for those who have shown otherwise who they are.
     * @throws AuthError `user_not_found` for one that is inactive or gone.
     */
    start(userId: number, device?: Device, options?: { readonly mode?: SessionMode }): Promise<Tokens>;
    /** False when the user has no such live session. */
    end(userId: number, sessionId: string): Promise<boolean>;
    endAll(userId: number, options?: { readonly except?: string | undefined }): Promise<void>;
    /** Signs everybody out, as after a database was restored. @returns how many users had sessions. */
    endEverybodys(): Promise<number>;
  };
  readonly keys: {
    /** All keys, also those that are not accepted any more, oldest first. */
    list(): Promise<KeyInfo[]>;
    /**
     * The next key signs from now on. @returns it.
     * @throws AuthError `input_invalid` where a secret signs, `busy` (with `retryAfter`) while the next key is too new.
     */
    rotate(options?: RotateOptions & { readonly actorId?: number | undefined }): Promise<KeyInfo>;
    /**
     * Refuses whatever a key has signed, at once and everywhere. @returns the key that signs now.
     * @throws AuthError `not_found`, `input_invalid` for the secret that signs.
     */
    compromise(kid: string, note?: string): Promise<KeyInfo>;
    /** The public keys, for others to verify with. */
    jwks(): Jwks;
    /** How long others may keep them, as Cache-Control says it. */
    readonly jwksCacheControl: string;
  };
  /** Who did what, when, from where; staff may ask for everything, users for their own. */
  readonly audit: Audit;
  /** The same as it happens. */
  readonly events: Events;
  readonly revocations: {
    /** How well this process knows what has been taken back; for metrics and readiness. */
    state(): FeedState;
    /** What has been taken back since a cursor, for services that hold no database. */
    since(cursor: string | undefined, options?: SinceOptions): Promise<RevocationPage>;
    /** Answers those who wait for the next entry: the server is going down. */
    answerWaiting(): void;
  };
  /** Why an access token is accepted or refused, check by check; for a person. What was taken back is not asked. */
  explain(accessToken: string): Promise<TokenExplanation>;
  /** What has been counted; `toPrometheus(auth.metrics)` writes it as Prometheus reads it. */
  readonly metrics: EngineMetrics;
  /** Rejects with `store_unavailable` when the store does not answer. */
  ping(): Promise<void>;
  /** Stops reading the feed and closes the storage. */
  close(): Promise<void>;
}

export type {
  DialectIdentity,
  DialectTokenPair,
  DialectTokens,
  TokenDialect,
  TokenFault,
} from "./dialect-tokens.ts";
export type {
  Audit,
  AuditEntry,
  AuditEvent,
  AuditPage,
  AuditQuery,
  AuditType,
  Device,
  Events,
  FeedState,
  FirstUser,
  HashEvent,
  KeyEvent,
  KeyInfo,
  LimitOptions,
  ListOptions,
  Login,
  PasswordFormat,
  RefreshOptions,
  Registration,
  RotateOptions,
  Session,
  SessionEvent,
  SessionMode,
  Staff,
  User,
  UserChange,
  UserName,
  UserPage,
};
