/**
 * `createAuth`: users, sessions and tokens put together. The only file that knows all three.
 * Login is one read and one transaction; authenticating a bearer token is no I/O at all while the revocation feed is
 * fresh.
 */
import type { Auth, AuthOptions, Identity, Tokens } from "./auth-interface.ts";
import { AuthError } from "./errors.ts";
import { type Claims, createKeySet, createSigner, createVerifier, importKey, NO_AUDIENCE } from "./jwt/index.ts";
import { createPublishedRevocations } from "./revocations/published-revocations.ts";
import { createRevocationFeed } from "./revocations/revocation-feed.ts";
import type { TokenSubject } from "./revocations/revocation-index.ts";
import { takenBack } from "./revocations/taken-back.ts";
import { readId, readSubject } from "./revocations/token-subject.ts";
import { deriveKeys, secretProblem } from "./secrets.ts";
import { startHousekeeping } from "./sessions/housekeeping.ts";
import { createSessions, type Grant } from "./sessions/sessions.ts";
import { createStandingCheck } from "./sessions/standing.ts";
import { createStoredRevocations } from "./sessions/stored-revocations.ts";
import * as queries from "./storage/queries.ts";
import type { Statement, Storage } from "./storage/storage.ts";
import { type Duration, parseDuration, realSystem, type System } from "./system.ts";
import { createPasswordHasher } from "./users/password-hash.ts";
import { createUsers, type User } from "./users/users.ts";

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

  const longestAccessLife = Math.max(seconds.accessTtl, LONGEST_LIFE);
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
    maxLifetime: longestAccessLife,
    cache: CACHED_TOKENS,
  });

  const hasher = createPasswordHasher({
    system,
    ...(options.passwordFormat !== undefined && { format: options.passwordFormat }),
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
    longestAccessLife,
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

export type * from "./auth-interface.ts";
