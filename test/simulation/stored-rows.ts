/**
 * What the store holds of a history: its backup and restoring, its clearing away, and how its sessions have ended.
 * Rows are copied inside the store, whatever columns they have.
 */
import { type Statement, type Storage, sql } from "../../src/storage/storage.ts";

/** Makes the tables that backups are kept in. */
export async function prepareBackups(storage: Storage): Promise<void> {
  await storage.migrate();
  await storage.write([
    sql`drop table if exists simulation_users`,
    sql`drop table if exists simulation_sessions`,
    sql`drop table if exists simulation_revocations`,
    sql`drop table if exists simulation_feed`,
    sql`create table simulation_users as select * from latchkey_users where 1 = 0`,
    sql`create table simulation_sessions as select * from latchkey_sessions where 1 = 0`,
    sql`create table simulation_revocations as select * from latchkey_revocations where 1 = 0`,
    sql`create table simulation_feed as select * from latchkey_feed where 1 = 0`,
  ]);
}

const forgetBackup: readonly Statement[] = [
  sql`delete from simulation_users`,
  sql`delete from simulation_sessions`,
  sql`delete from simulation_revocations`,
  sql`delete from simulation_feed`,
];

export async function backUp(storage: Storage): Promise<void> {
  await storage.write([
    ...forgetBackup,
    sql`insert into simulation_users select * from latchkey_users`,
    sql`insert into simulation_sessions select * from latchkey_sessions`,
    sql`insert into simulation_revocations select * from latchkey_revocations`,
    sql`insert into simulation_feed select * from latchkey_feed`,
  ]);
}

export async function restore(storage: Storage): Promise<void> {
  await storage.write([
    ...forgetAll,
    sql`delete from latchkey_feed`,
    sql`insert into latchkey_users select * from simulation_users`,
    sql`insert into latchkey_sessions select * from simulation_sessions`,
    sql`insert into latchkey_revocations select * from simulation_revocations`,
    sql`insert into latchkey_feed select * from simulation_feed`,
  ]);
}

const forgetAll: readonly Statement[] = [
  sql`delete from latchkey_users`,
  sql`delete from latchkey_sessions`,
  sql`delete from latchkey_revocations`,
];

/** Empties the tables between histories: what they hold is the history's own. */
export async function forget(storage: Storage): Promise<void> {
  await storage.write(forgetAll);
}

/** How each ended session has ended, by its id. */
export async function readEndings(storage: Storage): Promise<Map<number, string>> {
  const rows = await storage.read(
    sql`select id, ended_at, end_reason from latchkey_sessions where ended_at is not null and handle_hash <> ''`,
  );
  return new Map(rows.map((row) => [row.id as number, `${row.end_reason} at ${row.ended_at}`]));
}
