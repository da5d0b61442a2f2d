/**
 * The audit trail: who did what to which account, when, from where, and how it went (ASVS 16.3). Entries are only ever added, in the transaction of
 * what they tell wherever there is one, and deleted when they are old. None holds a token, a password, or what somebody typed as a name.
 * Refreshes that went well are not in it: they are the sessions' last use.
 */
import * as queries from "../storage/queries.ts";
import type { Row, Statement, Storage } from "../storage/storage.ts";
import type { System } from "../system.ts";
import { pageOfEntries } from "./audit-page.ts";

export const AUDIT_TYPES = [
  "registered",
  "signed_in",
  "sign_in_refused",
  "sign_in_limited",
  "signed_out",
  "session_ended",
  "sessions_ended",
  "refresh_reused",
  "password_changed",
  "password_change_refused",
  "password_set",
  "deactivated",
  "reactivated",
  "deleted",
  "roles_changed",
  "key_rotated",
  "key_compromised",
] as const;

export type AuditType = (typeof AUDIT_TYPES)[number];

/** Something that happened. */
export interface AuditEvent {
  readonly type: AuditType;
  /** Seconds since 1970. */
  readonly at: number;
  /** Whose account it is about. */
  readonly userId?: number | undefined;
  /** The member of staff who did it; `undefined` where the user did, or whoever holds the engine itself. */
  readonly actorId?: number | undefined;
  readonly sessionId?: string | undefined;
  readonly ip?: string | undefined;
  readonly userAgent?: string | undefined;
  /** What precisely, in words of ours. */
  readonly reason?: string | undefined;
}

/** One that is in the store. */
export interface AuditEntry extends AuditEvent {
  readonly id: string;
}

export interface AuditPage {
  /** Newest first. */
  readonly entries: readonly AuditEntry[];
  /** Where the next page begins, opaque; `undefined` when this is the last. */
  readonly next: string | undefined;
}

export interface AuditQuery {
  readonly userId?: number | undefined;
  readonly type?: AuditType | undefined;
  /** Seconds since 1970. */
  readonly since?: number | undefined;
  /** The `next` of the page before. */
  readonly after?: string | undefined;
  /** 1 to 1,000. Default 50. */
  readonly limit?: number | undefined;
}

/** `auth.audit`. */
export interface Audit {
  /** @throws AuthError `input_invalid` for a limit or a cursor that can't be. */
  list(query?: AuditQuery): Promise<AuditPage>;
}

/** `auth.events`. */
export interface Events {
  /**
   * Calls back with what has happened, when it has been committed; "*" is everything. "sign_in_limited" is told and not stored: a flood of guesses
   * must not fill the disk. What a listener throws harms nobody.
   * @returns how to stop.
   */
  on(type: AuditType | "*", listener: (event: AuditEvent) => unknown): () => void;
}

/** Where a request came from, as the store has it. */
interface Origin {
  readonly ip?: string | null | undefined;
  readonly userAgent?: string | null | undefined;
}

/** What is to be told, before it has happened. */
export interface Occurrence extends Origin {
  readonly type: AuditType;
  readonly userId?: number | undefined;
  readonly actorId?: number | undefined;
  readonly sessionId?: number | undefined;
  /** In place of `sessionId`: the session that the same transaction makes. */
  readonly handleHash?: string | undefined;
  readonly reason?: string | undefined;
}

export interface Entry {
  /** Commits with what it tells of. */
  readonly statement: Statement;
  /** Tells the listeners, once it has. @param known what only the commit has shown. */
  tell(known?: { readonly userId?: number; readonly sessionId?: number }): void;
}

export interface Trail {
  entry(occurrence: Occurrence): Entry;
  /** Stores what stands for itself, and tells it. A store that does not answer keeps nobody from being told. */
  note(occurrence: Occurrence): Promise<void>;
  /** Tells without storing. */
  tell(occurrence: Occurrence): void;
  readonly audit: Audit;
  readonly events: Events;
}

const AGENT_LENGTH = 400;
const REASON_LENGTH = 200;

export function createTrail(storage: Storage, system: System): Trail {
  const listeners = new Map<AuditType | "*", Set<(event: AuditEvent) => unknown>>();

  function tellListeners(event: AuditEvent): void {
    for (const listener of [...(listeners.get(event.type) ?? []), ...(listeners.get("*") ?? [])]) {
      try {
        Promise.resolve(listener(event)).catch(() => {});
      } catch {
        // It is the listener's own business.
      }
    }
  }

  function entry(occurrence: Occurrence): Entry {
    const { type, userId, actorId, sessionId, handleHash, reason } = occurrence;
    const now = system.now();
    const ip = clip(occurrence.ip, 45);
    const userAgent = clip(occurrence.userAgent, AGENT_LENGTH);
    const clippedReason = clip(reason, REASON_LENGTH);
    const row = { type, now, userId, actorId, sessionId, ip, userAgent, reason: clippedReason };
    return {
      statement:
        handleHash !== undefined
          ? queries.insertAuditOfNewSession({ ...row, userId: userId as number }, handleHash)
          : userId === undefined && sessionId !== undefined
            ? queries.insertAuditOfSession({ ...row, sessionId })
            : queries.insertAudit(row),
      tell(known = {}) {
        const session = known.sessionId ?? sessionId;
        tellListeners({
          type,
          at: now,
          userId: known.userId ?? userId,
          actorId,
          sessionId: session === undefined ? undefined : String(session),
          ip: ip ?? undefined,
          userAgent: userAgent ?? undefined,
          reason: clippedReason ?? undefined,
        });
      },
    };
  }

  return {
    entry,
    async note(occurrence) {
      const { statement, tell } = entry(occurrence);
      try {
        await storage.write([statement]);
      } catch {
        // What it tells of stands, or its own answer says that the store has gone.
      }
      tell();
    },
    tell: (occurrence) => entry(occurrence).tell(),
    audit: {
      async list(query = {}) {
        const { rows, next } = await pageOfEntries(storage, query);
        return { entries: rows.map(toEntry), next };
      },
    },
    events: {
      on(type, listener) {
        const all = listeners.get(type) ?? new Set();
        listeners.set(type, all);
        all.add(listener);
        return () => void all.delete(listener);
      },
    },
  };
}

/** Printable, on one line and short, whoever wrote it. */
function clip(text: string | null | undefined, length: number): string | null {
  return (
    text
      ?.slice(0, length)
      .toWellFormed()
      .replace(/\p{Cc}/gu, " ") ?? null
  );
}

const orUndefined = <T>(value: T | null): T | undefined => value ?? undefined;

function toEntry(row: Row): AuditEntry {
  return {
    id: String(row.id),
    type: row.type as AuditType,
    at: row.at as number,
    userId: orUndefined(row.user_id as number | null),
    actorId: orUndefined(row.actor_id as number | null),
    sessionId: row.session_id === null ? undefined : String(row.session_id),
    ip: orUndefined(row.ip as string | null),
    userAgent: orUndefined(row.user_agent as string | null),
    reason: orUndefined(row.reason as string | null),
  };
}
