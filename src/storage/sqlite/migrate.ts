/** Creates or upgrades the tables of a SQLite file, under its write lock: of processes that start at once, one does it. */

import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { realSystem } from "../../system.ts";
import { type AppliedMigration, type Dialect, MIGRATIONS_TABLE, pendingMigrations } from "../migrations.ts";
import { StorageOpenError } from "../open-error.ts";
import { MEMORY, toOpenError } from "./connection.ts";
import { CORRUPT } from "./errors.ts";
import { retryBusy } from "./retry-busy.ts";

const DIALECT: Dialect = {
  identity: "integer primary key autoincrement",
  integer: "integer",
  randomText: "lower(hex(randomblob(16)))",
  compareByBytes: () => [],
  table: " strict",
  updatedTable: " strict",
};

/** Bytes; looking at every page of a larger file takes longer than a start should. */
const CHECKED_SIZE = 16 * 1024 * 1024;

/**
 * @param lockTimeout milliseconds to wait for other processes.
 * @throws StorageOpenError
 */
export async function migrateSqlite(connection: DatabaseSync, path: string, lockTimeout: number): Promise<void> {
  const deadline = performance.now() + lockTimeout;
  try {
    // The log stays in the file's header once it is set; setting it needs the file for itself.
    const mode = await retryBusy(() => connection.prepare("pragma journal_mode = wal").get()?.journal_mode, deadline);
    if (mode !== "wal" && path !== MEMORY) {
      throw new StorageOpenError(
        `The database ${path} is on a file system without shared memory: put it on a local disk, or use PostgreSQL.`,
      );
    }
    if (path !== MEMORY && statSync(path).size <= CHECKED_SIZE) await retryBusy(() => checkPages(connection), deadline);
    if ((await retryBusy(() => readPending(connection, path), deadline)).length > 0) {
      await retryBusy(() => connection.exec("begin immediate"), deadline);
      try {
        runPending(connection, path);
        connection.exec("commit");
      } catch (error) {
        if (connection.isTransaction) connection.exec("rollback");
        throw error;
      }
    }
  } catch (error) {
    throw toOpenError(error, path);
  }
}

function checkPages(connection: DatabaseSync): void {
  const verdict = connection.prepare("pragma quick_check(1)").get()?.quick_check;
  if (verdict !== "ok") throw Object.assign(new Error(String(verdict)), { errcode: CORRUPT });
}

/** The names of the migrations to come. @throws StorageOpenError */
export function findPending(connection: DatabaseSync, path: string): readonly string[] {
  try {
    return readPending(connection, path).map(({ name }) => name);
  } catch (error) {
    throw toOpenError(error, path);
  }
}

function readPending(connection: DatabaseSync, path: string) {
  const hasTable = connection.prepare("select 1 from sqlite_schema where name = 'latchkey_migrations'").get();
  const applied = hasTable
    ? connection.prepare("select version, readable_from as readableFrom from latchkey_migrations").all()
    : [];
  return pendingMigrations(applied as unknown as AppliedMigration[], `The database ${path}`);
}

function runPending(connection: DatabaseSync, path: string): void {
  connection.exec(MIGRATIONS_TABLE(DIALECT));
  const insert = connection.prepare(
    "insert into latchkey_migrations (version, name, applied_at, readable_from) values (?, ?, ?, ?)",
  );
  // Read again under the lock: another process may have been here meanwhile.
  for (const { version, name, readableFrom, statements } of readPending(connection, path)) {
    for (const statement of statements(DIALECT)) connection.exec(statement);
    insert.run(version, name, realSystem.now(), readableFrom);
  }
}
