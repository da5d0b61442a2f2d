/** A rotation is what a store does all day: it must change one row and no index. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openPostgres } from "../../src/storage/postgres.ts";
import * as queries from "../../src/storage/queries.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { type Storage, sql } from "../../src/storage/storage.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";

const NOW = 1_800_000_000;
const HANDLE_HASH = "h".repeat(43);
let server: PostgresServer;
before(async () => {
  server = await startPostgres();
});
after(() => server.stop());

const rotation = (id: number, from: number) =>
  queries.rotateSession({
    id,
    handleHash: HANDLE_HASH,
    from,
    to: from + 1,
    rotatedBefore: NOW + 1,
    attempt: "a".repeat(32),
    noAttempt: "-".repeat(32),
    now: NOW,
    accessExpiresAt: NOW + 900,
    idleExpiresAt: NOW + 1000 + from,
    ip: "198.51.100.1",
    userAgent: "test/1",
  });

async function startSession(storage: Storage): Promise<number> {
  const user = await storage.write([
    queries.insertUser({
      username: "ada",
      usernameKey: "ada",
      email: "a",
      emailKey: "a",
      password: "",
      firstName: "",
      lastName: "",
      now: NOW,
    }),
  ]);
  const session = await storage.write([
    queries.insertSession({
      userId: user?.[0]?.[0]?.id as number,
      userEpoch: 0,
      handleHash: HANDLE_HASH,
      mode: "rotating",
      attempts: "-".repeat(128),
      now: NOW,
      accessExpiresAt: NOW + 900,
      idleExpiresAt: NOW + 1000,
      absoluteExpiresAt: NOW + 90_000,
      ip: null,
      userAgent: null,
    }),
  ]);
  return session?.[0]?.[0]?.id as number;
}

test("on PostgreSQL every rotation stays within its page and leaves the indexes alone (HOT)", async () => {
  const storage = openPostgres(await server.createDatabase(), { connectionCount: 1 });
  await storage.migrate();
  const id = await startSession(storage);
  const statistics = async () => {
    await storage.read(sql`select pg_stat_force_next_flush() is null as flushed`);
    await sleep(20);
    const [row] = await storage.read(
      sql`select n_tup_upd as updated, n_tup_hot_upd as hot from pg_stat_user_tables where relname = 'latchkey_sessions'`,
    );
    return { updated: row?.updated as number, hot: row?.hot as number };
  };
  for (let generation = 0; generation < 100; generation++) {
    const written = await storage.write([rotation(id, generation)]);
    assert.equal(written?.[0]?.length, 1);
  }
  const { updated, hot } = await statistics();
  assert.equal(updated, 100);
  assert.equal(hot, 100);
  await storage.close();
});

test("on SQLite a rotation finds its row by the primary key and writes no index", async () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-cost-"));
  const file = join(folder, "auth.db");
  const storage = openSqlite(file);
  await storage.migrate();
  const id = await startSession(storage);
  await storage.close();
  const database = new DatabaseSync(file);
  const { strings, values } = rotation(id, 0);
  const text = strings.join("?");
  const steps = database.prepare(`explain ${text}`).all(...values);
  const names = steps.map(({ opcode }) => opcode as string);
  assert.ok(names.includes("Insert"), "the row is written");
  assert.deepEqual(
    names.filter((name) => /^Idx(Insert|Delete)$/.test(name)),
    [],
  );
  const plan = database.prepare(`explain query plan ${text}`).all(...values);
  assert.match(String(plan[0]?.detail), /^SEARCH latchkey_sessions USING INTEGER PRIMARY KEY/);
  database.close();
  rmSync(folder, { recursive: true, force: true });
});
