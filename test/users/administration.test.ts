/** What staff and the command line do to users. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AuthError, type AuthErrorCode } from "../../src/errors.ts";
import { insertUser, usersByKeys } from "../../src/storage/queries.ts";
import { sql } from "../../src/storage/storage.ts";
import { toKey } from "../../src/users/names.ts";
import { createEngine, type Engine, PASSWORD, signIn } from "../support/engine.ts";
import { bothStores } from "../support/stores.ts";

const refused = (code: AuthErrorCode) => (error: unknown) => {
  assert.ok(error instanceof AuthError, String(error));
  assert.equal(error.code, code, error.reason);
  return true;
};

for (const [name, open] of bothStores()) {
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
        let after: string | undefined;
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

    test("a search that many names answer goes page by page: everybody once, by name and by email together", () =>
      withEngine(async ({ auth, storage, system }) => {
        // Names and emails that begin alike, apart, and in scripts whose order differs between UTF-16 and UTF-8.
        const rows: [username: string, email: string][] = [
          ...Array.from({ length: 12 }, (_, i): [string, string] => [`ax${i}`, `ax${i}@example.com`]),
          ...Array.from({ length: 12 }, (_, i): [string, string] => [`ab${i}`, `az${i}@example.com`]),
          ...Array.from({ length: 12 }, (_, i): [string, string] => [`zz${i}`, `ac${i}@example.com`]),
          ["a𝒳", "other@example.com"],
          ["aｚ", "another@example.com"],
          ["a\uffdc", "third@example.com"],
          ["b", "b@example.com"],
        ];
        for (const [username, email] of rows) {
          const keys = { usernameKey: toKey(username), emailKey: toKey(email) };
          const user = { username, email, ...keys, password: "!", firstName: "", lastName: "", now: system.now() };
          assert.equal((await storage.write([insertUser(user)]))?.[0]?.length, 1);
        }
        const expected = rows.map(([username]) => username).filter((username) => username !== "b");
        for (const limit of [1, 2, 5, 7, 100]) {
          const seen: string[] = [];
          let after: string | undefined;
          do {
            const page = await auth.users.list({ search: "A", limit, after });
            assert.ok(page.users.length <= limit);
            seen.push(...page.users.map(({ username }) => username));
            after = page.next;
          } while (after !== undefined);
          assert.deepEqual(seen.toSorted(), expected.toSorted());
        }
      }));

    test("a search reads two indexes and sorts nothing that grows with the users", () =>
      withEngine(async ({ storage }) => {
        const { strings, values } = usersByKeys({ usernameFrom: "a", emailFrom: "a", end: "b", limit: 10 });
        const isSqlite = storage.kind === "sqlite";
        const explain = {
          strings: [`explain ${isSqlite ? "query plan " : ""}${strings[0]}`, ...strings.slice(1)],
          values,
        };
        // A table of three rows PostgreSQL would rather read whole.
        const plan = isSqlite
          ? await storage.read(explain)
          : (await storage.write([sql`set local enable_seqscan = off`, explain]))?.[1];
        const text = JSON.stringify(plan);
        assert.doesNotMatch(text, /SCAN [ne]\b|Seq Scan/);
        assert.equal(text.match(isSqlite ? /SEARCH [ne] USING INDEX/g : /Index Scan using/g)?.length, 2, text);
      }));

    test("two superusers who take each other's role at once leave one", () =>
      withEngine(async (engine) => {
        for (let round = 0; round < 5; round++) {
          const [one, two] = await Promise.all([signIn(engine, `one${round}`), signIn(engine, `two${round}`)]);
          const ids = [one.user.id, two.user.id] as const;
          for (const id of ids) await engine.auth.users.setRoles(id, { isSuperuser: true });
          const outcomes = await Promise.allSettled([
            engine.auth.staff.update(ids[0], ids[1], { isSuperuser: false }),
            engine.auth.staff.update(ids[1], ids[0], { isActive: false }),
          ]);
          assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
          for (const outcome of outcomes) {
            if (outcome.status === "rejected") refused("insufficient_scope")(outcome.reason);
          }
          const left = await Promise.all(ids.map((id) => engine.auth.users.byId(id)));
          assert.equal(left.filter((user) => user?.isActive && user.isSuperuser).length, 1);
        }
      }));

    test("what two members of staff do to one user at once is done in turn, and nothing of it is lost", () =>
      withEngine(async (engine) => {
        const [root, boss, bob] = await Promise.all(["root", "boss", "bob"].map((name) => signIn(engine, name)));
        assert.ok(root && boss && bob);
        for (const { user } of [root, boss]) await engine.auth.users.setRoles(user.id, { isSuperuser: true });
        const { staff, users } = engine.auth;
        await Promise.all([
          staff.update(root.user.id, bob.user.id, { isStaff: true }),
          staff.update(boss.user.id, bob.user.id, { isSuperuser: true }),
        ]);
        const both = await users.byId(bob.user.id);
        assert.deepEqual([both?.isStaff, both?.isSuperuser], [true, true]);
        const twice = await Promise.all(
          [root, boss].map(({ user }) => staff.update(user.id, bob.user.id, { isActive: false })),
        );
        assert.deepEqual(
          twice.map(({ isActive }) => isActive),
          [false, false],
        );
        await assert.rejects(
          staff.update(bob.user.id, root.user.id, { isActive: false }),
          refused("insufficient_scope"),
        );
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
