import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { type Migration, pendingMigrations } from "../../src/storage/migrations.ts";
import { StorageOpenError } from "../../src/storage/open-error.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { sql } from "../../src/storage/storage.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-open-"));
  file = join(folder, "auth.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function assertRefused(path: string, sentence: RegExp): Promise<void> {
  const storage = openSqlite(path);
  await assert.rejects(storage.migrate(), (error: unknown) => {
    assert.ok(error instanceof StorageOpenError, String(error));
    assert.match(error.message, sentence);
    assert.ok(error.message.includes(path) || error.message.includes(folder));
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
  await storage.close();
}

test("nothing is opened or made before migrate", async () => {
  const storage = openSqlite(file);
  assert.equal(statSync(file, { throwIfNoEntry: false }), undefined);
  await assert.rejects(storage.read(sql`select 1`), TypeError);
  await assert.rejects(storage.write([sql`select 1`]), TypeError);
  await storage.close();
});

test("the file is for its owner's eyes only, and so is the log beside it (checklist 89)", async () => {
  const storage = openSqlite(file);
  await storage.migrate();
  for (const suffix of ["", "-wal", "-shm"]) assert.equal(statSync(file + suffix).mode & 0o777, 0o600, suffix);
  await storage.close();
});

test("commits are synced to the disk, and readers and the writer don't wait for each other", async () => {
  const storage = openSqlite(file);
  await storage.migrate();
  const written = await storage.write([sql`pragma synchronous`, sql`pragma journal_mode`, sql`pragma foreign_keys`]);
  assert.deepEqual(
    written?.map(([row]) => Object.values(row ?? {})[0]),
    [2, "wal", 1],
  );
  await storage.close();
});

test("a folder, a missing folder and a file in place of a folder are one sentence each", async () => {
  mkdirSync(join(folder, "a-folder"));
  await assertRefused(join(folder, "a-folder"), /a-folder is not a file: name another for the database\.$/);
  await assertRefused(join(folder, "none", "auth.db"), /^The folder .*none of the database does not exist: create it/);
  writeFileSync(join(folder, "a-file"), "");
  await assertRefused(join(folder, "a-file", "auth.db"), /^.*a-file is not a folder: name another file/);
});

test("a folder or file that this user may not write to is one sentence", async () => {
  // Root may write everywhere, so another user tries.
  const asUser = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  const refusal = () =>
    spawnSync(
      process.execPath,
      [
        "--input-type=module",
        "--eval",
        `import { openSqlite } from ${JSON.stringify(new URL("../../src/storage/sqlite.ts", import.meta.url).href)};
         await openSqlite(${JSON.stringify(file)}).migrate().catch((e) => console.log(e.name + ": " + e.message));`,
      ],
      { ...asUser, encoding: "utf8" },
    ).stdout;
  chmodSync(folder, 0o555);
  assert.match(
    refusal(),
    /^StorageOpenError: The database .*auth\.db can't be written to: give this user write access/,
  );
  chmodSync(folder, 0o755);
  writeFileSync(file, "", { mode: 0o444 });
  chmodSync(folder, 0o777);
  if (asUser.uid !== undefined)
    assert.match(refusal(), /^StorageOpenError: The database .*auth\.db can't be written to/);
});

test("a file that is no database, or a damaged one, is one sentence", async () => {
  writeFileSync(file, "a letter to my grandmother, and not a database at all\n".repeat(50));
  await assertRefused(file, /^The database .*auth\.db is not a SQLite database: name another file, or move it away/);
  rmSync(file);
  const database = new DatabaseSync(file);
  database.exec(
    "create table t (x); with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000) insert into t select i from n",
  );
  const size = statSync(file).size;
  database.close();
  const bytes = Buffer.alloc(size - 4096, 0xa5);
  const { readFileSync } = await import("node:fs");
  writeFileSync(file, Buffer.concat([readFileSync(file).subarray(0, 4096), bytes]));
  await assertRefused(file, /^The database .*auth\.db is damaged: restore a backup, or move it away/);
});

test("tables that a newer release has changed are refused, unless it says that this one can live with them (checklist 102)", async () => {
  const storage = openSqlite(file);
  await storage.migrate();
  await storage.close();
  const record = (version: number, readableFrom: number | null) => {
    const database = new DatabaseSync(file);
    database.prepare("insert into latchkey_migrations values (?, 'later', 0, ?)").run(version, readableFrom);
    database.close();
  };
  record(900, 1);
  const again = openSqlite(file);
  await again.migrate();
  await again.close();
  record(901, 900);
  await assertRefused(
    file,
    /^The database .* was upgraded by a newer Latchkey \(schema 901, this one knows \d+\): run that release or restore a backup\.$/,
  );
});

test("migrations run once each, in order", () => {
  const known = [1, 2, 3].map(
    (version): Migration => ({ version, name: "", readableFrom: null, statements: () => [] }),
  );
  const versions = (applied: number[]) =>
    pendingMigrations(
      applied.map((version) => ({ version, readableFrom: null })),
      "It",
      known,
    ).map(({ version }) => version);
  assert.deepEqual(versions([]), [1, 2, 3]);
  assert.deepEqual(versions([1]), [2, 3]);
  assert.deepEqual(versions([1, 2, 3]), []);
  assert.throws(() => versions([1, 2, 3, 4]), StorageOpenError);
});
