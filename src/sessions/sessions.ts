/**
 * Sessions: started at login, carried on by refresh, ended for good.
 * Each refresh first tries one compare-and-set in the store; only when that returns no row is the session read and judged
 * by `refresh-rule.ts`. Whatever is decided is written as one guarded change, so a verdict that the world has overtaken
 * is taken back and judged again.
 */
import { createHmac, hash } from "node:crypto";
import type { Entry, Occurrence } from "../audit/audit.ts";
import { AuthError, type AuthErrorCode } from "../errors.ts";
import type { NumberedKeys } from "../secrets.ts";
import * as queries from "../storage/queries.ts";
import type { Row, Statement, Storage } from "../storage/storage.ts";
import type { System } from "../system.ts";
import { judgeRefresh, NO_ATTEMPT, REMEMBERED_ATTEMPTS } from "./refresh-rule.ts";
import { createRefreshTokenCodec, HANDLE_SIZE, hashAttempt, hashHandle } from "./refresh-token.ts";
import { type Device, type Session, toOrigin, toSession, toState } from "./session-row.ts";

/** What a login or a refresh leads to, before the access token is signed. */
export interface Grant {
  readonly userId: number;
  readonly sessionId: number;
  readonly userEpoch: number;
  readonly refreshToken: string;
  readonly generation: number;
  /** The `iat` and `exp` that an access token may be signed with, in seconds. */
  readonly issuedAt: number;
  readonly accessExpiresAt: number;
  /** When the refresh token was made and when it dies, in seconds: the same for everyone who is given this generation. */
  readonly refreshIssuedAt: number;
  readonly refreshExpiresAt: number;
}

export type SessionEvent =
  | { readonly type: "reuse"; readonly userId: number; readonly sessionId: number; readonly generation: number }
  | { readonly type: "generation_ahead"; readonly sessionId: number; readonly generation: number };

/** How a refresh went: "repeated" is a benign replay, "fixed" a session that does not rotate; or the code of the refusal. */
export type RefreshOutcome = "rotated" | "repeated" | "restored" | "fixed" | AuthErrorCode;

export interface SessionsOptions {
  readonly storage: Storage;
  readonly system: System;
  /** Derived under the label "refresh-token". */
  readonly keys: NumberedKeys;
  /** Derived under the label "adopt". */
  readonly adoptKeys: NumberedKeys;
  /** All in seconds. */
  readonly accessTtl: number;
  /** The longest life of an access token that is believed; those of an earlier setting may outlive `accessTtl`, the default. */
  readonly longestAccessLife?: number;
  readonly grace: number;
  readonly idleTtl: number;
  readonly maxAge: number;
  /** Live sessions a user may have; one more ends the oldest. */
  readonly limit: number;
  readonly onEvent: (event: SessionEvent) => void;
  /** Makes entries of the audit trail. Default: there is none. */
  readonly record?: (occurrence: Occurrence) => Entry;
  /** Told how each refresh went. */
  readonly onRefresh?: (outcome: RefreshOutcome) => void;
  /** Awaited after an end has been committed and before it is acknowledged. */
  readonly afterEnd: () => Promise<void>;
}

/** "fixed": the refresh token stays the same until the session expires, for clients that can't take a new one. */
export type SessionMode = "rotating" | "fixed";

/** Whose session it is; the epoch as it was when the password was checked. */
export interface SessionUser {
  readonly id: number;
  readonly epoch: number;
}

export interface StartOptions {
  readonly mode?: SessionMode | undefined;
  /** Seconds. Default: the maximal age, and the idle time for a fixed session. */
  readonly lifetime?: number | undefined;
  /** Why there was no password to check, for the audit trail. */
  readonly reason?: string;
  /** What commits together with the new session. */
  readonly alongside?: readonly Statement[];
}

export interface AdoptOptions {
  readonly mode: SessionMode;
  /** When the foreign token expires, in seconds since 1970. */
  readonly expiresAt: number;
}

export interface RefreshOptions {
  /** 22–64 base64url characters, the same at every retry of one refresh; excuses a late retry whose first answer was lost. */
  readonly attempt?: string | undefined;
  /** Aborted when the caller's connection has gone: then nobody is taken for a thief. */
  readonly signal?: AbortSignal | undefined;
  /** True when the caller's sessions are all fixed: no rotation is tried before the session is looked at. Wrong, it only costs a query. */
  readonly isFixed?: boolean | undefined;
}

export type Sessions = ReturnType<typeof createSessions>;

const statementOf = (entry: Entry | undefined): readonly Statement[] => (entry ? [entry.statement] : []);

const ATTEMPT_SHAPE = /^[A-Za-z0-9_-]{22,64}$/;
/** A verdict is overtaken only by another change of the same session; three in a row is a store that does not answer well. */
const MAX_ROUNDS = 5;
const NO_ATTEMPTS = NO_ATTEMPT.repeat(REMEMBERED_ATTEMPTS);
/** An answer that advances nothing may carry an access token of this part of its life without a write. */
const ENOUGH_LIFE = 0.5;

export function createSessions(options: SessionsOptions) {
  const {
    storage,
    system,
    accessTtl,
    grace,
    idleTtl,
    maxAge,
    limit,
    onEvent,
    onRefresh = () => {},
    afterEnd,
    record = () => undefined,
  } = options;
  const codec = createRefreshTokenCodec(options.keys);

  /** The row of a session that begins now. */
  function newSession(
    user: SessionUser,
    device: Device,
    { mode, handle, expiresAt }: { mode: SessionMode; handle: Uint8Array; expiresAt: number },
  ): queries.NewSession {
    const now = system.now();
    return {
      ...toOrigin(device),
      userId: user.id,
      userEpoch: user.epoch,
      handleHash: hashHandle(handle),
      mode,
      attempts: NO_ATTEMPTS,
      now,
      accessExpiresAt: Math.min(now + accessTtl, expiresAt),
      // A fixed session has nothing that could move its expiry.
      idleExpiresAt: mode === "fixed" ? expiresAt : Math.min(now + idleTtl, expiresAt),
      absoluteExpiresAt: expiresAt,
    };
  }

  /** Starts a session for a user whose epoch was read together with the password hash. */
  async function start(user: SessionUser, device: Device, startOptions: StartOptions = {}): Promise<Grant> {
    const { mode = "rotating", alongside = [], reason, lifetime = mode === "fixed" ? idleTtl : maxAge } = startOptions;
    const handle = system.randomBytes(HANDLE_SIZE);
    const session = newSession(user, device, { mode, handle, expiresAt: system.now() + lifetime });
    const entry = record({
      ...toOrigin(device),
      type: "signed_in",
      userId: user.id,
      handleHash: session.handleHash,
      reason,
    });
    const written = await storage.write([
      queries.insertSession(session),
      queries.sessionsBeyond(user.id, limit, session.now),
      ...alongside,
      ...statementOf(entry),
    ]);
    if (!written) throw new AuthError("invalid_credentials", { reason: "the password changed at the same moment" });
    const sessionId = written[0]?.[0]?.id as number;
    entry?.tell({ sessionId });
    for (const row of written[1] ?? []) await end(user.id, row.id as number, { reason: "limit" });
    return {
      userId: user.id,
      sessionId,
      userEpoch: user.epoch,
      refreshToken: codec.encode({ sessionId, generation: 0, handle }),
      generation: 0,
      issuedAt: session.now,
      accessExpiresAt: session.accessExpiresAt,
      refreshIssuedAt: session.now,
      refreshExpiresAt: session.idleExpiresAt,
    };
  }

  /**
   * Gives a refresh token that another system issued, and that the caller has verified, a session of ours.
   * Whoever brings the same token meets in the same session: its handle follows from the token.
   * @returns the session's first refresh token; spend it with `refresh`, which tells when the session has ended since.
   */
  async function adopt(
    foreignToken: string,
    user: SessionUser,
    device: Device,
    { mode, expiresAt }: AdoptOptions,
  ): Promise<string> {
    const adoptedFrom = hash("sha256", foreignToken, "base64url");
    const handleUnder = (key: Uint8Array) =>
      new Uint8Array(createHmac("sha256", key).update(adoptedFrom).digest().subarray(0, HANDLE_SIZE));
    const { adoptKeys } = options;
    const handle = handleUnder(adoptKeys.byNumber.get(adoptKeys.current) as Uint8Array);
    const session = { ...newSession(user, device, { mode, handle, expiresAt }), adoptedFrom };
    // Asked first: a client that goes on with the foreign token brings it again and again.
    let [known] = await storage.read(queries.adoptedSession(adoptedFrom));
    if (!known) {
      const reason = "by another system's token";
      const entry = record({
        ...toOrigin(device),
        type: "signed_in",
        userId: user.id,
        handleHash: session.handleHash,
        reason,
      });
      const [inserted] = (await storage.write([queries.insertSession(session), ...statementOf(entry)])) ?? [];
      if (inserted?.[0]) entry?.tell({ sessionId: inserted[0].id as number });
      if (inserted?.[0]) return codec.encode({ sessionId: inserted[0].id as number, generation: 0, handle });
      [known] = await storage.read(queries.adoptedSession(adoptedFrom));
    }
    // It may have been adopted under a secret that has since made way for another.
    for (const key of adoptKeys.byNumber.values()) {
      const candidate = handleUnder(key);
      if (known && hashHandle(candidate) === known.handle_hash) {
        return codec.encode({ sessionId: known.id as number, generation: 0, handle: candidate });
      }
    }
    throw new AuthError("session_ended", { reason: "the token was adopted, and its session is gone" });
  }

  /**
   * Applies the refresh rule to a presented token.
   * @throws AuthError 401 `refresh_token_invalid | session_ended | refresh_token_expired | refresh_token_reused`,
   *   409 `refresh_superseded`, 422 `input_invalid` for a malformed attempt id, 503 when the store or the secret is not there.
   */
  async function refresh(token: string, device: Device, refreshOptions: RefreshOptions = {}): Promise<Grant> {
    try {
      const { grant, outcome } = await spend(token, device, refreshOptions);
      onRefresh(outcome);
      return grant;
    } catch (error) {
      onRefresh(error instanceof AuthError ? error.code : "internal");
      throw error;
    }
  }

  async function spend(
    token: string,
    device: Device,
    { attempt, signal, isFixed }: RefreshOptions,
  ): Promise<{ readonly grant: Grant; readonly outcome: RefreshOutcome }> {
    if (attempt !== undefined && !ATTEMPT_SHAPE.test(attempt)) throw malformedAttempt();
    const presented = codec.decode(token);
    const { sessionId: id, generation: k, handle } = presented;
    const now = system.now();
    const handleHash = hashHandle(handle);
    const attemptHash = attempt === undefined ? undefined : hashAttempt(attempt);
    const origin = toOrigin(device);
    const accessExpiresAt = now + accessTtl;

    const grant = (row: Row, generation: number): Grant => ({
      userId: row.user_id as number,
      sessionId: id,
      userEpoch: row.user_epoch as number,
      refreshToken: codec.encode({ sessionId: id, generation, handle }),
      generation,
      issuedAt: now,
      accessExpiresAt: Math.min(accessExpiresAt, row.access_expires_at as number),
      refreshIssuedAt: row.rotated_at as number,
      refreshExpiresAt: row.idle_expires_at as number,
    });
    const advance = async (from: number, to: number, rotatedBefore: number): Promise<Grant | undefined> => {
      const rotation = {
        ...origin,
        id,
        handleHash,
        from,
        to,
        rotatedBefore,
        attempt: attemptHash ?? NO_ATTEMPT,
        noAttempt: NO_ATTEMPT,
        now,
        accessExpiresAt,
        idleExpiresAt: now + idleTtl,
      };
      const row = (await storage.write([queries.rotateSession(rotation)]))?.[0]?.[0];
      return row && grant(row, to);
    };

    // Optimism pays: nearly every refresh is the first use of the newest token, and this is all it costs.
    const always = now + 1;
    const advanced = isFixed ? undefined : await advance(k, k + 1, k === 0 || grace === 0 ? always : now - grace);
    if (advanced) return { grant: advanced, outcome: "rotated" };

    for (let round = 0; round < MAX_ROUNDS; round++) {
      const row = (await storage.read(queries.sessionByHandle(id, handleHash)))[0];
      if (!row) throw new AuthError("refresh_token_invalid", { reason: "no such session" });
      const verdict = judgeRefresh(toState(row), { generation: k, attempt: attemptHash, now, grace });
      switch (verdict.do) {
        case "refuse":
          throw new AuthError(verdict.code, { reason: verdict.reason });
        case "superseded":
          throw new AuthError("refresh_superseded", { reason: "a late duplicate of an attempt answered before" });
        case "rotate": {
          const again = await advance(k, k + 1, always);
          if (again) return { grant: again, outcome: "rotated" };
          break;
        }
        case "restore": {
          const restored = await advance(row.generation as number, k + 1, always);
          if (restored) {
            onEvent({ type: "generation_ahead", sessionId: id, generation: k });
            return { grant: restored, outcome: "restored" };
          }
          break;
        }
        case "repeat": {
          const remaining = (row.access_expires_at as number) - now;
          const outcome = row.mode === "fixed" ? "fixed" : "repeated";
          if (outcome === "repeated" && remaining > accessTtl * ENOUGH_LIFE) {
            return { grant: grant(row, verdict.generation), outcome };
          }
          // The row must know of every access token, or ending the session would not reach the last of them.
          const used = await storage.write([queries.useSession(id, verdict.generation, now, accessExpiresAt, origin)]);
          if (used?.[0]?.[0]) return { grant: grant(used[0][0], verdict.generation), outcome };
          break;
        }
        case "reuse": {
          // The token may look old only because its owner's retry overtook it: without a listener there is no verdict.
          if (signal?.aborted) throw new AuthError("request_invalid", { reason: "the caller has gone" });
          const reason = `generation ${k} came again`;
          const entry = record({
            ...origin,
            type: "refresh_reused",
            userId: row.user_id as number,
            sessionId: id,
            reason,
          });
          const ended = await storage.write([
            queries.endSession(id, handleHash, k, "reuse", now),
            queries.advanceFeed(),
            queries.feedSession(id, now + accessTtl, now),
            ...statementOf(entry),
          ]);
          if (!ended) break;
          entry?.tell();
          await afterEnd();
          onEvent({ type: "reuse", userId: row.user_id as number, sessionId: id, generation: k });
          throw new AuthError("refresh_token_reused", { reason: `generation ${k} was used again` });
        }
      }
    }
    throw new AuthError("store_unavailable", { reason: "the session changed under every attempt to judge it" });
  }

  /** Ends the session that a refresh token belongs to, whatever its generation. Ended already is as good. */
  async function revoke(token: string): Promise<{ readonly userId: number; readonly sessionId: number } | undefined> {
    const { sessionId, handle } = codec.decode(token);
    const handleHash = hashHandle(handle);
    const now = system.now();
    const entry = record({ type: "signed_out", sessionId });
    const ended = await storage.write([
      queries.endSession(sessionId, handleHash, -1, "logout", now),
      queries.advanceFeed(),
      queries.feedSession(sessionId, now + accessTtl, now),
      ...statementOf(entry),
    ]);
    const row = ended?.[0]?.[0];
    if (row) entry?.tell({ userId: row.user_id as number });
    if (row) await afterEnd();
    return row && { userId: row.user_id as number, sessionId };
  }

  /** Notes a logout where the session had ended with its user or by a limit. @returns false when the owner had ended it before. */
  async function noteLogout(token: string): Promise<boolean> {
    const { sessionId, handle } = codec.decode(token);
    return (await storage.write([queries.noteLogout(sessionId, hashHandle(handle))]))?.[0]?.length === 1;
  }

  /** Whether the session of a refresh token is over, for whatever reason but age. @throws AuthError `refresh_token_invalid`. */
  async function hasEnded(token: string): Promise<boolean> {
    const { sessionId, handle } = codec.decode(token);
    const row = (await storage.read(queries.sessionByHandle(sessionId, hashHandle(handle))))[0];
    return !row || row.ended_at !== null;
  }

  /** Ends one session of a user; false when the user has no such live session. */
  async function end(
    userId: number,
    sessionId: number,
    {
      reason = "ended",
      actorId,
    }: { readonly reason?: queries.SessionEndReason; readonly actorId?: number | undefined } = {},
  ): Promise<boolean> {
    const now = system.now();
    const why = reason === "limit" ? "more sessions than the limit" : undefined;
    const entry = record({ type: "session_ended", userId, sessionId, actorId, reason: why });
    const ended = await storage.write([
      queries.endSessionOf(userId, sessionId, reason, now),
      queries.advanceFeed(),
      queries.feedSession(sessionId, now + accessTtl, now),
      ...statementOf(entry),
    ]);
    if (!ended) return false;
    entry?.tell();
    await afterEnd();
    return true;
  }

  /** What ends every session of a user but `except` once the user's epoch has been bumped by the statement before it. */
  function endAllStatements(
    userId: number,
    reason: queries.SessionEndReason,
    { except }: { readonly except?: number | undefined } = {},
  ): Statement[] {
    const now = system.now();
    const isGone = reason === "inactive" || reason === "deleted";
    return [
      ...(except === undefined ? [] : [queries.carrySession(userId, except)]),
      queries.endSessionsOf(userId, except ?? 0, reason, now),
      queries.advanceFeed(),
      queries.feedUser(
        userId,
        except ?? null,
        isGone ? "inactive" : "ended",
        now + (options.longestAccessLife ?? accessTtl) + queries.FEED_SLACK,
        now,
      ),
    ];
  }

  /** The live sessions of a user, newest first. */
  async function list(userId: number): Promise<Session[]> {
    return (await storage.read(queries.liveSessions(userId, system.now()))).map(toSession);
  }

  return { start, adopt, refresh, revoke, noteLogout, hasEnded, end, endAllStatements, list };
}

const malformedAttempt = () =>
  new AuthError("input_invalid", {
    reason: "malformed attempt id",
    errors: [{ field: "attempt", message: "must be 22 to 64 characters of A-Z a-z 0-9 - _, or absent" }],
  });

export type { Device, Session };
