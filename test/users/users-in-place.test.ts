/** Users in a table that a real Django made and goes on using, on both stores. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import postgres from "postgres";
import { drfContract } from "../../src/contracts/drf.ts";
import { createHandler } from "../../src/handler.ts";
import {
  type Auth,
  type AuthOptions,
  createAuth,
  djangoUsers,
  openPostgres,
  openSqlite,
  type Tokens,
} from "../../src/index.ts";
import { usersTrigger } from "../../src/storage/users-trigger.ts";
import { temporaryFolder } from "../support/child-server.ts";
import { PASSWORD, TEST_SECRET } from "../support/engine.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { type Django, missingDjango, startDjango } from "./django.ts";

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

/** Those of the project's own hasher. */
const passwordFormat = { format: "django", iterations: 100_000 } as const;

const settings = [
  { name: "a custom model's table on SQLite", table: "user_user", database: async () => join(folder, "users.db") },
  { name: "auth_user on PostgreSQL", table: "auth_user", database: () => server.createDatabase() },
] as const;

for (const { name, table, database } of settings) {
  describe(`users in place, ${name}`, { skip }, () => {
    let auth: Auth;
    let django: Django;
    let count = 0;
    const open = async (url: string, more: Partial<AuthOptions> = {}) =>
      createAuth({
        secret: TEST_SECRET,
        storage: url.startsWith("postgres") ? openPostgres(url) : openSqlite(url),
        users: djangoUsers({ table }),
        passwordFormat,
        ...more,
      });
    let url: string;
    before(async () => {
      url = await database();
      django = await startDjango(url, table);
      auth = await open(url);
    });
    after(async () => {
      await auth?.close();
      await django?.stop();
    });

    /** A user that Django created. */
    async function create(fields: Record<string, unknown> = {}): Promise<{ id: number; username: string }> {
      const username = `Ada${++count}`;
      return { username, id: await django.run("create", username, { password: PASSWORD, ...fields }) };
    }
    const isRefused = async (tokens: Tokens, code: "session_ended" | "user_not_found") => {
      await assert.rejects(async () => auth.authenticate(tokens.accessToken), { code });
      await assert.rejects(auth.refresh(tokens.refreshToken), { code: "session_ended" });
    };

    test("whom Django created signs in, and is shown as Django has them", async () => {
      const { id, username } = await create({ email: "Ada1@Example.com", first_name: "Ada", is_staff: true });
      const tokens = await auth.login({ username, password: PASSWORD });
      const user = await (await auth.authenticate(tokens.accessToken)).user();
      const row = await django.run("read", username);
      assert.deepEqual(user, {
        id,
        username,
        email: row.email,
        firstName: "Ada",
        lastName: "",
        isStaff: true,
        isSuperuser: false,
        isActive: true,
        createdAt: Math.floor(Date.parse(row.date_joined) / 1000),
      });
      assert.ok(Math.abs(Date.parse(row.last_login) - Date.now()) < 60_000, `last_login is ${row.last_login}`);
      assert.equal((await auth.login({ email: "ada1@example.COM", password: PASSWORD })).generation, 0);
      assert.equal((await auth.refresh(tokens.refreshToken)).generation, 1);
      assert.equal((await auth.users.list({ search: "ada1" })).users[0]?.id, id);
    });

    test("names are told apart by case, as Django does, and an address that several share signs nobody in", async () => {
      const { username } = await create({ email: "shared@example.com" });
      const other = await django.run("create", username.toLowerCase(), {
        password: PASSWORD,
        email: "shared@example.com",
      });
      const { accessToken } = await auth.login({ username: username.toLowerCase(), password: PASSWORD });
      assert.equal((await auth.authenticate(accessToken)).userId, other);
      await assert.rejects(auth.login({ username: username.toUpperCase(), password: PASSWORD }), {
        code: "invalid_credentials",
      });
      await assert.rejects(auth.login({ email: "shared@example.com", password: PASSWORD }), {
        code: "invalid_credentials",
        reason: "several users share that name",
      });
      await create();
      await assert.rejects(auth.login({ email: "", password: PASSWORD }), { code: "invalid_credentials" });
    });

    test("whom an address belongs to in its very case signs in where case counts, behind others that differ in it", async () => {
      const handle = createHandler(auth, { contracts: [drfContract(auth)] });
      const statusOf = async (email: string) => {
        const headers = { "content-type": "application/json" };
        const body = JSON.stringify({ email, password: PASSWORD });
        return (await handle(new Request("http://x/api/auth/login/", { method: "POST", headers, body }))).status;
      };
      const addresses = ["VIC@example.com", "Vic@example.com", "vic@example.com"];
      for (const email of addresses) await create({ email });
      for (const email of addresses) assert.equal(await statusOf(email), 200, email);
      await create({ email: "vic@example.com" });
      assert.equal(await statusOf("vic@example.com"), 401, "two have it in this case");
      assert.equal(await statusOf("vIC@example.com"), 401, "nobody has it in this case");
      await assert.rejects(auth.login({ email: "vic@example.com", password: PASSWORD }), {
        code: "invalid_credentials",
      });
    });

    test("guesses are counted by the name in its case: that tells nobody who there is, and nobody ends another's count (checklist 71, 72)", async () => {
      const outcomeOf = async (username: string, password: string) => {
        try {
          await auth.login({ username, password });
          return "ok";
        } catch (error) {
          return (error as { code: string }).code;
        }
      };
      const { username } = await create();
      await django.run("create", username.toUpperCase(), { password: PASSWORD });
      for (const name of [username, "Nobody"]) {
        for (let i = 0; i < 5; i++) await outcomeOf(name.toLowerCase(), "a guess");
        assert.equal(await outcomeOf(name, "a guess"), "invalid_credentials", name);
      }
      for (let i = 0; i < 4; i++) await outcomeOf(username, "a guess");
      assert.equal(await outcomeOf(username.toUpperCase(), PASSWORD), "ok");
      assert.equal(await outcomeOf(username, PASSWORD), "rate_limited");
    });

    test("a password that Django changes ends the sessions from before, at the guard and at the refresh", async () => {
      const { username } = await create();
      const tokens = await auth.login({ username, password: PASSWORD });
      await django.run("password", username, "another fine password");
      await isRefused(tokens, "session_ended");
      await assert.rejects(auth.login({ username, password: PASSWORD }), { code: "invalid_credentials" });
      const again = await auth.login({ username, password: "another fine password" });
      assert.equal((await auth.refresh(again.refreshToken)).generation, 1);
      await django.run("password", username, PASSWORD);
      await isRefused(again, "session_ended");
      await isRefused(tokens, "session_ended");
    });

    test("a password that Django changed ends sessions that began without a login as well, each time", async () => {
      const { id, username } = await create();
      for (const password of ["another fine password", PASSWORD]) {
        const tokens = await auth.sessions.start(id);
        assert.equal((await auth.authenticate(tokens.accessToken)).userId, id);
        await django.run("password", username, password);
        await isRefused(tokens, "session_ended");
      }
    });

    test("whom Django deactivates is refused everywhere, and whom it deletes", async () => {
      const { id, username } = await create();
      const tokens = await auth.login({ username, password: PASSWORD });
      await django.run("set", username, { is_active: false });
      await isRefused(tokens, "user_not_found");
      await assert.rejects(auth.login({ username, password: PASSWORD }), { code: "invalid_credentials" });
      await assert.rejects(auth.sessions.start(id), { code: "user_not_found" });
      const doomed = await create();
      const last = await auth.login({ username: doomed.username, password: PASSWORD });
      await django.run("delete", doomed.username);
      await isRefused(last, "user_not_found");
      assert.equal(await auth.users.byId(doomed.id), undefined);
    });

    test("a password changed here signs in at Django, and spares the session that changed it", async () => {
      const { id, username } = await create();
      const other = await auth.login({ username, password: PASSWORD });
      const mine = await auth.login({ username, password: PASSWORD });
      const identity = await auth.authenticate(mine.accessToken);
      await auth.changePassword(identity, { currentPassword: PASSWORD, newPassword: "a password of mine" });
      assert.equal(await django.run("authenticate", username, "a password of mine"), id);
      assert.equal(await django.run("authenticate", username, PASSWORD), null);
      await isRefused(other, "session_ended");
      assert.equal((await auth.authenticate(mine.accessToken)).userId, id);
      assert.equal((await auth.refresh(mine.refreshToken)).generation, 1);
      await auth.users.setPassword(id, "set by the staff of it");
      assert.equal(await django.run("authenticate", username, "set by the staff of it"), id);
      await isRefused(mine, "session_ended");
    });

    test("a hash made anew at the login ends nothing, and Django takes it", async () => {
      const { id, username } = await create();
      const dear = await open(url, { passwordFormat: { format: "django", iterations: 120_000 } });
      try {
        const before = await auth.login({ username, password: PASSWORD });
        await dear.login({ username, password: PASSWORD });
        assert.match((await django.run("read", username)).password, /^pbkdf2_sha256\$120000\$/);
        assert.equal((await auth.refresh(before.refreshToken)).generation, 1);
        assert.equal((await django.run("authenticate", username, PASSWORD)) === id, true);
      } finally {
        await dear.close();
      }
    });

    test("whom we register, deactivate and promote is what Django sees", async () => {
      const username = `Grace${++count}`;
      const email = `${username}@example.com`;
      const user = await auth.register({ username, email, password: PASSWORD, firstName: "Grace" });
      assert.equal(await django.run("authenticate", username, PASSWORD), user.id);
      const row = await django.run("read", username);
      assert.deepEqual([row.is_active, row.is_staff, row.is_superuser, row.first_name], [true, false, false, "Grace"]);
      assert.equal(user.createdAt, Math.floor(Date.parse(row.date_joined) / 1000));
      await assert.rejects(auth.register({ username, email: "x@example.com", password: PASSWORD }), {
        code: "username_taken",
      });
      await assert.rejects(
        auth.register({ username: `${username}x`, email: email.toLowerCase(), password: PASSWORD }),
        {
          code: "email_taken",
        },
      );
      const tokens = await auth.login({ username, password: PASSWORD });
      assert.equal((await auth.users.setRoles(user.id, { isStaff: true })).isStaff, true);
      assert.equal((await django.run("read", username)).is_staff, true);
      assert.equal(await auth.users.deactivate(user.id), true);
      assert.equal(await auth.users.deactivate(user.id), false);
      assert.equal((await django.run("read", username)).is_active, false);
      assert.equal(await auth.users.reactivate(user.id), true);
      await isRefused(tokens, "session_ended");
      await assert.rejects(auth.users.delete(user.id), { code: "input_invalid" });
    });

    test("staff who are so in Django act here, and what they do is in Django's row", async () => {
      const [root, clerk, bob] = await Promise.all([
        create({ is_superuser: true, is_staff: true }),
        create({ is_staff: true }),
        create({ email: "bob.in.place@example.com" }),
      ]);
      const { staff } = auth;
      const tokens = await auth.login({ username: bob.username, password: PASSWORD });
      await assert.rejects(staff.update(clerk.id, bob.id, { isStaff: true }), { code: "insufficient_scope" });
      assert.equal((await staff.update(clerk.id, bob.id, { isActive: false })).isActive, false);
      assert.equal((await django.run("read", bob.username)).is_active, false);
      await isRefused(tokens, "user_not_found");
      assert.equal((await staff.update(root.id, bob.id, { isActive: true, isStaff: true })).isStaff, true);
      const { is_active, is_staff } = await django.run("read", bob.username);
      assert.deepEqual([is_active, is_staff], [true, true]);
      assert.deepEqual(
        (await auth.users.list({ search: "BOB.in" })).users.map(({ id }) => id),
        [bob.id],
      );
      await assert.rejects(auth.users.list({ search: "bob", after: "u.Ym9i" }), { code: "input_invalid" });
    });

    test("ids beyond those of the table, and names that are no names, find nobody", async () => {
      assert.equal(await auth.users.byId(Number.MAX_SAFE_INTEGER), undefined);
      await assert.rejects(auth.users.setPassword(2 ** 40, PASSWORD), { code: "user_not_found" });
      assert.equal((await auth.users.list({ after: String(2 ** 40) })).users.length, 0);
      await assert.rejects(auth.login({ username: "a' or 1=1 --", password: PASSWORD }), {
        code: "invalid_credentials",
      });
    });
  });
}

test("a table or a column that is no name, or is not there, is refused with a sentence", { skip }, async () => {
  assert.throws(() => djangoUsers({ table: 'x"; drop table y; --' }), /users\.table must be a name/);
  assert.throws(() => djangoUsers({ table: "a.b.c" }), /users\.table must be/);
  assert.throws(() => djangoUsers({ columns: { email: "e?" } }), /users\.columns\.email must be a name/);
  assert.throws(() => djangoUsers({ columns: { password: null as unknown as string } }), /users\.columns\.password/);
  assert.throws(() => djangoUsers({ columns: { nick: "n" } as object }), /users\.columns\.nick is unknown/);
  for (const storage of [openSqlite(":memory:"), openPostgres(await server.createDatabase())]) {
    await assert.rejects(
      createAuth({ secret: TEST_SECRET, storage, users: djangoUsers({ table: "nowhere" }) }),
      /the users table "nowhere" can't be read with the columns id, username/,
    );
    await storage.close();
  }
});

test("with the trigger, what Django does reaches the feed, and Latchkey's own changes only once", {
  skip,
}, async (t) => {
  const url = await server.createDatabase();
  const django = await startDjango(url);
  t.after(() => django.stop());
  const options = { secret: TEST_SECRET, passwordFormat } as const;
  const live = await createAuth({ ...options, storage: openPostgres(url), users: djangoUsers() });
  t.after(() => live.close());
  const missing = openPostgres(url);
  const users = djangoUsers({ freshness: "feed" });
  await assert.rejects(createAuth({ ...options, storage: missing, users }), /has no trigger that feeds the feed/);
  await missing.close();
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  t.after(() => sql.end());
  const text = usersTrigger({ ...users, longestAccessLife: 3600 });
  await sql.unsafe(text);
  await sql.unsafe(text);
  const auth = await createAuth({ ...options, storage: openPostgres(url), users });
  t.after(() => auth.close());

  const create = (username: string) => django.run("create", username, { password: PASSWORD });
  const until = async (tokens: Tokens, code: string) => {
    for (let i = 0; i < 100; i++) {
      try {
        await auth.authenticate(tokens.accessToken);
      } catch (error) {
        assert.equal((error as { code?: string }).code, code);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.fail(`the access token is still taken, and not ${code}`);
  };
  for (const [username, command, value, code] of [
    ["ada", "password", "another fine password", "session_ended"],
    ["bob", "set", { is_active: false }, "user_not_found"],
    ["eve", "delete", undefined, "user_not_found"],
  ] as const) {
    await create(username);
    const tokens = await auth.login({ username, password: PASSWORD });
    await django.run("set", username, { first_name: "Still", last_login: null });
    assert.equal((await auth.refresh(tokens.refreshToken)).generation, 1);
    await django.run(command, username, value);
    await until(tokens, code);
    await assert.rejects(auth.refresh(tokens.refreshToken), { code: "session_ended" });
  }
  const mine = await auth.login({ username: "ada", password: "another fine password" });
  const identity = await auth.authenticate(mine.accessToken);
  await auth.changePassword(identity, { currentPassword: "another fine password", newPassword: "a password of mine" });
  assert.equal((await auth.refresh(mine.refreshToken)).generation, 1);
  assert.equal((await auth.authenticate(mine.accessToken)).userId, identity.userId);
});
