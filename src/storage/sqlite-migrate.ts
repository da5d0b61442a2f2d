/** Brings a SQLite file to this release's schema, under SQLite's own write lock, in one transaction. */
import { randomUUID } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { type AppliedMigration, type Dialect, migrationTable, pendingMigrations } from "./migrations.ts";

const SQLITE: Dialect = {
  identity: "integer primary key autoincrement",
  bigint: "integer",
  tableOptions: " strict",
  busyTableOptions: " strict",
};

/**
 * @param store names the file in messages.
 * @throws StorageOpenError when a newer release has changed the file beyond this one's reach.
 */
export function migrateSqlite(database: DatabaseSync, store: string): void {
  // Looked at first without the lock: nearly every start finds nothing to do.
  if (readApplied(database) && pendingMigrations(readApplied(database) ?? [], store).length === 0) return;
  database.exec("begin immediate");
  try {
    database.exec(migrationTable(SQLITE));
    for (const { version, name, readableFrom, statements } of pendingMigrations(readApplied(database) ?? [], store)) {
      for (const text of statements(SQLITE)) database.exec(text);
      database
        .prepare("insert into latchkey_migrations (version, name, applied_at, readable_from) values (?, ?, ?, ?)")
        .run(version, name, Math.floor(Date.now() / 1000), readableFrom ?? null);
    }
    database
      .prepare("insert into latchkey_feed (store_id, head) select ?, 0 where not exists (select 1 from latchkey_feed)")
      .run(randomUUID());
    database.exec("commit");
  } catch (error) {
    if (database.isTransaction) database.exec("rollback");
    throw error;
  }
}

function readApplied(database: DatabaseSync): AppliedMigration[] | undefined {
  const table = database
    .prepare("select 1 from sqlite_schema where type = 'table' and name = 'latchkey_migrations'")
    .get();
  if (!table) return undefined;
  return database
    .prepare("select version, readable_from from latchkey_migrations order by version")
    .all()
    .map((row) => ({
      version: row.version as number,
      readableFrom: (row.readable_from as number | null) ?? undefined,
    }));
}
