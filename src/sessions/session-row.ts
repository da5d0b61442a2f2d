/** Rows of sessions, as the store has them and as the rest of the code reads them. */
import type { Origin } from "../storage/queries.ts";
import type { Row } from "../storage/storage.ts";
import { NO_ATTEMPT, REMEMBERED_ATTEMPTS, type SessionState } from "./refresh-rule.ts";

/** Where a session is used from, as far as the caller knows. */
export interface Device {
  /** The client's address, after trusted proxies. */
  readonly ip?: string | undefined;
  readonly userAgent?: string | undefined;
}

/** A live session, for lists. Instants are seconds since 1970. */
export interface Session {
  /** Opaque; what `sid` says in its access tokens. */
  readonly id: string;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly expiresAt: number;
  readonly ip: string | undefined;
  readonly userAgent: string | undefined;
}

/** What the refresh rule looks at in a row of `sessionByHandle`. */
export function toState(row: Row): SessionState {
  const attempts = row.attempts as string;
  const size = NO_ATTEMPT.length;
  return {
    mode: row.mode as SessionState["mode"],
    generation: row.generation as number,
    rotatedAt: row.rotated_at as number,
    attempts: Array.from({ length: REMEMBERED_ATTEMPTS }, (_, i) => attempts.slice(i * size, (i + 1) * size)),
    userEpoch: row.user_epoch as number,
    idleExpiresAt: row.idle_expires_at as number,
    absoluteExpiresAt: row.absolute_expires_at as number,
    endedAt: (row.ended_at as number | null) ?? undefined,
    user:
      row.current_epoch === null
        ? undefined
        : { epoch: row.current_epoch as number, isActive: row.deactivated_at === null },
  };
}

/** A row as a list shows it. */
export function toSession(row: Row): Session {
  return {
    id: String(row.id),
    createdAt: row.created_at as number,
    lastUsedAt: row.last_used_at as number,
    expiresAt: row.idle_expires_at as number,
    ip: (row.last_ip as string | null) ?? undefined,
    userAgent: (row.last_user_agent as string | null) ?? undefined,
  };
}

const AGENT_LENGTH = 256;

/** What is kept of a device: bounded, printable, and nothing PostgreSQL could not store. */
export function toOrigin({ ip, userAgent }: Device): Origin {
  const printable = userAgent
    ?.slice(0, AGENT_LENGTH)
    .toWellFormed()
    .replace(/\p{Cc}/gu, " ");
  return { ip: ip?.slice(0, 45) ?? null, userAgent: printable ?? null };
}
