/**
 * SQLite, embedded: reads on the caller's thread, writes on a thread of their own.
 * Writes that arrive while the last group commits wait for the next one (group commit), so durability costs one flush a
 * group; the event loop never waits for the disk or for another process's lock. A database in memory does without the
 * thread and is otherwise the same.
 */
import { existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { AuthError } from "../errors.ts";
import { faultName } from "./group-commit.ts";
import { StorageOpenError } from "./migrations.ts";
import { createStatementCache, openConnection } from "./sqlite-connection.ts";
import { migrateSqlite } from "./sqlite-migrate.ts";
import { createInlineWriter, createThreadWriter, type Writer } from "./sqlite-write-queue.ts";
import type { Row, Statement, Storage } from "./storage.ts";

export interface SqliteOptions {
  /** Milliseconds that a write may wait for others and for the lock before it is refused. Default 5,000. */
  readonly writeDeadline?: number;
}

const WRITE_DEADLINE = 5000;
/** Milliseconds. Readers of a WAL wait for nobody, but for the moment in which another process recovers it. */
const READ_PATIENCE = 100;

/**
 * A store in a SQLite file.
 * @param path of the file, created when it is not there; ":memory:" for one that lives as long as the process.
 * Nothing is opened before `migrate`, which rejects with StorageOpenError when the file can't be used.
 */
export function openSqlite(path: string, { writeDeadline = WRITE_DEADLINE }: SqliteOptions = {}): Storage {
  const isMemory = path === ":memory:";
  const file = isMemory ? path : resolve(path);
  let opened: { readonly database: DatabaseSync; readonly writer: Writer } | undefined;
  let isClosed = false;

  const statement = createStatementCache((strings: readonly string[]) => {
    if (!opened) throw closedError();
    return opened.database.prepare(toText(strings));
  });
  const closedError = () =>
    isClosed
      ? new AuthError("store_unavailable", { reason: "the store is closed" })
      : new TypeError("call migrate() before reading and writing");

  return {
    kind: "sqlite",

    async migrate() {
      if (opened) return;
      if (isClosed) throw closedError();
      const database = openChecked(file, isMemory);
      try {
        migrateSqlite(database, file);
        if (!isMemory) database.exec(`pragma query_only = on; pragma busy_timeout = ${READ_PATIENCE}`);
      } catch (error) {
        database.close();
        throw toOpenError(file, error);
      }
      const writer = isMemory ? createInlineWriter(database) : createThreadWriter(file, writeDeadline);
      opened = { database, writer };
    },

    async read({ strings, values }: Statement): Promise<Row[]> {
      if (!opened) throw closedError();
      try {
        return statement(strings).all(...values) as Row[];
      } catch (error) {
        const fault = faultName(error);
        if (!fault) throw error;
        throw new AuthError("store_unavailable", { reason: `the database is ${fault}`, cause: error });
      }
    },

    async write(statements) {
      if (!opened) throw closedError();
      return opened.writer.write(statements);
    },

    async close() {
      if (isClosed) return;
      isClosed = true;
      const closing = opened;
      opened = undefined;
      await closing?.writer.close();
      closing?.database.close();
    },
  };
}

/** The text of a statement as SQLite binds it. */
export const toText = (strings: readonly string[]): string => strings.join("?");

/** Beyond this a check of every page costs more than a start should. */
const CHECKED_SIZE = 16 * 1024 * 1024;

function openChecked(file: string, isMemory: boolean): DatabaseSync {
  if (!isMemory) {
    const folder = dirname(file);
    if (!existsSync(folder))
      throw new StorageOpenError(`The folder ${folder} of the database does not exist: create it.`);
    if (existsSync(file) && !statSync(file).isFile())
      throw new StorageOpenError(`${file} is not a file: name another for the database.`);
  }
  let database: DatabaseSync | undefined;
  try {
    database = openConnection(file);
    // At the start there is nobody to keep waiting.
    database.exec("pragma busy_timeout = 10000; pragma journal_mode = wal");
    if (!isMemory && statSync(file).size <= CHECKED_SIZE) {
      const [row] = database.prepare("pragma quick_check(1)").all();
      if (row?.quick_check !== "ok") throw Object.assign(new Error(String(row?.quick_check)), { errcode: 11 });
    }
    return database;
  } catch (error) {
    database?.close();
    throw toOpenError(file, error);
  }
}

function toOpenError(file: string, error: unknown): Error {
  if (error instanceof StorageOpenError) return error;
  const fault = faultName(error);
  const restore = "restore a backup, or move it away to start with an empty one";
  switch (fault) {
    case "damaged":
      return new StorageOpenError(`The database ${file} is damaged: ${restore}.`, { cause: error });
    case "not a database":
      return new StorageOpenError(
        `${file} is not a SQLite database: name another file, or move it away to start with an empty one.`,
        {
          cause: error,
        },
      );
    case undefined:
      return error instanceof Error ? error : new Error(String(error));
    default:
      return new StorageOpenError(`The database ${file} can't be used, it is ${fault}: mend that and start again.`, {
        cause: error,
      });
  }
}
