/**
 * The store for many instances: one PostgreSQL database, shared.
 * The statement forms keep to what CockroachDB and YugabyteDB document as well; the tests run on PostgreSQL.
 */
import { StorageOpenError } from "./open-error.ts";
import { retrying, runChange } from "./postgres/changes.ts";
import { type Address, storeUnavailable, toStorageError } from "./postgres/errors.ts";
import { watchFeed } from "./postgres/listener.ts";
import { findPending, migratePostgres } from "./postgres/migrate.ts";
import { type Client, connect, createPool, type PoolOptions } from "./postgres/pool.ts";
import { runStatement } from "./postgres/statements.ts";
import { createStoreClock } from "./postgres/store-clock.ts";
import type { Storage } from "./storage.ts";

export interface PostgresOptions {
  /** Connections of this instance, opened as they are needed. Default 10. */
  readonly connectionCount?: number;
  /** Milliseconds. Default 5,000. */
  readonly connectTimeout?: number;
  /** Milliseconds that a statement may take, waiting for locks included, before `store_unavailable`. Default 5,000. */
  readonly statementTimeout?: number;
}

const CONNECTION_COUNT = 10;
const CONNECT_TIMEOUT = 5_000;
const STATEMENT_TIMEOUT = 5_000;

/**
 * A store on a PostgreSQL server. Nothing is connected before `migrate`, which rejects with StorageOpenError when the
 * server can't be used; later failures are `store_unavailable` and heal by themselves.
 * @param url `postgres://user:password@host:port/database`, with `?sslmode=verify-full` for TLS with a checked certificate.
 * @throws StorageOpenError when the URL can't be read.
 */
export function openPostgres(url: string, options: PostgresOptions = {}): Storage {
  const poolOptions: PoolOptions = {
    url,
    connectionCount: options.connectionCount ?? CONNECTION_COUNT,
    connectTimeout: options.connectTimeout ?? CONNECT_TIMEOUT,
    statementTimeout: options.statementTimeout ?? STATEMENT_TIMEOUT,
  };
  const address = readAddress(poolOptions);
  const pool = createPool(poolOptions);
  const clock = createStoreClock(() => pool.run(askTime));
  const watchers = new Set<() => void>();
  let isOpen = false;
  let hasNotify = false;
  let closing: Promise<void> | undefined;

  function throwUnlessOpen(): void {
    if (closing) throw storeUnavailable("the store is closed");
    if (!isOpen) throw new TypeError("call migrate() before reading and writing");
  }

  return {
    kind: "postgres",

    get clockOffset() {
      return clock.offset();
    },

    async migrate() {
      if (closing) throw storeUnavailable("the store is closed");
      const client = connect({ ...poolOptions, statementTimeout: 0 });
      try {
        const { isPostgres } = await migratePostgres(client, address);
        // Where it is missing, or came late, polling alone tells of ends.
        hasNotify = isPostgres;
      } finally {
        await client.end({ timeout: 1 });
      }
      await clock.sample();
      isOpen = true;
    },

    async read(statement) {
      throwUnlessOpen();
      clock.keep();
      try {
        return await pool.run((client) => retrying(() => runStatement(client, statement)));
      } catch (error) {
        throw toStorageError(error);
      }
    },

    async write(statements) {
      throwUnlessOpen();
      if (statements.length === 0) return [];
      try {
        return await pool.run((client) => runChange(client, statements, { hasNotify }));
      } catch (error) {
        throw toStorageError(error);
      }
    },

    watch(onChange) {
      throwUnlessOpen();
      if (!hasNotify) return () => {};
      const stop = watchFeed(poolOptions, onChange);
      watchers.add(stop);
      return () => {
        watchers.delete(stop);
        stop();
      };
    },

    load: pool.load,

    async pendingMigrations() {
      const client = connect({ ...poolOptions, statementTimeout: 0 });
      try {
        return await findPending(client, address);
      } finally {
        await client.end({ timeout: 1 });
      }
    },

    async continueIds() {
      throwUnlessOpen();
      await pool.run(async (client) => {
        for (const table of ["latchkey_users", "latchkey_sessions", "latchkey_audit"]) {
          await client.unsafe(
            `select setval(pg_get_serial_sequence('${table}', 'id'), greatest(max(id), 1), max(id) is not null) from ${table}`,
          );
        }
      });
    },

    close() {
      for (const stop of watchers) stop();
      closing ??= pool.close();
      return closing;
    },
  };
}

async function askTime(client: Client): Promise<number> {
  const [row] = await client`select cast(extract(epoch from clock_timestamp()) * 1000 as bigint) as now`;
  return row?.now as number;
}

/** Reads where the URL leads. No message repeats the URL: it holds the password. */
function readAddress(options: PoolOptions): Address {
  try {
    if (!/^postgres(ql)?:\/\//i.test(options.url)) throw new TypeError();
    const { host, port, user, database } = connect(options).options;
    return { host: host.join(","), port: port[0] as number, user, database };
  } catch {
    throw new StorageOpenError("DATABASE_URL can't be read: write it as postgres://user:password@host:5432/database.");
  }
}
