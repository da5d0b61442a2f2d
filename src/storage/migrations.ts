/**
 * The tables, as the steps that make them. Forward only and additive: a step that has been released never changes,
 * and the release before it still runs on what it leaves.
 * Ids and instants are whole numbers (instants in seconds); a nullable instant stands where a boolean would.
 */
import { StorageOpenError } from "./open-error.ts";

/** What the drivers call differently; everything else is one text. */
export interface Dialect {
  /** Column type of an id that is given out once and never again. */
  readonly identity: string;
  /** Column type of a whole number of 64 bits. */
  readonly integer: string;
  /** Expression: 32 characters of text that no other store has. */
  readonly randomText: string;
  /** Makes text columns compare by their bytes, as the keys of users do in searches; nothing where text does so anyway. */
  compareByBytes(table: string, columns: readonly string[]): readonly string[];
  /** Follows the columns of every table. */
  readonly table: string;
  /** Follows the columns of a table whose rows are updated all the time, in columns that no index holds. */
  readonly updatedTable: string;
}

export interface Migration {
  readonly version: number;
  readonly name: string;
  /** The oldest code, by the newest migration it knows, that still runs on the tables after this one; null: none does. */
  readonly readableFrom: number | null;
  /** May run again over what a server without transactional DDL has kept of a failed try. */
  statements(dialect: Dialect): readonly string[];
}

/** What a store's own record says of one migration. */
export interface AppliedMigration {
  readonly version: number;
  readonly readableFrom: number | null;
}

export const MIGRATIONS_TABLE = ({ integer, table }: Dialect): string => `
  create table if not exists latchkey_migrations (
    version ${integer} primary key,
    name text not null,
    applied_at ${integer} not null,
    readable_from ${integer}
  )${table}`;

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: "users, sessions, feed",
    readableFrom: 1,
    statements: ({ identity, integer, randomText, table, updatedTable }) => [
      `create table if not exists latchkey_users (
        id ${identity},
        username text not null,
        username_key text not null unique,
        email text,
        email_key text unique,
        password text not null,
        first_name text not null default '',
        last_name text not null default '',
        staff_at ${integer},
        superuser_at ${integer},
        deactivated_at ${integer},
        epoch ${integer} not null default 0,
        created_at ${integer} not null,
        last_login_at ${integer}
      )${table}`,

      // user_id is no foreign key: a login that a deletion overtakes must leave a session that is refused, not an error,
      // and a session outlives its user until housekeeping, so that its token is told "ended" and not "unknown".
      `create table if not exists latchkey_sessions (
        id ${identity},
        user_id ${integer} not null,
        user_epoch ${integer} not null,
        handle_hash text not null,
        mode text not null check (mode in ('rotating', 'fixed')),
        generation ${integer} not null,
        rotated_at ${integer} not null,
        attempts text not null,
        access_expires_at ${integer} not null,
        created_at ${integer} not null,
        last_used_at ${integer} not null,
        idle_expires_at ${integer} not null,
        absolute_expires_at ${integer} not null,
        ended_at ${integer},
        end_reason text,
        first_ip text,
        first_user_agent text,
        last_ip text,
        last_user_agent text,
        adopted_from text
      )${updatedTable}`,

      // The only index that every session is in, beside the primary key. A rotation changes none of its columns, so it writes no index at all, on
      // PostgreSQL within the page (HOT). Housekeeping walks the primary key in slices and needs no other.
      "create index if not exists latchkey_sessions_live on latchkey_sessions (user_id) where ended_at is null",

      // One session for each token of another system, however often and by however many it is brought.
      `create unique index if not exists latchkey_sessions_adopted on latchkey_sessions (adopted_from)
        where adopted_from is not null`,

      `create table if not exists latchkey_feed (
        store_id text not null,
        head ${integer} not null
      )${table}`,
      `insert into latchkey_feed (store_id, head)
        select ${randomText}, 0 where not exists (select 1 from latchkey_feed)`,

      `create table if not exists latchkey_revocations (
        position ${integer} primary key,
        session_id ${integer},
        user_id ${integer},
        epoch ${integer},
        except_session_id ${integer},
        issued_before ${integer},
        reason text not null,
        expires_at ${integer} not null,
        created_at ${integer} not null
      )${table}`,
    ],
  },
  {
    version: 2,
    name: "key ring",
    readableFrom: 1,
    statements: ({ integer, table }) => [
      // `sealed` is null for a secret, which is in the configuration, and for a key that verifies nothing any more.
      `create table if not exists latchkey_keys (
        kid text primary key,
        alg text not null,
        state text not null check (state in ('next', 'active', 'retiring', 'retired', 'compromised')),
        sealed text,
        published_at ${integer} not null,
        activated_at ${integer},
        retiring_at ${integer},
        verifies_until ${integer},
        retired_at ${integer},
        note text
      )${table}`,
      // Whatever happens, one key signs and one is next.
      "create unique index if not exists latchkey_keys_one on latchkey_keys (state) where state in ('next', 'active')",

      `create table if not exists latchkey_key_ring (
        version ${integer} not null,
        lease_holder text not null,
        lease_until ${integer} not null
      )${table}`,
      `insert into latchkey_key_ring (version, lease_holder, lease_until)
        select 0, '', 0 where not exists (select 1 from latchkey_key_ring)`,
    ],
  },
  {
    version: 3,
    name: "users in place, imports",
    readableFrom: 1,
    statements: ({ integer, table }) => [
      // Beside the users of a table that is not ours. `mark` is the end of the password hash that the epoch belongs to.
      `create table if not exists latchkey_user_state (
        user_id ${integer} primary key,
        epoch ${integer} not null,
        mark text not null
      )${table}`,
      // How far an import has come.
      `create table if not exists latchkey_imports (
        source text primary key,
        after_id ${integer} not null,
        counts text not null
      )${table}`,
    ],
  },
  {
    version: 4,
    name: "searches of users, turns of staff",
    readableFrom: 1,
    statements: ({ integer, table, compareByBytes }) => [
      // What begins with a text is then a range of the unique index that is there already.
      ...compareByBytes("latchkey_users", ["username_key", "email_key"]),
      `create table if not exists latchkey_turns (taken ${integer} not null)${table}`,
      "insert into latchkey_turns (taken) select 0 where not exists (select 1 from latchkey_turns)",
    ],
  },
  {
    version: 5,
    name: "the first user's link",
    readableFrom: 1,
    statements: ({ integer, table }) => [
      `create table if not exists latchkey_first_user_links (
        token_hash text primary key,
        expires_at ${integer} not null
      )${table}`,
    ],
  },
  {
    version: 6,
    name: "limits",
    readableFrom: 1,
    statements: ({ integer, updatedTable }) => [
      `create table if not exists latchkey_limits (
        bucket text primary key,
        failures ${integer} not null,
        delay ${integer} not null,
        next_at ${integer} not null,
        expires_at ${integer} not null
      )${updatedTable}`,
      "create index if not exists latchkey_limits_expiry on latchkey_limits (expires_at)",
    ],
  },
  {
    version: 7,
    name: "audit trail",
    readableFrom: 1,
    statements: ({ identity, integer, table }) => [
      `create table if not exists latchkey_audit (
        id ${identity},
        at ${integer} not null,
        type text not null,
        user_id ${integer},
        actor_id ${integer},
        session_id ${integer},
        ip text,
        user_agent text,
        reason text
      )${table}`,
      "create index if not exists latchkey_audit_user on latchkey_audit (user_id, id)",
      "create index if not exists latchkey_audit_type on latchkey_audit (type, id)",
    ],
  },
];

/**
 * Compares what a store has with what this code knows.
 * @param store how to name the store in a message, such as "The database /var/lib/auth.db".
 * @returns the migrations to run, oldest first.
 * @throws StorageOpenError when a newer release has changed the tables in a way that this code does not know.
 */
export function pendingMigrations(
  applied: readonly AppliedMigration[],
  store: string,
  known: readonly Migration[] = MIGRATIONS,
): readonly Migration[] {
  const newest = known.at(-1)?.version ?? 0;
  for (const { version, readableFrom } of applied) {
    if (version > newest && (readableFrom === null || readableFrom > newest)) {
      throw new StorageOpenError(
        `${store} was upgraded by a newer Latchkey (schema ${version}, this one knows ${newest}): run that release or restore a backup.`,
      );
    }
  }
  const versions = new Set(applied.map(({ version }) => version));
  return known.filter(({ version }) => !versions.has(version));
}
