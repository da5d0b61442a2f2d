/**
 * The revocation index: which access tokens have been taken back before their time, in memory.
 * Nearly every token is fine, so the index holds only what was ended and only until the last token it could match
 * has died. Looking one token up is a few map reads and no I/O.
 */

/** One entry of the feed: a session, a user below an epoch, or all tokens without a session from before an instant. */
export interface Revocation {
  readonly position: number;
  readonly sessionId: number | undefined;
  readonly userId: number | undefined;
  readonly epoch: number | undefined;
  readonly exceptSessionId: number | undefined;
  /** Tokens without a session id issued before this instant. */
  readonly issuedBefore: number | undefined;
  /** Why, as far as a guard tells it: an "inactive" user is not found, anything else is an ended session. */
  readonly reason: "ended" | "inactive";
  /** Seconds; the last token that it could match has died by then. */
  readonly expiresAt: number;
}

/** What the index looks at in a token. */
export interface TokenSubject {
  readonly userId: number;
  readonly sessionId: number | undefined;
  readonly epoch: number;
  readonly issuedAt: number;
}

export interface RevocationIndex {
  add(revocation: Revocation): void;
  /** Why the token was taken back; `undefined` when it was not. */
  find(token: TokenSubject): Revocation["reason"] | undefined;
  /** Drops what has expired by `now`. */
  sweep(now: number): void;
  clear(): void;
  readonly size: number;
}

interface UserEntry {
  readonly epoch: number;
  readonly exceptSessionId: number | undefined;
  readonly reason: Revocation["reason"];
  readonly expiresAt: number;
}

export function createRevocationIndex(): RevocationIndex {
  /** Session id → when the entry expires. */
  const sessions = new Map<number, number>();
  const users = new Map<number, UserEntry[]>();
  let userEntryCount = 0;
  let foreign = { issuedBefore: 0, expiresAt: 0 };

  return {
    add({ sessionId, userId, epoch, exceptSessionId, issuedBefore, reason, expiresAt }) {
      if (sessionId !== undefined) sessions.set(sessionId, Math.max(expiresAt, sessions.get(sessionId) ?? 0));
      if (userId !== undefined && epoch !== undefined) {
        const known = users.get(userId);
        // An entry covers every lower one, unless that one catches a session which this one spares.
        const standing = known?.filter(
          (e) => e.epoch > epoch || (exceptSessionId !== undefined && e.exceptSessionId !== exceptSessionId),
        );
        // What it covers may have had longer to live: the setting may have changed, or the clock gone back.
        const lastsUntil = Math.max(expiresAt, ...(known ?? []).map((e) => e.expiresAt));
        const entry = { epoch, exceptSessionId, reason, expiresAt: lastsUntil };
        userEntryCount += (standing?.length ?? 0) + 1 - (known?.length ?? 0);
        // Spreading into a literal keeps room for more, which nearly no user needs: it doubled the index.
        users.set(userId, standing?.length ? [...standing, entry] : [entry]);
      }
      if (issuedBefore !== undefined) {
        foreign = {
          issuedBefore: Math.max(issuedBefore, foreign.issuedBefore),
          expiresAt: Math.max(expiresAt, foreign.expiresAt),
        };
      }
    },

    find({ userId, sessionId, epoch, issuedAt }) {
      const entries = users.get(userId);
      if (entries) {
        let isEnded = false;
        for (const entry of entries) {
          if (epoch >= entry.epoch) continue;
          if (entry.exceptSessionId !== undefined && entry.exceptSessionId === sessionId) continue;
          if (entry.reason === "inactive") return "inactive";
          isEnded = true;
        }
        if (isEnded) return "ended";
      }
      if (sessionId !== undefined) return sessions.has(sessionId) ? "ended" : undefined;
      return issuedAt < foreign.issuedBefore ? "ended" : undefined;
    },

    sweep(now) {
      for (const [id, expiresAt] of sessions) if (expiresAt <= now) sessions.delete(id);
      for (const [id, entries] of users) {
        const standing = entries.filter((entry) => entry.expiresAt > now);
        userEntryCount -= entries.length - standing.length;
        if (standing.length === 0) users.delete(id);
        else if (standing.length < entries.length) users.set(id, standing);
      }
      if (foreign.expiresAt <= now) foreign = { issuedBefore: 0, expiresAt: 0 };
    },

    clear() {
      sessions.clear();
      users.clear();
      userEntryCount = 0;
      foreign = { issuedBefore: 0, expiresAt: 0 };
    },

    get size() {
      return sessions.size + userEntryCount;
    },
  };
}
