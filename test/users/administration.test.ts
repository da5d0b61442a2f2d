/** What staff and the command line do to users. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { AuthError, type AuthErrorCode } from "../../src/errors.ts";
import { openPostgres } from "../../src/storage/postgres.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { createEngine, type Engine, PASSWORD, signIn } from "../support/engine.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";

const refused = (code: AuthErrorCode) => (error: unknown) => {
  assert.ok(error instanceof AuthError, String(error));
  assert.equal(error.code, code, error.reason);
  return true;
};

let server: PostgresServer;
before(async () => {
  server = await startPostgres();
});
after(() => server.stop());

const stores: readonly [name: string, open: () => Promise<Storage>][] = [
  ["SQLite", async () => openSqlite(":memory:")],
  ["PostgreSQL", async () => openPostgres(await server.createDatabase())],
];

for (const [name, open] of stores) {
  describe(`administration over a store on ${name}`, () => {
    async function withEngine(body: (engine: Engine) => Promise<void>) {
      const engine = await createEngine({ storage: await open() });
      try {
        await body(engine);
      } finally {
        await engine.auth.close();
      }
    }

    test("users are found by id, username and email, without regard to case", () =>
      withEngine(async (engine) => {
        const { user } = await signIn(engine);
        const { users } = engine.auth;
        for (const found of [{ id: user.id }, { username: "ADA" }, { email: "Ada@Example.com" }]) {
          assert.equal((await users.find(found))?.id, user.id);
        }
        for (const none of [{ id: 99 }, { username: "ada@example.com" }, { email: "ada" }, { username: "a\0" }]) {
          assert.equal(await users.find(none), undefined);
        }
      }));

    test("a list goes page by page, and searches by how a name or an email begins", () =>
      withEngine(async ({ auth }) => {
        const names = ["ada", "adam", "bob", "eve", "mallory"];
        for (const username of names) {
          await auth.register({ username, email: `${username}@example.com`, password: PASSWORD });
        }
        const seen: string[] = [];
        let after: number | undefined;
        do {
          const page = await auth.users.list({ limit: 2, after });
          assert.ok(page.users.length <= 2);
          seen.push(...page.users.map(({ username }) => username));
          after = page.next;
        } while (after !== undefined);
        assert.deepEqual(seen, names);
        const search = async (text: string) => (await auth.users.list({ search: text })).users.map((u) => u.username);
        assert.deepEqual(await search("ADA"), ["ada", "adam"]);
        assert.deepEqual(await search("bob@"), ["bob"]);
        assert.deepEqual(await search("%"), []);
        assert.deepEqual(await search("x\0"), []);
        for (const limit of [0, 1001, 1.5, Number.NaN]) {
          await assert.rejects(auth.users.list({ limit }), refused("input_invalid"));
        }
      }));

    test("a password that staff set ends all sessions, and the rules hold for it", () =>
      withEngine(async (engine) => {
        const { auth } = engine;
        const { user, tokens } = await signIn(engine);
        await assert.rejects(auth.users.setPassword(user.id, "short"), refused("input_invalid"));
        await assert.rejects(auth.users.setPassword(99, "another fine password"), refused("user_not_found"));
        await auth.users.setPassword(user.id, "another fine password");
        await assert.rejects(async () => auth.authenticate(tokens.accessToken), refused("session_ended"));
        await assert.rejects(auth.login({ username: "ada", password: PASSWORD }), refused("invalid_credentials"));
        assert.equal((await auth.login({ username: "ada", password: "another fine password" })).generation, 0);
      }));

    test("roles are given and taken one by one", () =>
      withEngine(async (engine) => {
        const { user } = await signIn(engine);
        const { users } = engine.auth;
        assert.equal((await users.setRoles(user.id, { isStaff: true })).isStaff, true);
        const both = await users.setRoles(user.id, { isSuperuser: true });
        assert.deepEqual([both.isStaff, both.isSuperuser], [true, true]);
        assert.equal((await users.setRoles(user.id, { isStaff: false })).isStaff, false);
        await assert.rejects(users.setRoles(99, { isStaff: true }), refused("user_not_found"));
      }));

    test("everybody can be signed out, as after a backup was restored", () =>
      withEngine(async (engine) => {
        const ada = await signIn(engine);
        const bob = await signIn(engine, "bob");
        await engine.auth.register({ username: "eve", email: "eve@example.com", password: PASSWORD });
        assert.equal(await engine.auth.sessions.endEverybodys(), 2);
        for (const { tokens } of [ada, bob]) {
          await assert.rejects(async () => engine.auth.authenticate(tokens.accessToken), refused("session_ended"));
          await assert.rejects(engine.auth.refresh(tokens.refreshToken), refused("session_ended"));
        }
        assert.equal(await engine.auth.sessions.endEverybodys(), 0);
      }));

    test("a session can be started for who has shown otherwise who they are, but not for the inactive", () =>
      withEngine(async (engine) => {
        const { user } = await signIn(engine);
        const tokens = await engine.auth.sessions.start(user.id);
        assert.equal((await engine.auth.authenticate(tokens.accessToken)).userId, user.id);
        await engine.auth.users.deactivate(user.id);
        await assert.rejects(engine.auth.sessions.start(user.id), refused("user_not_found"));
        await assert.rejects(engine.auth.sessions.start(99), refused("user_not_found"));
      }));
  });
}
