/**
 * Tables full of sessions, written straight into the store: the handle of each follows from its id, so that its refresh
 * token can be made whenever it is wanted. Two million logins would take a day.
 */
import { hash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { Sql } from "postgres";
import { deriveKeys } from "../../src/secrets.ts";
import { NO_ATTEMPT } from "../../src/sessions/refresh-rule.ts";
import { createRefreshTokenCodec, hashHandle } from "../../src/sessions/refresh-token.ts";
import { openConnection } from "../../src/storage/sqlite/connection.ts";

const DAY = 24 * 60 * 60;
/** A user signs in from a few devices. */
const SESSIONS_PER_USER = 4;
const PLACE = {
  ip: "203.0.113.77",
  userAgent:
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140 Safari/537.36",
} as const;
/** What every measured refresh says of itself. */
export const DEVICE = PLACE;
const ROWS_PER_COMMIT = 50_000;
/** Milliseconds. */
const LOCK_TIMEOUT = 5_000;

export function handleOf(id: number): Uint8Array {
  return hash("sha256", `session ${id}`, "buffer").subarray(0, 16);
}

/** Makes the first token of a stored session. */
export function createMint(secret: string): (id: number) => string {
  const codec = createRefreshTokenCodec(deriveKeys(secret, "refresh-token"));
  return (id) => codec.encode({ sessionId: id, generation: 0, handle: handleOf(id) });
}

/** How many users, called user1, user2 and so on, share so many sessions. */
export const userCount = (sessionCount: number): number => Math.ceil(sessionCount / SESSIONS_PER_USER);

/** Opens a SQLite file with the settings of every connection of the engine. */
export const openFile = (path: string): Promise<DatabaseSync> => openConnection(path, LOCK_TIMEOUT);

/** Fills the tables of a migrated SQLite file with sessions 1 to `count`; `password` is the hash that every user has. */
export function fillSqlite(connection: DatabaseSync, count: number, password = "none"): void {
  const now = Math.floor(Date.now() / 1000);
  const insertUser = connection.prepare(`
    insert into latchkey_users (id, username, username_key, email, email_key, password, created_at)
    values (?, ?, ?, ?, ?, ?, ?)`);
  const insertSession = connection.prepare(`
    insert into latchkey_sessions (id, user_id, user_epoch, handle_hash, mode, generation, rotated_at, attempts,
      access_expires_at, created_at, last_used_at, idle_expires_at, absolute_expires_at,
      first_ip, first_user_agent, last_ip, last_user_agent)
    values (?, ?, 0, ?, 'rotating', 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const attempts = NO_ATTEMPT.repeat(4);
  const users = userCount(count);
  connection.exec("begin");
  for (let id = 1; id <= users; id++) {
    const name = `user${id}`;
    insertUser.run(id, name, name, `${name}@example.com`, `${name}@example.com`, password, now);
  }
  for (let id = 1; id <= count; id++) {
    const { ip, userAgent } = PLACE;
    const [idle, absolute] = [now + 30 * DAY, now + 90 * DAY];
    const handleHash = hashHandle(handleOf(id));
    const user = ((id - 1) % users) + 1;
    insertSession.run(
      ...[id, user, handleHash, now, attempts, now + 900, now, now, idle, absolute, ip, userAgent, ip, userAgent],
    );
    if (id % ROWS_PER_COMMIT === 0) connection.exec("commit; begin");
  }
  connection.exec("commit; pragma wal_checkpoint(truncate)");
}

/** Fills the tables of a migrated PostgreSQL database with sessions 1 to `count`. */
export async function fillPostgres(client: Sql, count: number): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const users = userCount(count);
  const { ip, userAgent } = PLACE;
  await client`
    insert into latchkey_users (id, username, username_key, email, email_key, password, created_at)
    select i, 'user' || i, 'user' || i, 'user' || i || '@example.com', 'user' || i || '@example.com', 'none', ${now}
    from generate_series(1, ${users}::bigint) i`;
  await client`
    insert into latchkey_sessions (id, user_id, user_epoch, handle_hash, mode, generation, rotated_at, attempts,
      access_expires_at, created_at, last_used_at, idle_expires_at, absolute_expires_at,
      first_ip, first_user_agent, last_ip, last_user_agent)
    select i, (i - 1) % ${users}::bigint + 1, 0,
      rtrim(translate(encode(sha256(substring(sha256(convert_to('session ' || i, 'UTF8')) from 1 for 16)), 'base64'), '+/', '-_'), '='),
      'rotating', 0, ${now}, ${NO_ATTEMPT.repeat(4)}, ${now + 900}, ${now}, ${now}, ${now + 30 * DAY},
      ${now + 90 * DAY}, ${ip}, ${userAgent}, ${ip}, ${userAgent}
    from generate_series(1, ${count}::bigint) i`;
  for (const table of ["latchkey_users", "latchkey_sessions"]) {
    await client`select setval(pg_get_serial_sequence(${table}, 'id'), ${count + 1})`;
    await client.unsafe(`vacuum analyze ${table}`);
  }
  await client.unsafe("checkpoint");
}
