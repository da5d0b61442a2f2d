/**
 * `createAuth`: users, sessions and tokens put together. The only file that knows all three.
 * Login is one read and one transaction; authenticating a bearer token is no I/O at all while the revocation feed is
 * fresh.
 */

import { createAccessTokens } from "./access-tokens.ts";
import { createTrail, type Occurrence } from "./audit/audit.ts";
import type {
  Auth,
  AuthOptions,
  ClaimsGiven,
  Fitting,
  KeyOptions,
  Literal,
  Tokens,
  TypedAuthOptions,
} from "./auth-interface.ts";
import { createDialectTokens } from "./dialect-tokens.ts";
import { AuthError } from "./errors.ts";
import { isSchema, ofApplication, refuseMisfit } from "./jwt/claims-schema.ts";
import {
  algorithms,
  allowUnscopedTokensOf,
  createKeySet,
  createSigner,
  createVerifier,
  explainToken,
  importKey,
  NO_AUDIENCE,
  type SecretAlgorithm,
  type StandardSchema,
} from "./jwt/index.ts";
import { openKeyRing } from "./keys/key-ring.ts";
import { type OptionNames, refuseUnknownOptions } from "./known-options.ts";
import { type Attempt, createLoginLimits } from "./limits/login-limits.ts";
import { feedMetrics, observeHashes } from "./metrics/engine-metrics.ts";
import { createMetrics, outcomeOf } from "./metrics/metrics.ts";
import { observeStorage } from "./metrics/observed-storage.ts";
import { createTrace } from "./metrics/tracing.ts";
import { createPublishedRevocations } from "./revocations/published-revocations.ts";
import { createRevocationFeed, type FeedSource } from "./revocations/revocation-feed.ts";
import { readId } from "./revocations/token-subject.ts";
import { deriveKeys, toNumberedSecrets } from "./secrets.ts";
import { startHousekeeping } from "./sessions/housekeeping.ts";
import { createSessions, type Device, type Grant } from "./sessions/sessions.ts";
import { createStandingCheck } from "./sessions/standing.ts";
import { createStoredRevocations } from "./sessions/stored-revocations.ts";
import { registerSight } from "./sight-registry.ts";
import { createStaff } from "./staff.ts";
import * as queries from "./storage/queries.ts";
import type { Statement, Storage } from "./storage/storage.ts";
import { ownUsers } from "./storage/user-statements.ts";
import { usersInPlace } from "./storage/users-in-place.ts";
import { type Duration, parseDuration, realSystem, type System } from "./system.ts";
import { createFirstUser } from "./users/first-user.ts";
import { createPasswordHasher } from "./users/password-hash.ts";
import { type Authenticated, createUsers, type Login, type User } from "./users/users.ts";
import { createWatch } from "./watch.ts";

const DEFAULT_NAME = "latchkey";
const ACCESS_TYPE = "at+jwt";
/** Claims of ours, beside the registered ones. */
const OWN_CLAIMS = ["sid", "epoch", "typ"];
/** Seconds. Tokens that were issued before `accessTtl` was lowered stay good. */
const LONGEST_LIFE = 60 * 60;
/** Seconds that a key verifies beyond the life of a token: an instance may not know for so long that it signs no more, and clocks differ. */
const SIGNING_SLACK = 30 + queries.FEED_SLACK;
/** Users whose sessions are ended side by side. */
const ENDED_AT_ONCE = 64;
/** Refusals that say something of a password. */
const PASSWORD_VERDICTS: ReadonlySet<string> = new Set(["invalid_credentials", "wrong_password"]);
/** Seconds by which the clocks of two instances may differ. */
const TOLERANCE = 5;

const OPTIONS = {
  secret: true,
  storage: true,
  users: true,
  issuer: true,
  audience: true,
  algorithm: true,
  keys: true,
  rootSecret: true,
  accessTtl: true,
  longestAccessLife: true,
  allowTokensIssuedByDjango: true,
  sessionIdleTtl: true,
  sessionMaxAge: true,
  refreshGrace: true,
  sessionLimit: true,
  claims: true,
  claimsOf: true,
  checkPassword: true,
  passwordFormat: true,
  passwordQueue: true,
  auditRetention: true,
  limits: true,
  onEvent: true,
  tracer: true,
  system: true,
} as const satisfies OptionNames<AuthOptions & TypedAuthOptions<object, unknown>>;
const KEY_OPTIONS = { rotateEvery: true, jwksMaxAge: true, jwksStale: true } as const satisfies OptionNames<KeyOptions>;
const QUEUE_OPTIONS = { concurrency: true, limit: true } as const satisfies OptionNames<
  NonNullable<AuthOptions["passwordQueue"]>
>;

/**
 * Composes an engine over a store; creates or upgrades the store's tables.
 * @throws TypeError for a weak secret or an option out of range; rejects when the store can't be used.
 */
export function createAuth<Output extends object, Input, Value extends Literal, Given extends ClaimsGiven<Value>>(
  options: TypedAuthOptions<Output, Input, Given> & Fitting<Given, Input>,
): Promise<Auth<Output>>;
export function createAuth(options: AuthOptions): Promise<Auth>;
export async function createAuth(options: AuthOptions | TypedAuthOptions<object, unknown>): Promise<Auth> {
  refuseUnmeant(options);
  const { secret } = options;
  const { schema, customClaims } = readClaimsOptions(options);
  const inPlace = options.users && usersInPlace(options.storage, options.users);
  const trace = createTrace(options.tracer);
  const observed = observeStorage(inPlace?.storage ?? options.storage, trace);
  const { storage } = observed;
  const { metrics, counters } = createMetrics();
  const onEvent: NonNullable<AuthOptions["onEvent"]> = (event) => {
    counters.event(event.type);
    options.onEvent?.(event);
  };
  const userStatements = inPlace?.statements ?? ownUsers;
  const usualFreshness = options.users?.freshness ?? "feed";
  const system = onStoreClock(options.system ?? realSystem, storage);
  const root = options.rootSecret ?? secret;
  const sealingKeys = deriveKeys(root, "key-ring");
  const seconds = {
    accessTtl: positive(options.accessTtl ?? "15m", "accessTtl"),
    idleTtl: positive(options.sessionIdleTtl ?? "30d", "sessionIdleTtl"),
    maxAge: positive(options.sessionMaxAge ?? "90d", "sessionMaxAge"),
    grace: parseDuration(options.refreshGrace ?? "20s", "refreshGrace"),
  };

  const longestAccessLife = Math.max(
    seconds.accessTtl,
    positive(options.longestAccessLife ?? LONGEST_LIFE, "longestAccessLife"),
  );
  const jwks = {
    maxAge: parseDuration(options.keys?.jwksMaxAge ?? "5m", "keys.jwksMaxAge"),
    stale: parseDuration(options.keys?.jwksStale ?? "10m", "keys.jwksStale"),
  };
  const rotateEvery = positive(options.keys?.rotateEvery ?? "30d", "keys.rotateEvery");
  await storage.migrate();
  await inPlace?.check();
  const ring = await openKeyRing({
    storage,
    system,
    secrets: secret,
    sealingKeys,
    algorithm: options.algorithm,
    times: { rotateEvery, lead: jwks.maxAge + jwks.stale, verifiesFor: longestAccessLife + SIGNING_SLACK },
    onEvent,
  });
  const tokens = {
    keys: ring.keys,
    issuer: options.issuer ?? DEFAULT_NAME,
    audience: options.audience === "none" ? NO_AUDIENCE : (options.audience ?? DEFAULT_NAME),
    typ: ACCESS_TYPE,
    system,
  } as const;
  const signer = createSigner({ ...tokens, ttl: seconds.accessTtl });
  // No cache: access-tokens.ts keeps what is made of the claims.
  const verifier = createVerifier({
    ...tokens,
    claimValues: { typ: ACCESS_TYPE },
    ...(schema && { claims: schema }),
    maxLifetime: longestAccessLife,
    tolerance: TOLERANCE,
  });

  const foreignVerifiers = !options.allowTokensIssuedByDjango
    ? []
    : toNumberedSecrets(secret).map(({ secret: one }) => {
        const key = importKey(typeof one === "string" ? Buffer.from(one) : one, {
          alg: toSecretAlgorithm(options.algorithm),
        });
        return createVerifier({
          keys: createKeySet([key]),
          ...allowUnscopedTokensOf.ninjaService(),
          ...(schema && { claims: schema }),
          system,
        });
      });

  const hashes = observeHashes(
    createPasswordHasher({
      system,
      ...(options.passwordFormat !== undefined && { format: options.passwordFormat }),
      ...(options.passwordQueue?.concurrency !== undefined && { concurrency: options.passwordQueue.concurrency }),
      ...(options.passwordQueue?.limit !== undefined && { queueLimit: options.passwordQueue.limit }),
      onEvent,
    }),
    trace,
  );
  const { hasher } = hashes;
  const users = createUsers({
    storage,
    system,
    hasher,
    checkPassword: options.checkPassword,
    statements: userStatements,
  });
  await users.meetHashes();
  const trail = createTrail(storage, system);
  const limits = createLoginLimits(storage, system, options.limits);
  const refreshKeys = deriveKeys(root, "refresh-token");
  const sessionsOptions = {
    storage,
    system,
    keys: refreshKeys,
    adoptKeys: deriveKeys(root, "adopt"),
    ...seconds,
    longestAccessLife,
    limit: readLimit(options.sessionLimit ?? 50),
    onEvent,
    onRefresh: counters.refresh,
    record: trail.entry,
    afterEnd: () => feed.catchUp(),
  };
  const sessions = createSessions(sessionsOptions);
  const stored = createStoredRevocations(storage);
  // Read together, so that a feed that is fresh says that the keys are.
  const source: FeedSource = {
    ...stored,
    readAfter: async (...position) => (await Promise.all([stored.readAfter(...position), ring.catchUp()]))[0],
  };
  const longestLife = seconds.accessTtl + queries.FEED_SLACK;
  const feed = createRevocationFeed({ source, system, longestLife });
  const published = createPublishedRevocations(source, feed);
  await feed.catchUp();
  const { authenticate, identify, refuseTakenBack, sightFor, tokenOf } = createAccessTokens({
    verifier,
    tolerance: TOLERANCE,
    foreignVerifiers,
    ring,
    feed,
    askStanding: createStandingCheck(storage),
    userOf: users.byId,
    usualFreshness,
    system,
    counters,
  });
  const housekeeping = startHousekeeping({
    storage,
    system,
    longestLife,
    auditKept: positive(options.auditRetention ?? "365d", "auditRetention"),
  });
  metrics.add(...hashes.sources, ...feedMetrics(feed.state), ...observed.sources);

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
      refreshExpiresIn: Math.max(0, grant.refreshExpiresAt - issuedAt),
      sessionId: String(grant.sessionId),
      generation: grant.generation,
    };
  }

  async function readCustomClaims(userId: number, known?: User): Promise<Readonly<Record<string, unknown>>> {
    const user = known ?? (await users.byId(userId));
    if (!user) throw new AuthError("session_ended", { reason: "the user is gone" });
    return (await customClaims?.(user)) ?? {};
  }

  /** Calls back when a session, a user or a key may have been taken back. */
  function onTakenBack(listener: () => void): () => void {
    const stops = [feed.onEntries(listener), ring.onChange(listener)];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** Commits an end and makes it known here before it is acknowledged. */
  async function end(statements: readonly Statement[]): Promise<boolean> {
    const written = await storage.write(statements);
    if (!written) return false;
    await feed.catchUp();
    return true;
  }

  /** As `end`, entered in the audit trail. */
  async function endAndTell(happened: Occurrence, statements: readonly Statement[]): Promise<boolean> {
    const { statement, tell } = trail.entry(happened);
    const isDone = await end([...statements, statement]);
    if (isDone) tell();
    return isDone;
  }

  /** Counts how something ends. */
  async function counting<T>(count: (outcome: string) => void, success: string, work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      count(success);
      return result;
    } catch (error) {
      count(outcomeOf(error));
      throw error;
    }
  }

  /** Lets a password be shown, within the limits. `undecided` where nobody looked at it: the store or the queue refused. */
  async function withinLimits<T>(
    ip: string | undefined,
    work: (attempt: Attempt) => Promise<T>,
    onRefusal: (type: "refused" | "limited", reason: string) => void | Promise<void>,
  ): Promise<T> {
    const attempt = limits.begin(ip);
    // Until somebody has said that nobody looked: what breaks while a password is looked at must not make guesses free.
    let outcome: Parameters<Attempt["end"]>[0] = "refused";
    try {
      const result = await work(attempt);
      outcome = "granted";
      return result;
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      const isVerdict = PASSWORD_VERDICTS.has(error.code);
      if (!isVerdict) outcome = "undecided";
      if (isVerdict) await onRefusal("refused", error.reason);
      if (error.code === "rate_limited") await onRefusal("limited", error.reason);
      throw error;
    } finally {
      await attempt.end(outcome);
    }
  }

  /** Checks a password, within the limits, and has what follows begun. */
  function signIn<T>(
    login: Login,
    device: Device,
    { isExact = false },
    begin: (who: Authenticated) => Promise<T>,
  ): Promise<T> {
    const { ip, userAgent } = device;
    let userId: number | undefined;
    return withinLimits(
      ip,
      async (attempt) => {
        const admit = async (account: string, id: number | undefined) => {
          userId = id;
          // Asked only where it matters, and again after the store has written: the queue may have filled meanwhile.
          const favour = async () => hasher.gate.isBusy && (await attempt.isFavoured(account));
          const isFavoured = await favour();
          // A flood is turned away before it makes the store write.
          if (!isFavoured && hasher.gate.isFull) throw new AuthError("busy", { reason: "the password queue is full" });
          await attempt.admit(account);
          return { isFavoured: isFavoured || (await favour()) };
        };
        const who = await users.authenticate(login, { isExact, admit });
        return begin({ ...who, alongside: [...who.alongside, ...attempt.granted()] });
      },
      (type, reason) => {
        const occurrence = { userId, ip, userAgent, reason };
        if (type === "refused") return trail.note({ ...occurrence, type: "sign_in_refused" });
        trail.tell({ ...occurrence, type: "sign_in_limited" });
      },
    );
  }

  const firstUser = createFirstUser({ storage, system, users, isElsewhere: inPlace !== undefined });
  const { staff, apply } = createStaff({
    users,
    sessions,
    statements: userStatements,
    system,
    commit: end,
    record: trail.entry,
  });

  const auth: Auth = {
    register: (registration) =>
      counting(counters.registration, "done", async () => {
        const user = await users.register(registration);
        await trail.note({ type: "registered", userId: user.id });
        return user;
      }),

    login: (login, device = {}, { mode } = {}) =>
      counting(counters.login, "granted", async () => {
        await ring.readyToSign();
        return signIn(login, device, {}, async ({ user, epoch, alongside }) =>
          toTokens(await sessions.start({ id: user.id, epoch }, device, { mode, alongside }), user),
        );
      }),

    async refresh(refreshToken, refreshOptions, device = {}) {
      await ring.readyToSign();
      return toTokens(await sessions.refresh(refreshToken, device, refreshOptions));
    },

    async adopt(foreignToken, { userId, expiresAt, mode = "fixed", ...refreshOptions }, device = {}) {
      await ring.readyToSign();
      const epoch = await users.epochOf(userId);
      if (epoch === undefined) throw new AuthError("user_not_found", { reason: "the user is inactive or gone" });
      const token = await sessions.adopt(foreignToken, { id: userId, epoch }, device, { mode, expiresAt });
      return toTokens(await sessions.refresh(token, device, refreshOptions));
    },

    async logout(refreshToken) {
      await sessions.revoke(refreshToken);
    },

    authenticate,

    dialect(dialect) {
      return createDialectTokens(
        {
          system,
          secret,
          algorithm: toSecretAlgorithm(options.algorithm),
          refreshKeys,
          envelopeKeys: deriveKeys(root, "refresh-envelope"),
          longestAccessLife,
          maxAge: seconds.maxAge,
          users,
          signIn: (login, device, begin) =>
            counting(counters.login, "granted", () => signIn(login, device, { isExact: true }, begin)),
          countVerification: (error) => (error === undefined ? counters.accepted() : counters.refused(error)),
          createSessions: (ttl) => createSessions({ ...sessionsOptions, ...ttl }),
          customClaims,
          judge: refuseTakenBack,
        },
        dialect,
      );
    },

    watch: createWatch({ authenticate: identify, tokenOf, onEntries: onTakenBack, system }),

    async changePassword(identity, { currentPassword, newPassword }) {
      const { userId } = identity;
      // A stolen access token is no leave to guess. Counted apart, so that guesses at the login keep nobody from changing theirs.
      const sessionId = readId(identity.sessionId);
      const work = async (attempt: Attempt) => {
        await attempt.admit(`change ${userId}`);
        const change = await users.passwordChange(userId, currentPassword, newPassword);
        const ends = sessions.endAllStatements(userId, "password", { except: sessionId });
        const happened = { type: "password_changed", userId, sessionId } as const;
        const isChanged = await endAndTell(happened, [...change, ...ends, ...attempt.granted()]);
        // The hash that was checked is no longer there: somebody else has changed it.
        if (!isChanged) throw new AuthError("wrong_password", { reason: "the password changed at the same moment" });
      };
      await withinLimits(undefined, work, (type, reason) => {
        const occurrence = { type: "password_change_refused", userId, sessionId, reason } as const;
        return type === "refused" ? trail.note(occurrence) : trail.tell(occurrence);
      });
    },

    users: {
      byId: users.byId,
      find: users.find,
      list: users.list,
      async setPassword(id, password) {
        const reset = await users.passwordReset(id, password);
        const ends = sessions.endAllStatements(id, "password");
        const isSet = await endAndTell({ type: "password_set", userId: id }, [...reset, ...ends]);
        if (!isSet) throw new AuthError("user_not_found", { reason: "the user was deleted at the same moment" });
      },
      setRoles: (id, { isStaff, isSuperuser }) => apply(id, { isStaff, isSuperuser }),
      deactivate: (id) =>
        endAndTell({ type: "deactivated", userId: id }, [
          ...userStatements.deactivate(id, system.now()),
          ...sessions.endAllStatements(id, "inactive"),
        ]),
      async reactivate(id) {
        const isDone = (await storage.write([userStatements.reactivate(id)]))?.[0]?.length === 1;
        if (isDone) await trail.note({ type: "reactivated", userId: id });
        return isDone;
      },
      async delete(id) {
        const deletion = userStatements.delete(id);
        if (!deletion) {
          throw new AuthError("input_invalid", {
            reason: "users in place are not deleted",
            errors: [
              {
                field: "id",
                message: "is deleted in Django, which knows what else belongs to a user; deactivate it here",
              },
            ],
          });
        }
        const ends = sessions.endAllStatements(id, "deleted");
        return endAndTell({ type: "deleted", userId: id }, [userStatements.bumpEpoch(id), ...ends, deletion]);
      },
    },

    firstUser: {
      offer: firstUser.offer,
      async register(token, registration) {
        const user = await firstUser.register(token, registration);
        await trail.note({ type: "registered", userId: user.id, reason: "as the first user, who is staff" });
        return user;
      },
    },
    staff,

    sessions: {
      list: sessions.list,
      async start(userId, device = {}, { mode } = {}) {
        await ring.readyToSign();
        const epoch = await users.epochOf(userId);
        if (epoch === undefined) throw new AuthError("user_not_found", { reason: "the user is inactive or gone" });
        return toTokens(await sessions.start({ id: userId, epoch }, device, { mode, reason: "without a password" }));
      },
      async end(userId, sessionId) {
        const id = readId(sessionId);
        return id !== undefined && (await sessions.end(userId, id));
      },
      async endAll(userId, { except } = {}) {
        const spared = except === undefined ? undefined : readId(except);
        const ends = sessions.endAllStatements(userId, "all", { except: spared });
        const reason = spared === undefined ? undefined : "all but the one that asked";
        await endAndTell({ type: "sessions_ended", userId, sessionId: spared, reason }, [
          userStatements.bumpEpoch(userId),
          ...ends,
        ]);
      },
      async endEverybodys() {
        let count = 0;
        for (let after = 0; ; ) {
          const ids = (await storage.read(queries.usersWithSessions(after, ENDED_AT_ONCE))).map(
            (row) => row.user_id as number,
          );
          if (ids.length === 0) break;
          // One transaction for each user, so that nobody who signs in meanwhile waits for the whole.
          await Promise.all(
            ids.map((id) => storage.write([userStatements.bumpEpoch(id), ...sessions.endAllStatements(id, "all")])),
          );
          count += ids.length;
          after = ids.at(-1) as number;
        }
        await feed.catchUp();
        return count;
      },
    },

    keys: {
      list: ring.list,
      async rotate({ actorId, ...rotation } = {}) {
        const before = ring.keys.signingKey?.kid;
        const key = await ring.rotate(rotation);
        if (key.kid !== before) await trail.note({ type: "key_rotated", actorId, reason: `${key.kid} signs` });
        return key;
      },
      async compromise(kid, note) {
        const key = await ring.compromise(kid, note);
        await trail.note({ type: "key_compromised", reason: `${kid} is refused` });
        return key;
      },
      jwks: ring.jwks,
      jwksCacheControl: `public, max-age=${jwks.maxAge}, stale-while-revalidate=${jwks.stale}`,
    },

    async explain(accessToken) {
      await ring.catchUp();
      try {
        return explainToken(accessToken, verifier);
      } finally {
        ring.takeMissedKid();
      }
    },

    metrics: { ...metrics, countRequest: counters.request },

    audit: trail.audit,
    events: trail.events,

    revocations: { state: feed.state, since: published.since, answerWaiting: published.answerWaiting },

    async ping() {
      await storage.read(queries.feedHead());
    },

    async close() {
      feed.stop();
      housekeeping.stop();
      await ring.close();
      await storage.close();
    },
  };
  registerSight(auth, sightFor);
  return auth;
}

/** @throws TypeError for what would otherwise be passed over, or fail somewhere inside. */
function refuseUnmeant(options: AuthOptions | TypedAuthOptions<object, unknown>): void {
  refuseUnknownOptions(options, OPTIONS, "createAuth");
  const { secret, storage, algorithm, keys, passwordQueue } = options;
  if (secret === undefined || secret === null)
    throw new TypeError("secret is missing: give createAuth a long random text, such as JWT_SECRET_KEY holds");
  if (typeof (storage as Partial<Storage> | undefined)?.migrate !== "function")
    throw new TypeError('storage is what openSqlite("auth.db") or openPostgres(url) gives');
  if (algorithm !== undefined && !algorithms.includes(algorithm))
    throw new TypeError(`algorithm is one of ${algorithms.join(", ")}, not ${JSON.stringify(algorithm)}`);
  if (keys !== undefined) refuseUnknownOptions(keys, KEY_OPTIONS, "keys of createAuth");
  if (passwordQueue !== undefined) refuseUnknownOptions(passwordQueue, QUEUE_OPTIONS, "passwordQueue of createAuth");
}

/** What the options say of the application's claims. */
interface ClaimsOptions {
  readonly schema: StandardSchema<object> | undefined;
  readonly customClaims: AuthOptions["claims"];
}

/** @throws TypeError where one of the two is missing or no such thing. */
function readClaimsOptions(options: AuthOptions | TypedAuthOptions<object, unknown>): ClaimsOptions {
  const { claims, claimsOf } = options as AuthOptions & { readonly claimsOf?: unknown };
  if (!isSchema(claims)) {
    if (claimsOf !== undefined)
      throw new TypeError("claimsOf goes with a schema in claims; without one, claims is the function");
    if (claims !== undefined && typeof claims !== "function")
      throw new TypeError("claims is a function of a user, or a Standard Schema beside claimsOf");
    return { schema: undefined, customClaims: claims };
  }
  if (typeof claimsOf !== "function")
    throw new TypeError("claims is a schema, so claimsOf has to say what a user's claims are");
  const schema = ofApplication(claims, OWN_CLAIMS);
  return {
    schema,
    async customClaims(user) {
      const given = await claimsOf(user);
      if (typeof given !== "object" || given === null) throw new TypeError("claimsOf has to give an object");
      refuseMisfit(schema, given);
      return given;
    },
  };
}

/** Dialects sign with the secret whatever the engine's own tokens are signed with. */
function toSecretAlgorithm(algorithm: AuthOptions["algorithm"]): SecretAlgorithm {
  return algorithm === "HS384" || algorithm === "HS512" ? algorithm : "HS256";
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

export type * from "./auth-interface.ts";
export { TokenRefusal } from "./dialect-tokens.ts";
export { type DjangoUsersOptions, djangoUsers } from "./users/django-users.ts";
