/** The rows of staff, over HTTP: who may, what is seen, what is done. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Tokens } from "../../src/auth.ts";
import { sql } from "../../src/storage/storage.ts";
import type { Answer } from "../support/child-server.ts";
import { createEngine, type Engine, PASSWORD, signIn } from "../support/engine.ts";
import { createMutations } from "../support/mutations.ts";

let engine: Engine;
/** Signed in, with the roles that their names say. */
const people: Record<string, { readonly id: number; readonly tokens: Tokens }> = {};
const NAMES = ["root", "boss", "clerk", "helper", "ada", "adam", "bob"] as const;

before(async () => {
  engine = await createEngine({ passwordQueue: { concurrency: 2, limit: 64 } });
  for (const name of NAMES) {
    const { user, tokens } = await signIn(engine, name);
    people[name] = { id: user.id, tokens };
  }
  for (const name of ["root", "boss"]) await engine.auth.users.setRoles(id(name), { isSuperuser: true });
  for (const name of ["clerk", "helper"]) await engine.auth.users.setRoles(id(name), { isStaff: true });
});
after(() => engine.auth.close());

const person = (name: string) => people[name] as { readonly id: number; readonly tokens: Tokens };
const id = (name: string) => person(name).id;

function as(name: string, method: string, path: string, body?: unknown, headers?: Record<string, string>) {
  return engine.call(method, path, {
    token: person(name).tokens.accessToken,
    ...(body !== undefined && { body }),
    ...(headers && { headers }),
  });
}

function assertProblem(answer: Answer, status: number, code: string, fields?: readonly string[]): void {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.equal(answer.body.code, code);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  if (fields)
    assert.deepEqual(
      answer.body.errors.map((error: { field: string }) => error.field),
      fields,
    );
}

const ROWS = (target: string): readonly [method: string, path: string, body?: unknown][] => [
  ["GET", "/v1/users"],
  ["GET", `/v1/users/${target}`],
  ["PATCH", `/v1/users/${target}`, { is_active: false }],
  ["GET", `/v1/users/${target}/sessions`],
  ["DELETE", `/v1/users/${target}/sessions`],
  ["DELETE", `/v1/users/${target}/sessions/1`],
];

describe("who may", () => {
  test("nobody without a token, and nobody who is not staff, whether or not the user exists (checklist 52, 96)", async () => {
    for (const [method, path, body] of [...ROWS(String(id("bob"))), ...ROWS("999999"), ...ROWS("x")]) {
      assertProblem(
        await engine.call(method, path, { ...(body !== undefined && { body }) }),
        401,
        "credentials_missing",
      );
      assertProblem(await as("ada", method, path, body), 403, "insufficient_scope");
      assertProblem(
        await as("ada", method, `${path}?user_id=${id("root")}&is_staff=true`, body),
        403,
        "insufficient_scope",
      );
    }
    const refused = await as("ada", "GET", "/v1/users");
    assert.match(refused.headers.get("www-authenticate") ?? "", /error="insufficient_scope"/);
    assert.equal((await as("bob", "GET", "/v1/users/me")).body.is_active, true);
  });

  test("a role that was taken, or a user taken out of service, is staff no more at the very next request (checklist 51, 55)", async () => {
    const { user, tokens } = await signIn(engine, "former");
    const list = () => engine.call("GET", "/v1/users", { token: tokens.accessToken });
    await engine.auth.users.setRoles(user.id, { isStaff: true });
    assert.equal((await list()).status, 200);
    await engine.auth.users.setRoles(user.id, { isStaff: false });
    assertProblem(await list(), 401, "session_ended");
    const again = await engine.auth.login({ username: "former", password: PASSWORD });
    const retry = () => engine.call("GET", "/v1/users", { token: again.accessToken });
    assertProblem(await retry(), 403, "insufficient_scope");
    await engine.auth.users.setRoles(user.id, { isStaff: true });
    assert.equal((await retry()).status, 200);
    await engine.auth.users.deactivate(user.id);
    assert.equal((await retry()).status, 401);
  });

  test("no body of a registration makes anybody staff (checklist 96)", async () => {
    const roles = { is_staff: true, is_superuser: true, isStaff: true, staff_at: 1, id: 1, is_active: true };
    const created = await engine.call("POST", "/v1/users/", {
      body: { username: "climber", email: "climber@example.com", password: PASSWORD, ...roles },
    });
    assert.deepEqual([created.status, created.body.is_staff, created.body.is_superuser], [201, false, false]);
    assert.notEqual(created.body.id, 1);
  });

  test("staff act on users, superusers on staff as well, and nobody on their own account (checklist 96)", async () => {
    const patch = (by: string, name: string, body: unknown) => as(by, "PATCH", `/v1/users/${id(name)}`, body);
    for (const name of ["root", "helper"]) {
      assertProblem(await patch("clerk", name, { is_active: false }), 403, "insufficient_scope");
      assertProblem(await as("clerk", "DELETE", `/v1/users/${id(name)}/sessions`), 403, "insufficient_scope");
      const { sessionId } = person(name).tokens;
      assertProblem(
        await as("clerk", "DELETE", `/v1/users/${id(name)}/sessions/${sessionId}`),
        403,
        "insufficient_scope",
      );
    }
    for (const roles of [{ is_staff: true }, { is_superuser: true }, { is_active: true, is_staff: false }]) {
      assertProblem(await patch("clerk", "bob", roles), 403, "insufficient_scope");
      assertProblem(await patch("clerk", "clerk", roles), 409, "own_account");
    }
    for (const name of ["root", "clerk"]) {
      assertProblem(await patch(name, name, { is_active: false }), 409, "own_account");
      assertProblem(await patch(name, name, { is_staff: false, is_superuser: false }), 409, "own_account");
    }
    const promoted = await patch("root", "bob", { is_staff: true });
    assert.deepEqual([promoted.status, promoted.body.is_staff, promoted.body.is_superuser], [200, true, false]);
    assert.equal((await patch("root", "bob", { is_staff: false })).body.is_staff, false);
  });
});

describe("what is seen", () => {
  test("a list goes page by page; a user and their sessions are shown", async () => {
    const seen: string[] = [];
    for (let next: string | null = ""; next !== null; ) {
      const { status, body }: Answer = await as(
        "clerk",
        "GET",
        `/v1/users?limit=3${next === "" ? "" : `&after=${next}`}`,
      );
      assert.equal(status, 200);
      assert.ok(body.users.length <= 3);
      seen.push(...body.users.map(({ username }: { username: string }) => username));
      next = body.next;
    }
    assert.deepEqual(seen.slice(0, NAMES.length), NAMES);
    assert.equal(new Set(seen).size, seen.length);
    const shown = await as("clerk", "GET", `/v1/users/${id("adam")}`);
    assert.deepEqual([shown.status, shown.body.username, "password" in shown.body], [200, "adam", false]);
    const { body } = await as("clerk", "GET", `/v1/users/${id("adam")}/sessions/`);
    assert.deepEqual(
      body.sessions.map((session: Record<string, unknown>) => [
        session.id,
        session.ip,
        session.user_agent,
        session.current,
      ]),
      [[person("adam").tokens.sessionId, "198.51.100.1", "test/1", false]],
    );
    const own = await as("clerk", "GET", `/v1/users/${id("clerk")}/sessions`);
    assert.equal(own.body.sessions[0].current, true);
  });

  test("a search finds by how a username or an email begins, whatever the case", async () => {
    const search = async (text: string, more = "") =>
      (await as("clerk", "GET", `/v1/users?search=${encodeURIComponent(text)}${more}`)).body;
    const names = (body: { users: { username: string }[] }) => body.users.map(({ username }) => username);
    assert.deepEqual(names(await search("AD")), ["ada", "adam"]);
    assert.deepEqual(names(await search("adam@EXAMPLE")), ["adam"]);
    for (const none of ["%", "_da", "da", "'", "\0", "ad\0", "zzz", " ad"]) {
      assert.deepEqual(names(await search(none)), [], JSON.stringify(none));
    }
    const first = await search("ad", "&limit=1");
    assert.deepEqual(names(first), ["ada"]);
    const second = await search("ad", `&limit=1&after=${first.next}`);
    assert.deepEqual(names(second), ["adam"]);
  });

  test("what can't be meant is refused by the name of the field, forged cursors too (checklist 85, 87)", async () => {
    const wrong: readonly [query: string, field: string][] = [
      ["limit=0", "limit"],
      ["limit=1001", "limit"],
      ["limit=-1", "limit"],
      ["limit=1e2", "limit"],
      ["limit=", "limit"],
      ["limit=5&limit=6", "limit"],
      [`limit=${"9".repeat(400)}`, "limit"],
      ["after=x", "after"],
      ["after=", "after"],
      ["after=-1", "after"],
      ["after=99999999999999999", "after"],
      ["after=1&after=2", "after"],
      ["after=u.YWQ", "after"],
      [`after=${"1".repeat(8003)}`, "after"],
      ["search=ad&after=1", "after"],
      ["search=ad&after=u.Ym9i", "after"],
      ["search=ad&after=x.YWQ", "after"],
      ["search=ad&after=u.YW Q", "after"],
      ["search=ad&after=u.YWR", "after"],
      ["search=ad&after=u.YWQA", "after"],
      ["search=ad&after=u._____w", "after"],
      [`search=${"a".repeat(255)}`, "search"],
      ["search=a&search=b", "search"],
    ];
    for (const [query, field] of wrong) {
      const answer = await as("clerk", "GET", `/v1/users?${query}`);
      assertProblem(answer, 422, "input_invalid", [field]);
    }
    for (const unknown of ["x", "0", "-1", "01", "1e3", "999999", "9".repeat(30), "me2", "__proto__"]) {
      for (const [method, path, body] of ROWS(unknown).slice(1)) {
        assertProblem(await as("root", method, path, body), 404, "not_found");
      }
    }
  });
});

describe("what is done", () => {
  test("a user is taken out of service with all sessions, and put back; twice is fine (checklist 48, 51)", async () => {
    const { user, tokens } = await signIn(engine, "leaver");
    const patch = (body: unknown) => as("clerk", "PATCH", `/v1/users/${user.id}/`, body);
    for (let times = 0; times < 2; times++) {
      const { status, body } = await patch({ is_active: false });
      assert.deepEqual([status, body.is_active], [200, false]);
    }
    assertProblem(await engine.call("GET", "/v1/users/me", { token: tokens.accessToken }), 401, "user_not_found");
    assertProblem(
      await engine.call("POST", "/v1/users/me/token/refresh", { body: { refresh_token: tokens.refreshToken } }),
      401,
      "session_ended",
    );
    for (let times = 0; times < 2; times++) assert.equal((await patch({ is_active: true })).body.is_active, true);
    assert.equal((await engine.call("GET", "/v1/users/me", { token: tokens.accessToken })).status, 401);
    await engine.auth.login({ username: "leaver", password: PASSWORD });
  });

  test("one session of a user ends, or all of them; only that user's (checklist 52)", async () => {
    const { user, tokens } = await signIn(engine, "visitor");
    const second = await engine.auth.login({ username: "visitor", password: PASSWORD });
    const third = await engine.auth.login({ username: "visitor", password: PASSWORD });
    const isGood = async ({ accessToken }: Tokens) =>
      (await engine.call("GET", "/v1/users/me", { token: accessToken })).status === 200;
    const foreign = await as("clerk", "DELETE", `/v1/users/${id("bob")}/sessions/${tokens.sessionId}`);
    assertProblem(foreign, 404, "not_found");
    assert.equal((await as("clerk", "DELETE", `/v1/users/${user.id}/sessions/${tokens.sessionId}`)).status, 204);
    assertProblem(await as("clerk", "DELETE", `/v1/users/${user.id}/sessions/${tokens.sessionId}`), 404, "not_found");
    assert.deepEqual([await isGood(tokens), await isGood(second)], [false, true]);
    assert.equal((await as("clerk", "DELETE", `/v1/users/${user.id}/sessions`)).status, 204);
    assert.deepEqual([await isGood(second), await isGood(third)], [false, false]);
    assert.equal((await as("clerk", "DELETE", `/v1/users/${user.id}/sessions`)).status, 204);
  });

  test("a change names fields that there are, with values that can be (checklist 85, 96)", async () => {
    const path = `/v1/users/${id("bob")}`;
    const wrong: readonly [body: unknown, field: string][] = [
      [{}, ""],
      [[], ""],
      ["text", ""],
      [{ password: "x", is_active: true }, ""],
      [{ id: 1 }, ""],
      [{ is_active: null }, "is_active"],
      [{ is_active: "false" }, "is_active"],
      [{ is_active: 0 }, "is_active"],
      [{ is_staff: [true] }, "is_staff"],
    ];
    for (const [body, field] of wrong) {
      assertProblem(
        await as("root", "PATCH", path, JSON.stringify(body), { "content-type": "application/json" }),
        422,
        "input_invalid",
        [field],
      );
    }
    assert.match((await as("root", "PATCH", path, { password: "x" })).body.errors[0].message, /not password$/);
    assertProblem(
      await as("root", "PATCH", path, '{"is_staff":false,"is_staff":true}', { "content-type": "application/json" }),
      400,
      "json_invalid",
    );
    assert.equal((await as("root", "GET", path)).body.is_staff, false);
  });
});

describe("attacks", () => {
  /** What a browser sends by itself when it is signed in by cookies. */
  const cookie = () => `__Host-latchkey_access=${person("clerk").tokens.accessToken}`;
  const patchBob = (headers: Record<string, string>) =>
    engine.call("PATCH", `/v1/users/${id("bob")}`, {
      body: { is_active: false },
      headers: { cookie: cookie(), ...headers },
    });

  test("a stranger's page gets a member of staff to change nothing (checklist 60)", async () => {
    for (const headers of [
      { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
      { origin: "https://sub.latchkey.test", "sec-fetch-site": "same-site" },
      { origin: "null" },
      {},
    ] as Record<string, string>[]) {
      assertProblem(await patchBob(headers), 403, "origin_refused");
    }
    const end = { headers: { cookie: cookie(), "sec-fetch-site": "cross-site" } };
    assertProblem(await engine.call("DELETE", `/v1/users/${id("bob")}/sessions`, end), 403, "origin_refused");
    assert.equal((await as("root", "GET", `/v1/users/${id("bob")}`)).body.is_active, true);
    assert.equal((await patchBob({ "sec-fetch-site": "same-origin" })).status, 200);
    assert.equal((await as("root", "PATCH", `/v1/users/${id("bob")}`, { is_active: true })).status, 200);
  });

  test("another's session is nobody's to name through a user who is one's own to judge (checklist 52, 96)", async () => {
    const { sessionId } = person("root").tokens;
    for (const target of ["ada", "bob", "clerk"]) {
      assertProblem(await as("clerk", "DELETE", `/v1/users/${id(target)}/sessions/${sessionId}`), 404, "not_found");
    }
    assertProblem(await as("ada", "DELETE", `/v1/users/me/sessions/${sessionId}`), 404, "not_found");
    assert.equal((await as("root", "GET", "/v1/users/me")).status, 200);
  });

  test("a token that is good but for a session that the feed has not heard of yet is refused to staff (checklist 49, 55)", async () => {
    const { user, tokens } = await signIn(engine, "late");
    await engine.auth.users.setRoles(user.id, { isStaff: true });
    // As another instance ends it: this one's feed is not told.
    await engine.storage.write([
      sql`update latchkey_sessions set ended_at = ${engine.system.now()} where id = ${Number(tokens.sessionId)}`,
    ]);
    assert.equal((await engine.call("GET", "/v1/users/me", { token: tokens.accessToken })).status, 200);
    assertProblem(await engine.call("GET", "/v1/users", { token: tokens.accessToken }), 401, "session_ended");
  });

  test("what is said of a field that there is not repeats no secret", async () => {
    const answer = await as("root", "PATCH", `/v1/users/${id("bob")}`, { [PASSWORD]: true });
    assertProblem(answer, 422, "input_invalid");
    assert.doesNotMatch(JSON.stringify(answer.body), /horse/);
  });

  test("names and devices that hold markup, breaks and quotes come back as the text they are", async () => {
    const hostile = `<script>"'\r\nSet-Cookie: a=b`;
    const { user } = await signIn(engine, "markup");
    await engine.auth.login({ username: "markup", password: PASSWORD }, { userAgent: hostile, ip: "::1" });
    const { body, headers } = await as("clerk", "GET", `/v1/users/${user.id}/sessions`);
    assert.ok(body.sessions[0].user_agent.startsWith("<script>"));
    assert.equal(headers.get("set-cookie"), null);
    assert.equal(headers.get("content-type"), "application/json");
  });

  test("a store that is gone lets nobody in (checklist 93)", async () => {
    const other = await createEngine();
    const { user, tokens } = await signIn(other, "root");
    await other.auth.users.setRoles(user.id, { isSuperuser: true });
    await other.auth.close();
    for (const [method, path, body] of ROWS("1")) {
      const answer = await other.call(method, path, { token: tokens.accessToken, ...(body !== undefined && { body }) });
      assertProblem(answer, 503, "store_unavailable");
    }
  });

  test("hundreds of mutated requests get no answer that the document does not know", async () => {
    const corpus = [
      `PATCH /v1/users/${id("ada")} {"is_active":true,"is_staff":false}`,
      "GET /v1/users?search=ad&limit=2&after=u.YWRh {}",
      `DELETE /v1/users/${id("ada")}/sessions/7 {}`,
      `GET /v1/users/${id("ada")}/sessions?x=1 {}`,
    ];
    const mutations = createMutations(corpus, 8);
    const statuses = new Set<number>();
    for (let i = 0; i < 300; i++) {
      const [, method = "", path = "", body = ""] = /^(GET|PATCH|DELETE) (\/\S*) (.*)$/s.exec(mutations.next()) ?? [];
      if (method === "" || !URL.canParse(`http://latchkey.test${path}`)) continue;
      // Which throws for an answer that is not documented, those of 500 among them.
      const answer = await as("clerk", method, path, method === "PATCH" ? body : undefined, {
        "content-type": "application/json",
      });
      statuses.add(answer.status);
    }
    for (const status of [200, 404, 422]) assert.ok(statuses.has(status), `none was ${status}`);
  });
});
