/** The audit trail over both stores: what is in it, what is not, and who may read it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AuditEvent, AuthOptions } from "../../src/auth.ts";
import { startHousekeeping } from "../../src/sessions/housekeeping.ts";
import { sql } from "../../src/storage/storage.ts";
import { createEngine, type Engine, PASSWORD } from "../support/engine.ts";
import { bothStores } from "../support/stores.ts";

const DEVICE = { ip: "198.51.100.7", userAgent: "Firefox\n\u202eon a \u0000 farm" };
const NEWER = "a new one, and better";

for (const [name, open] of bothStores()) {
  describe(`the audit trail over a store on ${name}`, () => {
    async function withEngine(body: (engine: Engine) => Promise<void>, options: Partial<AuthOptions> = {}) {
      const engine = await createEngine({ storage: await open(), ...options });
      try {
        await body(engine);
      } finally {
        await engine.auth.close();
      }
    }

    const registerAda = ({ auth }: Engine) =>
      auth.register({ username: "ada", email: "ada@example.com", password: PASSWORD });

    test("everything that happens to an account is told once, with who, where and why, and no secret (checklist 90)", () =>
      withEngine(async (engine) => {
        const { auth, system } = engine;
        const told: AuditEvent[] = [];
        auth.events.on("*", (event) => void told.push(event));
        const ada = await registerAda(engine);
        const login = { username: "ada", password: PASSWORD };
        await assert.rejects(auth.login({ username: "ada", password: "hunter2 is wrong" }, DEVICE));
        await assert.rejects(auth.login({ username: "hunter2 as a name", password: PASSWORD }, DEVICE));
        const first = await auth.login(login, DEVICE);
        const newer = await auth.refresh(first.refreshToken, {}, DEVICE);
        await auth.logout(newer.refreshToken);
        const second = await auth.login(login, DEVICE);
        await auth.refresh(second.refreshToken);
        system.advance("5m");
        await assert.rejects(auth.refresh(second.refreshToken, {}, DEVICE), { code: "refresh_token_reused" });
        const third = await auth.login(login, DEVICE);
        const identity = await auth.authenticate(third.accessToken);
        await assert.rejects(auth.changePassword(identity, { currentPassword: "hunter2", newPassword: NEWER }));
        await auth.changePassword(identity, { currentPassword: PASSWORD, newPassword: NEWER });
        await auth.sessions.end(ada.id, third.sessionId);
        await auth.sessions.start(ada.id, DEVICE);
        await auth.sessions.endAll(ada.id);
        await auth.users.setPassword(ada.id, PASSWORD);
        await auth.users.setRoles(ada.id, { isStaff: true });
        await auth.users.deactivate(ada.id);
        await auth.users.reactivate(ada.id);
        await auth.users.delete(ada.id);

        const { entries } = await auth.audit.list();
        assert.deepEqual(
          entries.map(({ type, userId, sessionId, reason }) => [type, userId, sessionId, reason]).reverse(),
          [
            ["registered", ada.id, undefined, undefined],
            ["sign_in_refused", ada.id, undefined, "wrong password"],
            ["sign_in_refused", undefined, undefined, "no such user"],
            ["signed_in", ada.id, first.sessionId, undefined],
            ["signed_out", ada.id, first.sessionId, undefined],
            ["signed_in", ada.id, second.sessionId, undefined],
            ["refresh_reused", ada.id, second.sessionId, "generation 0 came again"],
            ["signed_in", ada.id, third.sessionId, undefined],
            ["password_change_refused", ada.id, third.sessionId, "wrong_password"],
            ["password_changed", ada.id, third.sessionId, undefined],
            ["session_ended", ada.id, third.sessionId, undefined],
            ["signed_in", ada.id, String(Number(third.sessionId) + 1), "without a password"],
            ["sessions_ended", ada.id, undefined, undefined],
            ["password_set", ada.id, undefined, undefined],
            ["roles_changed", ada.id, undefined, "staff given"],
            ["deactivated", ada.id, undefined, undefined],
            ["reactivated", ada.id, undefined, undefined],
            ["deleted", ada.id, undefined, undefined],
          ],
        );
        for (const entry of entries.filter(({ type }) => ["signed_in", "refresh_reused"].includes(type))) {
          assert.equal(entry.ip, DEVICE.ip);
          assert.equal(entry.userAgent, "Firefox \u202eon a   farm");
        }
        const withoutId = entries.map(({ id: _, ...event }) => event).reverse();
        assert.deepEqual(told, withoutId, "what listeners are told is what is stored");
        const everything = JSON.stringify(await engine.storage.read(sql`select * from latchkey_audit`));
        for (const secret of [PASSWORD, NEWER, "hunter2", first.refreshToken, third.accessToken]) {
          assert.ok(!everything.includes(secret), secret);
        }
      }));

    test("an entry commits with what it tells of, or not at all (checklist 90)", () =>
      withEngine(async (engine) => {
        const { auth, storage } = engine;
        const ada = await registerAda(engine);
        const { sessionId } = await auth.sessions.start(ada.id);
        await Promise.all(Array.from({ length: 8 }, () => auth.sessions.end(ada.id, sessionId)));
        await Promise.all(Array.from({ length: 8 }, () => auth.users.deactivate(ada.id)));
        const { entries } = await auth.audit.list({ userId: ada.id });
        assert.deepEqual(
          entries.map(({ type }) => type),
          ["deactivated", "session_ended", "signed_in", "registered"],
        );
        await storage.write([sql`delete from latchkey_users`]);
        await assert.rejects(auth.users.setPassword(ada.id, NEWER), { code: "user_not_found" });
        assert.equal((await auth.audit.list()).entries.length, entries.length);
      }));

    test("what a listener throws harms nobody, and one that was taken off hears nothing", () =>
      withEngine(async (engine) => {
        let count = 0;
        engine.auth.events.on("registered", () => {
          throw new Error("at once");
        });
        engine.auth.events.on("*", () => Promise.reject(new Error("later")));
        const off = engine.auth.events.on("registered", () => count++);
        await registerAda(engine);
        off();
        await engine.auth.register({ username: "bea", email: "bea@example.com", password: PASSWORD });
        assert.equal(count, 1);
      }));

    test("guesses beyond the limit are told and not stored, so that a flood fills no disk (checklist 72)", () =>
      withEngine(async (engine) => {
        await registerAda(engine);
        let limited = 0;
        engine.auth.events.on("sign_in_limited", () => limited++);
        const guess = () => engine.auth.login({ username: "ada", password: "not the password" }, DEVICE);
        for (let i = 0; i < 20; i++) await assert.rejects(guess());
        assert.equal(limited, 15);
        assert.equal((await engine.auth.audit.list({ type: "sign_in_refused" })).entries.length, 5);
      }));

    test("it is read page by page, newest first, by user, by kind and from an instant on", () =>
      withEngine(async (engine) => {
        const { auth, system } = engine;
        const ada = await registerAda(engine);
        const bea = await auth.register({ username: "bea", email: "bea@example.com", password: PASSWORD });
        const halfway = system.now() + 600;
        for (let i = 0; i < 12; i++) {
          system.advance("100s");
          await auth.sessions.start(i % 2 === 0 ? ada.id : bea.id);
        }
        const ids: string[] = [];
        for (let after: string | undefined; ; ) {
          const page = await auth.audit.list({ userId: ada.id, limit: 2, ...(after !== undefined && { after }) });
          assert.ok(page.entries.every(({ userId }) => userId === ada.id));
          ids.push(...page.entries.map(({ id }) => id));
          after = page.next;
          if (after === undefined) break;
        }
        assert.equal(ids.length, 7);
        assert.deepEqual(
          ids,
          [...new Set(ids)].sort((a, b) => Number(b) - Number(a)),
        );
        assert.equal((await auth.audit.list({ type: "signed_in" })).entries.length, 12);
        assert.equal((await auth.audit.list({ type: "signed_in", userId: bea.id })).entries.length, 6);
        assert.equal((await auth.audit.list({ since: halfway })).entries.length, 7);
        for (const query of [
          { limit: 0 },
          { limit: 1001 },
          { limit: 1.5 },
          { after: "x" },
          { after: "-1" },
          { since: -1 },
        ]) {
          await assert.rejects(auth.audit.list(query), { code: "input_invalid" });
        }
      }));

    test("old entries are deleted, and no others", () =>
      withEngine(async (engine) => {
        const ada = await registerAda(engine);
        engine.system.advance("300d");
        await engine.auth.sessions.start(ada.id);
        engine.system.advance("70d");
        const { storage, system } = engine;
        const housekeeping = startHousekeeping({ storage, system, auditKept: 365 * 24 * 60 * 60 });
        await housekeeping.step();
        housekeeping.stop();
        assert.deepEqual(
          (await engine.auth.audit.list()).entries.map(({ type }) => type),
          ["signed_in"],
        );
      }));
  });
}

test("users see their own entries, staff see all, and what staff did is told as theirs (checklist 36, 90)", async () => {
  const engine = await createEngine();
  const { auth, call } = engine;
  const names = ["ada", "bea", "root"];
  const users = await Promise.all(
    names.map((username) => auth.register({ username, email: `${username}@example.com`, password: PASSWORD })),
  );
  const [ada, bea, root] = users.map(({ id }) => id) as [number, number, number];
  await auth.users.setRoles(root, { isSuperuser: true });
  const tokenOf = async (id: number) => (await auth.sessions.start(id)).accessToken;
  const adas = await tokenOf(ada);
  const roots = await tokenOf(root);
  await auth.sessions.start(bea);
  assert.equal((await call("PATCH", `/v1/users/${bea}`, { token: roots, body: { is_active: false } })).status, 200);
  assert.equal((await call("DELETE", `/v1/users/${ada}/sessions`, { token: roots })).status, 204);
  const again = await tokenOf(ada);

  const own = await call("GET", "/v1/users/me/audit?limit=2", { token: again });
  assert.equal(own.status, 200);
  assert.deepEqual(
    own.body.entries.map((entry: { type: string; by_staff: boolean }) => [entry.type, entry.by_staff]),
    [
      ["signed_in", false],
      ["sessions_ended", true],
    ],
  );
  const rest = await call("GET", `/v1/users/me/audit?after=${own.body.next}`, { token: again });
  assert.deepEqual(
    rest.body.entries.map(({ type }: { type: string }) => type),
    ["signed_in", "registered"],
  );
  assert.equal(rest.body.next, null);
  assert.ok(!JSON.stringify([own.body, rest.body]).includes("actor_id"));
  // Whatever is asked for, they are the asker's own.
  const others = await call("GET", `/v1/users/me/audit?user=${bea}&user_id=${bea}`, { token: again });
  assert.equal(others.body.entries.length, 4);

  assert.equal((await call("GET", "/v1/audit", { token: again })).status, 403);
  assert.equal((await call("GET", "/v1/audit")).status, 401);
  assert.equal((await call("GET", "/v1/users/me/audit", { token: adas })).status, 401);
  const all = await call("GET", `/v1/audit?user=${bea}&type=deactivated&since=2020-01-01T00:00:00Z`, { token: roots });
  assert.deepEqual(
    all.body.entries.map((entry: { user_id: number; actor_id: number }) => [entry.user_id, entry.actor_id]),
    [[bea, root]],
  );
  for (const query of ["user=x", "type=x", "since=x", "limit=0", "limit=201", "after=x", "type=deleted&type=deleted"]) {
    const refused = await call("GET", `/v1/audit?${query}`, { token: roots });
    assert.equal(refused.status, 422, query);
    assert.equal(refused.body.errors[0].field, query.split("=")[0], query);
  }
  await auth.close();
});
