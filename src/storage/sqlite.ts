/**
 * The embedded store: one SQLite file, read on this thread and written by another.
 * Several processes of one machine may share the file.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { MEMORY, openConnection, toDatabasePath } from "./sqlite/connection.ts";
import { BUSY, isStoreFailure, resultCodeOf, storeUnavailable, toStorageError } from "./sqlite/errors.ts";
import { createGroupRunner } from "./sqlite/group-runner.ts";
import { findPending, migrateSqlite } from "./sqlite/migrate.ts";
import { createStatementTexts, toText } from "./sqlite/statement-texts.ts";
import { createWriteQueue, type WriteQueue } from "./sqlite/write-queue.ts";
import { createThreadWriters, type Writer, type Writers } from "./sqlite/writer-thread.ts";
import type { Row, Storage, Value } from "./storage.ts";

export interface SqliteOptions {
  /** Milliseconds that a call may wait for a lock of another process or for the disk, before `store_unavailable`. Default 5,000. */
  readonly timeout?: number;
}

const TIMEOUT = 5_000;
/** Milliseconds between tries for a lock. */
const LOCK_RETRY = 5;
/** Milliseconds between looks at the file's counter of commits: a read of one word. */
const WATCH_INTERVAL = 50;

/**
 * A store in a SQLite file. Nothing is opened before `migrate`, which rejects with StorageOpenError when the file can't be used.
 * @param path of the file, made when it is not there; ":memory:" for a store that lives as long as this object.
 */
export function openSqlite(path: string, { timeout = TIMEOUT }: SqliteOptions = {}): Storage {
  const file = toDatabasePath(path);
  let opened: Opened | undefined;
  let migrating: Promise<Opened> | undefined;
  let closing: Promise<void> | undefined;

  /** @throws TypeError before `migrate`, AuthError after `close`. */
  function use(): Opened {
    if (closing) throw storeUnavailable("the store is closed");
    if (!opened) throw new TypeError("call migrate() before reading and writing");
    return opened;
  }

  async function close(): Promise<void> {
    // A file that could not be opened needs no closing.
    const closed = await migrating?.catch(() => undefined);
    await closed?.queue.drain();
    await closed?.closeWriter();
    closed?.connection.close();
  }

  return {
    kind: "sqlite",
    // The store goes by this machine's clock, as do all who share the file.
    clockOffset: 0,

    async migrate() {
      if (closing) throw storeUnavailable("the store is closed");
      migrating ??= open(file, timeout);
      try {
        opened = await migrating;
      } catch (error) {
        migrating = undefined;
        throw error;
      }
    },

    async read({ strings, values }) {
      const deadline = performance.now() + timeout;
      for (;;) {
        try {
          return use()
            .find(strings)
            .all(...values.map(toBound)) as unknown as Row[];
        } catch (error) {
          // Readers wait for nobody, but for the moments in which another process opens or closes the file.
          if (resultCodeOf(error) !== BUSY || performance.now() >= deadline) throw toStorageError(error);
        }
        await sleep(LOCK_RETRY);
      }
    },

    async write(statements) {
      return statements.length === 0 ? [] : use().queue.write(statements);
    },

    watch(onChange) {
      const find = use().connection.prepare("pragma data_version");
      let seen = find.get()?.data_version;
      const timer = setInterval(() => {
        if (closing) return clearInterval(timer);
        let now = seen;
        try {
          now = find.get()?.data_version;
        } catch {
          // Another process is opening or closing the file: the next look will do.
        }
        if (now === seen) return;
        seen = now;
        onChange();
      }, WATCH_INTERVAL);
      timer.unref();
      return () => clearInterval(timer);
    },

    load: () => use().queue.load(),

    async pendingMigrations() {
      const connection = await openConnection(file, timeout);
      try {
        return findPending(connection, file);
      } finally {
        connection.close();
      }
    },

    close() {
      closing ??= close();
      return closing;
    },
  };
}

interface Opened {
  readonly connection: DatabaseSync;
  readonly queue: WriteQueue;
  /** The prepared statement of a call site. */
  find(strings: readonly string[]): StatementSync;
  closeWriter(): Promise<void>;
}

async function open(file: string, timeout: number): Promise<Opened> {
  const connection = await openConnection(file, timeout);
  try {
    await migrateSqlite(connection, file, timeout);
    // From here on this connection only reads; a query that writes is a mistake, not a race with the writing thread.
    if (file !== MEMORY) connection.exec("pragma query_only = on");
  } catch (error) {
    connection.close();
    throw error;
  }
  const writers = file === MEMORY ? createInlineWriters(connection) : createThreadWriters(file);
  return {
    connection,
    queue: createWriteQueue({ texts: createStatementTexts(), writer: writers.current, timeout }),
    find: createStatementCache(connection),
    closeWriter: writers.close,
  };
}

/** Numbers are bound as integers: a double would make a REAL of every expression it is in. */
const toBound = (value: Value) => (typeof value === "number" ? BigInt(value) : value);

function createStatementCache(connection: DatabaseSync): (strings: readonly string[]) => StatementSync {
  const known = new WeakMap<readonly string[], StatementSync>();
  return (strings) => {
    let statement = known.get(strings);
    if (!statement) {
      statement = connection.prepare(toText(strings));
      known.set(strings, statement);
    }
    return statement;
  };
}

/** Groups run on this thread, by the very code of the writing thread. */
function createInlineWriters(connection: DatabaseSync): Writers {
  const runner = createGroupRunner(connection, isStoreFailure);
  let textCount = 0;
  const writer: Writer = {
    get textCount() {
      return textCount;
    },
    async run(group) {
      textCount += group.texts.length;
      try {
        return runner.run(group);
      } catch (error) {
        return { outcome: "failed", reason: String(error) };
      }
    },
    close: () => Promise.resolve(),
  };
  return { current: () => writer, close: writer.close };
}
