/** A store moves: SQLite to PostgreSQL and back, and nobody is signed out. */
import assert from "node:assert/strict";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createAuth, openPostgres, openSqlite, type Storage } from "../../src/index.ts";
import { MIGRATIONS } from "../../src/storage/migrations.ts";
import { MOVED_TABLES } from "../../src/storage/queries.ts";
import { temporaryFolder } from "../support/child-server.ts";
import { runCommand } from "../support/command.ts";
import { PASSWORD, TEST_SECRET } from "../support/engine.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";

const folder = temporaryFolder();
const source = join(folder, "source.db");
let server: PostgresServer;
before(async () => {
  server = await startPostgres();
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const at = (database: string) => ({ env: { DATABASE_URL: database, JWT_SECRET_KEY: TEST_SECRET } });
const open = (storage: Storage) => createAuth({ secret: TEST_SECRET, storage });

test("export and import carry users, sessions, ends and keys from SQLite to PostgreSQL and back", async () => {
  const before = await createAuth({ secret: TEST_SECRET, storage: openSqlite(source), algorithm: "EdDSA" });
  const ada = await before.register({ username: "ada", email: "ada@example.com", password: PASSWORD });
  const bob = await before.register({ username: "bob", email: "bob@example.com", password: PASSWORD });
  const live = await before.sessions.start(ada.id);
  const ended = await before.sessions.start(ada.id);
  const disabled = await before.sessions.start(bob.id);
  await before.sessions.end(ada.id, ended.sessionId);
  await before.users.deactivate(bob.id);
  const cursor = (await before.revocations.since(undefined)).cursor;
  const keys = await before.keys.list();
  await before.close();

  const file = join(folder, "export.jsonl");
  const exported = await runCommand(["export", "--out", file], at(source));
  assert.equal(exported.code, 0, exported.errors);
  assert.match(exported.errors, /^2 users, 3 sessions, 2 revocations, 2 keys/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const again = await runCommand(["export", "--out", file], at(source));
  assert.match(again.errors, /is there already/);

  const url = await server.createDatabase();
  const imported = await runCommand(["import", file, "--json"], at(url));
  assert.equal(imported.code, 0, imported.errors);
  assert.equal(imported.json().latchkey_users, 2);

  const auth = await open(openPostgres(url));
  assert.deepEqual(await auth.keys.list(), keys);
  assert.equal((await auth.authenticate(live.accessToken)).userId, ada.id);
  await assert.rejects(async () => auth.authenticate(ended.accessToken), { code: "session_ended" });
  await assert.rejects(async () => auth.authenticate(disabled.accessToken), { code: "user_not_found" });
  assert.equal((await auth.refresh(live.refreshToken)).sessionId, live.sessionId);
  assert.equal((await auth.login({ username: "ada", password: PASSWORD })).generation, 0);
  await assert.rejects(auth.login({ username: "bob", password: PASSWORD }), { code: "invalid_credentials" });
  assert.equal((await auth.revocations.since(cursor)).isReset, false, "readers of the feed go on where they were");
  const eve = await auth.register({ username: "eve", email: "eve@example.com", password: PASSWORD });
  assert.ok(eve.id > bob.id, "ids go on above those that came");
  await auth.close();

  const used = await runCommand(["import", file], at(url));
  assert.equal(used.code, 0, "the same once more changes nothing");
  const other = join(folder, "other.db");
  await (await open(openSqlite(other))).register({ username: "x", email: "x@example.com", password: PASSWORD });
  const refused = await runCommand(["import", file], at(other));
  assert.equal(refused.code, 1);
  assert.match(refused.errors, /^latchkey: the store is in use: import into an empty one/);

  const back = await runCommand(["export"], at(url));
  const target = join(folder, "back.db");
  const restored = await runCommand(["import", "-"], { ...at(target), input: back.output });
  assert.equal(restored.code, 0, restored.errors);
  assert.match(restored.output, /3 users, 4 sessions/);
  const last = await open(openSqlite(target));
  assert.equal((await last.authenticate(live.accessToken)).userId, ada.id);
  assert.ok((await last.sessions.start(ada.id)).sessionId > live.sessionId);
  await last.close();
});

test("an export that was cut off, or is something else, is refused with the line", async () => {
  const whole = readFileSync(join(folder, "export.jsonl"), "utf8").trimEnd().split("\n");
  const cases: readonly [lines: readonly string[], pattern: RegExp][] = [
    [whole.slice(0, -1), /was cut off after line/],
    [[...whole.slice(0, -2), whole.at(-2)?.slice(0, 20) ?? ""], /is not JSON: the export was cut off/],
    [["hello"], /line 1 is not JSON/],
    [["{}"], /not an export of this release/],
    [[whole[0] as string, '{"table":"latchkey_migrations","row":{"version":1}}'], /line 2 is not of an export/],
    [[whole[0] as string, '{"table":"latchkey_users","row":{"id) values (1); --":1}}'], /that is no row of a store/],
    [[...whole.slice(0, 2), ...whole.slice(3)], /should have \d+ rows of \w+, and has/],
    [[], /was cut off after line 0/],
  ];
  await Promise.all(
    cases.map(async ([lines, pattern], i) => {
      const input = lines.join("\n");
      const result = await runCommand(["import"], { ...at(join(folder, `cut-${i}.db`)), input });
      assert.equal(result.code, 1, input.slice(0, 200));
      assert.match(result.errors, pattern);
    }),
  );
  const file = join(folder, "none.jsonl");
  assert.match((await runCommand(["import", file], at(join(folder, "none.db")))).errors, /none\.jsonl can't be read/);
  writeFileSync(join(folder, "repeat.jsonl"), whole.join("\n"));
  // The one that was cut off is finished by the whole one.
  const finished = await runCommand(["import", join(folder, "repeat.jsonl")], at(join(folder, "cut-0.db")));
  assert.equal(finished.code, 0, finished.errors);
});

/** What an export leaves behind, and why. */
const STAYS: readonly string[] = [
  "latchkey_feed", // its name and position are in the first line
  "latchkey_key_ring", // a lease
  "latchkey_turns", // a lock
  "latchkey_limits", // of a day
  "latchkey_first_user_links", // of a terminal, and good for a day at most
  "latchkey_imports", // how far an import from elsewhere has come
];

test("every table is moved, or it is known why not", () => {
  const dialect = { identity: "", integer: "", randomText: "", table: "", updatedTable: "", compareByBytes: () => [] };
  const texts = MIGRATIONS.flatMap(({ statements }) => statements(dialect)).join("\n");
  const tables = [...texts.matchAll(/create table if not exists (\w+)/g)].map(([, name]) => name as string);
  assert.ok(tables.length >= 6);
  assert.deepEqual(
    tables.filter((table) => !(table in MOVED_TABLES) && !STAYS.includes(table)),
    [],
  );
});
