/**
 * The schema, as a list of steps that only ever grows.
 * A step adds and never takes away, so the release before it can go on running beside the new one; where that can't be,
 * `readableFrom` stays empty and older code refuses the database. Instants are seconds; a nullable instant is a boolean
 * that knows when. The only differences between the databases are the words in `Dialect`.
 */

/** What the databases call the same thing. */
export interface Dialect {
  /** A primary key that counts up and never gives a number twice. */
  readonly identity: string;
  /** 64-bit integers. */
  readonly bigint: string;
  /** Follows the closing bracket of a table. */
  readonly tableOptions: string;
  /** Follows the closing bracket of a table whose rows are updated all the time. */
  readonly busyTableOptions: string;
}

export interface Migration {
  /** 1, 2, 3, … */
  readonly version: number;
  readonly name: string;
  /** The lowest version of this code that can still run once this step is done; `undefined`: only code that knows the step. */
  readonly readableFrom: number | undefined;
  statements(dialect: Dialect): readonly string[];
}

/** Made before anything else, by itself. */
export const migrationTable = ({ bigint, tableOptions }: Dialect): string =>
  `create table if not exists latchkey_migrations (
    version ${bigint} not null primary key,
    name text not null,
    applied_at ${bigint} not null,
    readable_from ${bigint}
  )${tableOptions}`;

export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: "users, sessions, revocations",
    readableFrom: 1,
    statements: ({ identity, bigint, tableOptions, busyTableOptions }) => [
      // The keys are what a name is looked up and compared by; an imported user may have no email.
      `create table latchkey_users (
        id ${identity},
        username text not null,
        username_key text not null unique,
        email text,
        email_key text unique,
        password text not null,
        first_name text not null,
        last_name text not null,
        staff_at ${bigint},
        superuser_at ${bigint},
        deactivated_at ${bigint},
        epoch ${bigint} not null,
        created_at ${bigint} not null,
        last_login_at ${bigint}
      )${tableOptions}`,
      // A rotation touches no indexed column. Sessions outlive their user: an end must not be undone by a deletion.
      `create table latchkey_sessions (
        id ${identity},
        user_id ${bigint} not null,
        user_epoch ${bigint} not null,
        handle_hash text not null,
        mode text not null check (mode in ('rotating', 'fixed')),
        generation ${bigint} not null,
        rotated_at ${bigint} not null,
        attempts text not null,
        access_expires_at ${bigint} not null,
        created_at ${bigint} not null,
        last_used_at ${bigint} not null,
        idle_expires_at ${bigint} not null,
        absolute_expires_at ${bigint} not null,
        ended_at ${bigint},
        end_reason text,
        first_ip text,
        first_user_agent text,
        last_ip text,
        last_user_agent text
      )${busyTableOptions}`,
      "create index latchkey_sessions_of_user on latchkey_sessions (user_id, id)",
      // One row. Its lock makes the order of positions the order of commits.
      `create table latchkey_feed (
        store_id text not null,
        head ${bigint} not null
      )${tableOptions}`,
      `create table latchkey_revocations (
        position ${bigint} not null primary key,
        session_id ${bigint},
        user_id ${bigint},
        epoch ${bigint},
        except_session_id ${bigint},
        issued_before ${bigint},
        reason text not null,
        expires_at ${bigint} not null,
        created_at ${bigint} not null
      )${tableOptions}`,
    ],
  },
];

export const NEWEST_VERSION = Math.max(...MIGRATIONS.map((migration) => migration.version));

/** A store that can't be used as it is. The message is one sentence for the operator, with the way out. */
export class StorageOpenError extends Error {
  override readonly name = "StorageOpenError";
}

export interface AppliedMigration {
  readonly version: number;
  readonly readableFrom: number | undefined;
}

/**
 * What is still to be done.
 * @throws StorageOpenError when a newer release has changed the store in a way that this one can't live with.
 */
export function pendingMigrations(applied: readonly AppliedMigration[], store: string): readonly Migration[] {
  for (const { version, readableFrom } of applied) {
    if (version > NEWEST_VERSION && (readableFrom === undefined || readableFrom > NEWEST_VERSION)) {
      throw new StorageOpenError(
        `${store} was upgraded by a newer Latchkey (schema ${version}, this one knows ${NEWEST_VERSION}): run that release or restore a backup.`,
      );
    }
  }
  const done = new Set(applied.map(({ version }) => version));
  return MIGRATIONS.filter(({ version }) => !done.has(version));
}
