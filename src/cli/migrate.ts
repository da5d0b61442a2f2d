/** `latchkey migrate`: creates or upgrades the tables, as every start does, before the servers start. */
import { migrationsApplied } from "../storage/queries.ts";
import type { Storage } from "../storage/storage.ts";
import { type StoreOptions, storeCommand, withStore } from "./open-engine.ts";
import { print, printJson, printTable, toDate } from "./output.ts";

export const migrateCommand = () =>
  storeCommand("migrate").description("create or upgrade the tables of the store").action(migrate);

function migrate(options: StoreOptions): Promise<void> {
  const body = async (storage: Storage, database: string) => {
    const rows = await storage.read(migrationsApplied());
    const migrations = rows.map((row) => ({
      version: row.version as number,
      name: row.name as string,
      appliedAt: row.applied_at as number,
    }));
    if (options.json) return printJson({ database, migrations });
    print(`The database ${database} is up to date.`);
    const table = migrations.map(({ version, name, appliedAt }) => [version, name, toDate(appliedAt)]);
    printTable(["VERSION", "NAME", "APPLIED (UTC)"], table, "");
  };
  return withStore(options, body, { mustExist: false });
}
