/** What SQLite does when the disk, another process or the machine fails it; nothing here is simulated. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { feedHead } from "../../src/storage/queries.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { type Storage, sql } from "../../src/storage/storage.ts";
import { isUnavailable } from "./contract.ts";

let folder: string;
let file: string;
const children: ChildProcess[] = [];
const stores: Storage[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-sqlite-"));
  file = join(folder, "auth.db");
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await Promise.all(stores.splice(0).map((store) => store.close()));
  rmSync(folder, { recursive: true, force: true });
});

async function open(timeout?: number): Promise<Storage> {
  const storage = openSqlite(file, timeout === undefined ? {} : { timeout });
  stores.push(storage);
  await storage.migrate();
  return storage;
}

/** Runs a program in a process of its own; `file` is its first argument. */
function run(program: string): { readonly child: ChildProcess; line(): Promise<string>; lines: string[] } {
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program, "--", file], {
    cwd: import.meta.dirname,
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  const lines: string[] = [];
  let rest = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts);
    child.emit("line");
  });
  return {
    child,
    lines,
    async line() {
      while (lines.length === 0) await once(child, "line");
      return lines.shift() as string;
    },
  };
}

const HOLD_LOCK = `
  import { DatabaseSync } from "node:sqlite";
  const database = new DatabaseSync(process.argv[1], { timeout: 2000 });
  database.exec("begin immediate");
  console.log("locked");
  process.stdin.once("data", () => { database.exec("commit"); database.close(); process.exit(); });
`;

const USING_STORE = `
  import { openSqlite } from ${JSON.stringify(new URL("../../src/storage/sqlite.ts", import.meta.url).href)};
  import { sql } from ${JSON.stringify(new URL("../../src/storage/storage.ts", import.meta.url).href)};
  const storage = openSqlite(process.argv[1]);
  await storage.migrate();
`;

const add = (storage: Storage, n: number) => storage.write([sql`update latchkey_feed set head = head + ${n}`]);
const head = async (storage: Storage) => (await storage.read(feedHead()))[0]?.head;

/** Writes a row of 400 KB, together with a second statement. */
const addMuch = (storage: Storage, name: string) =>
  storage.write([
    sql`insert into latchkey_users (username, username_key, password, first_name, last_name, epoch, created_at)
      values (${name}, ${name}, ${"x".repeat(400_000)}, '', '', 0, 0)`,
    sql`update latchkey_feed set head = head + 1000`,
  ]);

test("a disk that fills up in the middle of a group undoes the whole group and is 503 (checklist 93)", async () => {
  const storage = await open();
  await add(storage, 1);
  const pages = (await storage.read(sql`pragma page_count`))[0]?.page_count as number;
  // The limit is the writing connection's own, as a disk would be.
  await storage.write([{ strings: [`pragma max_page_count = ${pages + 120}`], values: [] }]);
  const settled = await Promise.allSettled([
    add(storage, 10),
    addMuch(storage, "a"),
    addMuch(storage, "b"),
    add(storage, 100),
  ]);
  for (const one of settled) {
    assert.equal(one.status, "rejected");
    assert.ok(isUnavailable(one.reason), String(one.reason));
    assert.match(one.reason.reason, /full/);
  }
  assert.equal(await head(storage), 1);
  assert.deepEqual(await storage.read(sql`select id from latchkey_users`), []);

  await storage.write([sql`pragma max_page_count = 1000000`]);
  await Promise.all([add(storage, 1), addMuch(storage, "a")]);
  assert.equal(await head(storage), 1002);
});

test("a lock held by another process leaves the event loop and the readers free, and is waited for", async () => {
  const storage = await open();
  const holder = run(HOLD_LOCK);
  await holder.line();
  const writes = [add(storage, 1), add(storage, 1)];
  let turns = 0;
  const start = performance.now();
  while (performance.now() - start < 300) {
    await sleep(5);
    turns++;
    assert.equal(await head(storage), 0);
  }
  // A thread that waits for the lock would have none; how many there are is the machine's business.
  assert.ok(turns > 3, `${turns} turns of the event loop in 300 ms`);
  holder.child.stdin?.write("go\n");
  await Promise.all([...writes, add(storage, 1)]);
  assert.equal(await head(storage), 3);
});

test("a lock held past the deadline is 503, nothing has happened, and the next write works", async () => {
  const storage = await open(250);
  const holder = run(HOLD_LOCK);
  await holder.line();
  const start = performance.now();
  const early = add(storage, 1);
  const late = sleep(150).then(() => add(storage, 10));
  await assert.rejects(early, isUnavailable);
  const waited = performance.now() - start;
  assert.ok(waited >= 250 && waited < 600, `${waited} ms`);
  // The second came later and has its whole time.
  await assert.rejects(late, isUnavailable);
  assert.ok(performance.now() - start >= 400);
  holder.child.stdin?.write("go\n");
  await once(holder.child, "exit");
  await add(storage, 100);
  assert.equal(await head(storage), 100);
});

test("a start waits for a lock, and is one sentence when it is never released", async () => {
  await open();
  const holder = run(HOLD_LOCK);
  await holder.line();
  // Tables that are there need no lock.
  await open(100);
  const database = new DatabaseSync(file);
  holder.child.kill("SIGKILL");
  await once(holder.child, "exit");
  database.exec("drop table latchkey_migrations; begin immediate");
  await assert.rejects(open(100), /^StorageOpenError: The database .*auth\.db can't be used \(database is locked\)/);
  database.close();
});

test("kill -9 during writes leaves every acknowledged write there (checklist 49)", async () => {
  for (let round = 0; round < 3; round++) {
    const writer = run(`${USING_STORE}
      const rows = await storage.read(sql\`select head from latchkey_feed\`);
      const say = (n) => process.stdout.write(n + "\\n");
      say(rows[0].head);
      for (let i = 0; i < 8; i++) (async () => {
        for (;;) say((await storage.write([sql\`update latchkey_feed set head = head + 1 returning head\`]))[0][0].head);
      })();
    `);
    while (writer.lines.length < 200 + round * 37) await once(writer.child, "line");
    writer.child.kill("SIGKILL");
    await once(writer.child, "close");
    const storage = await open();
    const acknowledged = Math.max(...writer.lines.map(Number));
    assert.ok(((await head(storage)) as number) >= acknowledged);
    await storage.close();
  }
});

test("an idle store keeps no process alive, a write under way does", async () => {
  const idle = run(`${USING_STORE}
    storage.write([sql\`update latchkey_feed set head = head + 1\`]).then(() => console.log("written"));
  `);
  assert.equal(await idle.line(), "written");
  const [code] = await once(idle.child, "exit");
  assert.equal(code, 0);
});

test("a column that a newer release adds while this one runs shows up in new rows (checklist 102)", async () => {
  const storage = await open();
  const bump = () => storage.write([sql`update latchkey_feed set head = head + 1 returning *`]);
  const look = () => storage.read(sql`select * from latchkey_feed`);
  await bump();
  await look();
  const newer = new DatabaseSync(file);
  newer.exec("alter table latchkey_feed add column later text default 'new'");
  newer.close();
  const written = (await bump())?.[0]?.[0];
  assert.deepEqual({ ...written }, { store_id: written?.store_id, head: 2, later: "new" });
  assert.deepEqual(
    (await look()).map((row) => ({ ...row })),
    [{ ...written }],
  );
});
