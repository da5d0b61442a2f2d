/** `latchkey import django`: users of a real Django, with their ids and hashes, into a store of ours. */
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { createAuth, openPostgres, openSqlite, type Row, type Storage } from "../../src/index.ts";
import { importUsers } from "../../src/users/import-users.ts";
import { temporaryFolder } from "../support/child-server.ts";
import { runCommand } from "../support/command.ts";
import { PASSWORD, TEST_SECRET } from "../support/engine.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type Django, missingDjango, startDjango } from "../users/django.ts";

const skip = missingDjango();
const folder = temporaryFolder();
let server: PostgresServer;
before(async () => {
  if (!skip) server = await startPostgres();
});
after(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const at = (database: string, more: Record<string, string> = {}) => ({
  env: { DATABASE_URL: database, JWT_SECRET_KEY: TEST_SECRET, ...more },
});

/** What a shop's table looks like after some years. */
async function fill(django: Django): Promise<Record<string, number>> {
  const ids: Record<string, number> = {};
  const create = async (username: string, fields: object = {}) => {
    ids[username] = await django.run("create", username, { password: PASSWORD, ...fields });
  };
  await create("ada", { email: "ada@example.com", first_name: "Ada", is_staff: true });
  await create("eve", { email: "ADA@example.com" });
  await create("ADA", { email: "other@example.com" });
  await create("nomail");
  await create("nomail2");
  await create("unusable", { email: "u@example.com", password: null });
  await create("bob@example.com", { email: "bob@example.com", is_active: false });
  await create("odd", { email: "odd@example.com" });
  await django.run("set", "odd", { password: "md5$salt$0123456789abcdef0123456789abcdef" });
  return ids;
}

const COUNTS = {
  imported: 7,
  present: 0,
  no_email: 2,
  shared_email: 1,
  unusable_password: 1,
  unknown_hash: 1,
  shared_username: 1,
  id_taken: 0,
  no_username: 0,
};

async function tryUsers(storage: Storage, ids: Record<string, number>): Promise<void> {
  const auth = await createAuth({ secret: TEST_SECRET, storage });
  try {
    const { accessToken } = await auth.login({ email: "ada@EXAMPLE.com", password: PASSWORD });
    const identity = await auth.authenticate(accessToken);
    assert.equal(identity.userId, ids.ada);
    const ada = await identity.user();
    assert.deepEqual([ada?.firstName, ada?.isStaff, ada?.isSuperuser], ["Ada", true, false]);
    assert.equal((await auth.users.find({ username: "eve" }))?.email, "");
    assert.equal((await auth.login({ username: "eve", password: PASSWORD })).generation, 0);
    assert.equal((await auth.users.find({ username: "bob@example.com" }))?.isActive, false);
    for (const username of ["unusable", "bob@example.com", "odd"]) {
      await assert.rejects(auth.login({ username, password: PASSWORD }), { code: "invalid_credentials" });
    }
    assert.equal(await auth.users.byId(ids.ADA as number), undefined);
    const next = await auth.register({ username: "next", email: "next@example.com", password: PASSWORD });
    assert.ok(next.id > (ids.odd as number), "ids go on above those that came");
  } finally {
    await auth.close();
  }
}

test("users of a SQLite file come with ids, hashes and flags; the report says who did not, and why", {
  skip,
}, async (t) => {
  const source = join(folder, "shop.sqlite3");
  const django = await startDjango(source);
  t.after(() => django.stop());
  const ids = await fill(django);
  const target = join(folder, "target.db");
  const dry = await runCommand(["import", "django", "--from", source, "--dry-run", "--json"], at(target));
  assert.equal(dry.code, 0, dry.errors);
  assert.deepEqual(dry.json(), COUNTS);
  assert.throws(() => readFileSync(target), { code: "ENOENT" }, "a dry run leaves nothing");

  const report = join(folder, "report.jsonl");
  const arguments_ = ["import", "django", "--from", source, "--json"];
  const first = await runCommand([...arguments_, "--report", report], at(target));
  assert.equal(first.code, 0, first.errors);
  assert.deepEqual(first.json(), COUNTS);
  const remarks = readFileSync(report, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    remarks.map(({ id, username, outcome }) => [id, username, outcome]).sort(),
    [
      [ids.eve, "eve", "sharedEmail"],
      [ids.ADA, "ADA", "sharedUsername"],
      [ids.nomail, "nomail", "noEmail"],
      [ids.nomail2, "nomail2", "noEmail"],
      [ids.unusable, "unusable", "unusablePassword"],
      [ids.odd, "odd", "unknownHash"],
    ].sort(),
  );

  assert.deepEqual((await runCommand(arguments_, at(target))).json(), COUNTS, "the same once more changes nothing");
  const all = (await runCommand([...arguments_, "--from-start"], at(target))).json();
  assert.deepEqual([all.imported, all.present, all.shared_username], [0, 7, 1]);
  await django.run("create", "late", { password: PASSWORD, email: "late@example.com" });
  const later = await runCommand(["import", "django", "--from", source, "--from-start"], at(target));
  assert.match(later.output, /has 1 users of that Django/);
  assert.match(later.output, /7 {2}were here already/);
  await django.stop();
  await tryUsers(openSqlite(target), ids);
  const tables = new DatabaseSync(source, { readOnly: true });
  const { count } = tables
    .prepare("select count(*) as count from sqlite_schema where name like 'latchkey%'")
    .get() as Row;
  tables.close();
  assert.equal(count, 0, "nothing was made in Django's database");
});

test("users of a PostgreSQL come into a PostgreSQL; a password in an argument is refused", { skip }, async (t) => {
  const source = await server.createDatabase();
  const django = await startDjango(source, "user_user");
  t.after(() => django.stop());
  const ids = await fill(django);
  await django.stop();
  const target = await server.createDatabase();
  const shown = await runCommand(["import", "django", "--from", source], at(target));
  assert.equal(shown.code, 1);
  assert.match(shown.errors, /^latchkey: --from has a password/);
  const password = new URL(source).password;
  assert.ok(password && !shown.errors.includes(password));
  const command = ["import", "django", "--from-env", "SHOP", "--table", "user_user", "--json"];
  const wrong = await runCommand(command.with(-2, "nowhere"), at(target, { SHOP: source }));
  assert.match(wrong.errors, /relation "nowhere" does not exist/);
  const first = await runCommand(command, at(target, { SHOP: source }));
  assert.equal(first.code, 0, first.errors);
  assert.deepEqual(first.json(), COUNTS);
  const file = join(folder, "source");
  writeFileSync(file, `${source}\n`);
  const again = await runCommand(command.with(2, "--from-file").with(3, file), at(target));
  assert.deepEqual(again.json(), COUNTS, again.errors);
  await tryUsers(openPostgres(target), ids);
});

test("a source that is none is refused with a sentence", async () => {
  const cases: readonly [args: readonly string[], pattern: RegExp, input?: string][] = [
    [[], /by one of --from, --from-env and --from-file/],
    [["--from", "a.db", "--from-env", "B"], /by one of --from/],
    [["--from-env", "NOT_SET"], /the source is empty/],
    [["--from", join(folder, "none.db")], /none\.db can't be read \(there is no such file\)/],
    [["--from", "mysql://localhost/shop"], /must be the path of a SQLite file, or postgres/],
    [["--from", "-"], /there is no such file/, join(folder, "none.db")],
    [["--from", "a.db", "--table", "x;y"], /users\.table must be a name/],
    [["--from", "a.db", "--columns", "nick=n"], /--columns must be pairs/],
    [["--from", "a.db", "--columns", "email=e'"], /users\.columns\.email must be a name/],
    [["--from", import.meta.filename], /can't be read: file is not a database/],
  ];
  await Promise.all(
    cases.map(async ([args, pattern, input = ""], i) => {
      const result = await runCommand(["import", "django", ...args], { ...at(join(folder, `no-${i}.db`)), input });
      assert.equal(result.code, 1, args.join(" "));
      assert.match(result.errors, pattern);
    }),
  );
});

test("an import that breaks off goes on where it was, also when a batch was written and not noted", async () => {
  const rows = Array.from({ length: 1_700 }, (_, i) => ({
    id: i + 1,
    username: `user${i + 1}`,
    email: `user${(i % 1_600) + 1}@example.com`,
    password: "!",
    is_active: 1,
    is_staff: 0,
    is_superuser: 0,
    created_at: 1_700_000_000,
    last_login_at: null,
  }));
  const reads: number[] = [];
  const read = async (after: number, limit: number) => {
    reads.push(after);
    return rows.filter(({ id }) => id > after).slice(0, limit) as unknown as Row[];
  };
  const whole = openSqlite(":memory:");
  await whole.migrate();
  let writes = 0;
  const failing: Storage = {
    ...whole,
    write: (statements) => (++writes === 4 ? Promise.reject(new Error("the power is gone")) : whole.write(statements)),
  };
  const options = { read, source: "test", now: 1_700_000_000 };
  await assert.rejects(importUsers({ ...options, storage: failing }), /the power is gone/);
  reads.length = 0;
  const counts = await importUsers({ ...options, storage: whole });
  assert.equal(reads[0], 500, "the batch that was noted is not read again");
  assert.deepEqual([counts.imported, counts.present, counts.sharedEmail], [1_200, 500, 100]);
  const [row] = await whole.read({
    strings: ["select count(*) as count, max(id) as last from latchkey_users"],
    values: [],
  });
  assert.deepEqual({ ...row }, { count: 1_700, last: 1_700 });
  await whole.close();
});
