import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { before, describe, test } from "node:test";
import express from "express";
import { authOf, authRoutes, requireAuth } from "../../src/adapters/express.ts";
import { requireAuth as requireAuthOf } from "../../src/adapters/fetch.ts";
import { type DrfOptions, drfContract } from "../../src/contracts/drf.ts";
import { type DialectIdentity, djangoUsers } from "../../src/index.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { sql } from "../../src/storage/storage.ts";
import { makeDjangoHash } from "../../src/users/django-hash.ts";
import { createHandler } from "../support/documented.ts";
import { PASSWORD, TEST_SECRET } from "../support/engine.ts";
import { fakeSystem } from "../support/fake-system.ts";
import { claimsOf, createDjangoEngine, type DjangoEngine, signAsDjango } from "./django-support.ts";

const LOGIN = "/api/auth/login/";
const REFRESH = "/api/auth/refresh/";
const CREDENTIALS = { email: "ada@example.com", password: PASSWORD };

async function engineOf(options: DrfOptions = {}): Promise<DjangoEngine> {
  const engine = await createDjangoEngine((auth) => drfContract(auth, options));
  await engine.auth.register({ username: "ada", ...CREDENTIALS });
  return engine;
}

async function signIn(engine: DjangoEngine): Promise<{ access: string; refresh: string }> {
  const { status, body } = await engine.post(LOGIN, CREDENTIALS);
  assert.equal(status, 200);
  return body;
}

/** A token of the recipe, as Django made it before the move. */
const djangos = (engine: DjangoEngine, claims: object, life = 600) => {
  const now = engine.system.now();
  return signAsDjango({ sub: "1", iat: now, exp: now + life, ...claims });
};

describe("the drf dialect", () => {
  let engine: DjangoEngine;
  before(async () => {
    engine = await engineOf();
  });

  test("signs in by e-mail and answers an access and a refresh token with the recipe's claims", async () => {
    const { headers } = await engine.post(LOGIN, CREDENTIALS);
    assert.equal(headers.get("cache-control"), "no-store");
    const { access, refresh } = await signIn(engine);
    const now = engine.system.now();
    const claims = claimsOf(access);
    assert.deepEqual(
      { sub: claims.sub, email: claims.email, iat: claims.iat, exp: claims.exp, type: claims.type },
      { sub: "1", email: "ada@example.com", iat: now, exp: now + 1800, type: "access" },
    );
    assert.equal("aud" in claims || "iss" in claims, false);
    assert.equal(typeof claims.sid, "string");
    const { sub, iat, exp, type } = claimsOf(refresh);
    assert.deepEqual({ sub, iat, exp, type }, { sub: "1", iat: now, exp: now + 7 * 86400, type: "refresh" });
  });

  test("the access token is signed with the shared secret, the refresh token is not", async () => {
    const { access, refresh } = await signIn(engine);
    const isUnderSecret = (token: string) => {
      const [input, signature] = [token.slice(0, token.lastIndexOf(".")), token.slice(token.lastIndexOf(".") + 1)];
      return createHmac("sha256", TEST_SECRET).update(input).digest("base64url") === signature;
    };
    assert.equal(isUnderSecret(access), true);
    assert.equal(isUnderSecret(refresh), false);
  });

  test("a wrong password, an unknown e-mail and one in another case are one answer (checklist 71)", async () => {
    const bodies = [
      { ...CREDENTIALS, password: "wrong" },
      { ...CREDENTIALS, email: "nobody@example.com" },
      { ...CREDENTIALS, email: "Ada@example.com" },
      { ...CREDENTIALS, password: "x".repeat(2000) },
    ];
    for (const body of bodies) {
      const answer = await engine.post(LOGIN, body);
      assert.equal(answer.status, 401);
      assert.deepEqual(answer.body, { error: "Invalid credentials", code: "INVALID_CREDENTIALS" });
      assert.equal(answer.headers.get("www-authenticate"), 'Bearer realm="api"');
    }
  });

  test("e-mail and password are trimmed; form-encoded and multipart bodies are taken", async () => {
    assert.equal((await engine.post(LOGIN, { email: " ada@example.com\n", password: `\x1c${PASSWORD} ` })).status, 200);
    const form = new URLSearchParams({ email: "wrong@example.com" });
    form.append("email", CREDENTIALS.email);
    form.append("password", PASSWORD);
    assert.equal((await engine.send("POST", LOGIN, { body: form })).status, 200);
    const multipart = new FormData();
    multipart.append("email", CREDENTIALS.email);
    multipart.append("password", PASSWORD);
    assert.equal((await engine.send("POST", LOGIN, { body: multipart })).status, 200);
    multipart.set("password", new Blob(["x"]), "password.txt");
    const { status, body } = await engine.send("POST", LOGIN, { body: multipart });
    assert.deepEqual([status, body], [400, { password: ["Not a valid string."] }]);
  });

  test("fields that are missing or malformed are named in Django's words", async () => {
    const email = ["Enter a valid email address."];
    const cases: [unknown, unknown][] = [
      [{}, { email: ["This field is required."], password: ["This field is required."] }],
      [
        { email: "x", password: "" },
        { email, password: ["This field may not be blank."] },
      ],
      [
        { email: null, password: null },
        { email: ["This field may not be null."], password: ["This field may not be null."] },
      ],
      [
        { email: ["x"], password: true },
        { email, password: ["Not a valid string."] },
      ],
      [{ email: 5, password: 5 }, { email }],
      [
        { email: "a\0@example.com", password: "\0" },
        { email: ["Null characters are not allowed.", ...email], password: ["Null characters are not allowed."] },
      ],
      [
        '{"email":"a@example.com","password":"\\ud83d"}',
        { password: ["Surrogate characters are not allowed: U+D83D."] },
      ],
      [[], { non_field_errors: ["Invalid data. Expected a dictionary, but got list."] }],
      ["null", { non_field_errors: ["No data provided"] }],
      ["3", { non_field_errors: ["Invalid data. Expected a dictionary, but got int."] }],
      ["1.5", { non_field_errors: ["Invalid data. Expected a dictionary, but got float."] }],
      ['"x"', { non_field_errors: ["Invalid data. Expected a dictionary, but got str."] }],
      ["false", { non_field_errors: ["Invalid data. Expected a dictionary, but got bool."] }],
    ];
    for (const [body, expected] of cases) {
      const answer = await engine.post(LOGIN, body);
      assert.deepEqual([answer.status, answer.body], [400, expected], JSON.stringify(body));
    }
    assert.equal((await engine.send("POST", LOGIN)).status, 400);
    assert.match((await engine.post(LOGIN, "{")).body.detail, /^JSON parse error - /);
    const text = await engine.post(LOGIN, "x", { "content-type": "text/plain" });
    assert.deepEqual([text.status, text.body], [415, { detail: 'Unsupported media type "text/plain" in request.' }]);
    const get = await engine.send("GET", LOGIN);
    assert.deepEqual([get.status, get.body], [405, { detail: 'Method "GET" not allowed.' }]);
    assert.equal(get.headers.get("allow"), "POST");
    assert.equal((await engine.post(LOGIN, `{"email":"${"x".repeat(70_000)}"}`)).status, 413);
    assert.equal((await engine.post("/api/auth/login", CREDENTIALS)).status, 200);
  });

  test("the same refresh token works until its session ends (checklist 47, 48)", async () => {
    const { refresh } = await signIn(engine);
    for (let i = 0; i < 3; i++) {
      engine.system.advance("1h");
      const { status, body } = await engine.post(REFRESH, { refresh });
      assert.deepEqual([status, Object.keys(body)], [200, ["access"]]);
      assert.equal(await engine.guard(`Bearer ${body.access}`), 1);
    }
    await engine.auth.sessions.endAll(1);
    const { status, body } = await engine.post(REFRESH, { refresh });
    assert.deepEqual([status, body], [401, { error: "Invalid refresh token", code: "INVALID_TOKEN" }]);
  });

  test("a refresh is refused with the recipe's codes", async () => {
    const { access, refresh } = await signIn(engine);
    const invalid = { error: "Invalid refresh token", code: "INVALID_TOKEN" };
    const missing = { error: "Refresh token required", code: "MISSING_TOKEN" };
    const cases: [unknown, number, unknown][] = [
      [{}, 400, missing],
      ...[0, false, [], {}, null, ""].map((value): [unknown, number, unknown] => [{ refresh: value }, 400, missing]),
      ...["  ", "x", "a.b.c", 5, true, [1], `${refresh}x`, ` ${refresh}`].map((value): [unknown, number, unknown] => [
        { refresh: value },
        401,
        invalid,
      ]),
      [{ refresh: access }, 401, { error: "Invalid token type", code: "WRONG_TOKEN_TYPE" }],
      [{ refresh: djangos(engine, { type: "refresh" }) }, 401, invalid],
      [{ refresh: djangos(engine, { type: "refresh", aud: "x" }) }, 401, invalid],
      [{ refresh: djangos(engine, { type: "refresh", lkr: "lkr_x" }) }, 401, invalid],
    ];
    for (const [body, status, expected] of cases) {
      const answer = await engine.post(REFRESH, body);
      assert.deepEqual([answer.status, answer.body], [status, expected], JSON.stringify(body));
    }
    engine.system.advance("7d");
    assert.deepEqual((await engine.post(REFRESH, { refresh })).body, invalid);
  });

  test("the guard takes 'Bearer ' exactly, and tells in the recipe's words why it does not take a token (checklist 57)", async () => {
    const { access, refresh } = await signIn(engine);
    assert.equal(await engine.guard(`Bearer ${access}`), 1);
    const now = engine.system.now();
    const absent = "Authentication credentials were not provided.";
    const cases: [string | undefined, string][] = [
      [undefined, absent],
      ["", absent],
      ["Bearer", absent],
      [`bearer ${access}`, absent],
      ["Basic eDp5", absent],
      [`Bearer  ${access}`, "Invalid token."],
      ["Bearer x", "Invalid token."],
      [`Bearer ${access}, Bearer ${access}`, "Invalid token."],
      [`Bearer ${refresh}`, "Invalid token type."],
      [`Bearer ${signAsDjango({ sub: "1", type: "access", iat: now - 60, exp: now - 30 })}`, "Token expired."],
      [`Bearer ${signAsDjango({ sub: "1", type: "refresh", iat: now - 60, exp: now - 30 })}`, "Token expired."],
      [`Bearer ${signAsDjango({ sub: "1", iat: now, exp: now + 60 })}`, "Invalid token type."],
      ...[
        { type: "access", sub: "1", iat: now },
        { type: "access", sub: "1", iat: now, exp: null },
        { type: "access", sub: "1", iat: now, exp: [now + 60] },
        { type: "access", sub: "1", iat: now, exp: "tomorrow" },
        { type: "access", sub: "1", iat: now, exp: now + 1801 },
        { type: "access", sub: "one", iat: now, exp: now + 60 },
        { type: "access", sub: 1, iat: now, exp: now + 60 },
        { type: "access", iat: now, exp: now + 60 },
        { type: "access", sub: "1", iat: now, exp: now + 60, aud: "x" },
        { type: "access", sub: "1", iat: now, exp: now + 60 },
      ].map((claims): [string, string] => [`Bearer ${signAsDjango(claims)}`, "Invalid token."]),
      [`Bearer ${signAsDjango('{"sub":"1","type":"access","iat":1,"exp":1e999}')}`, "Invalid token."],
      [
        `Bearer ${signAsDjango({ sub: "1", type: "access", iat: now, exp: now + 60 }, { secret: "z".repeat(40) })}`,
        "Invalid token.",
      ],
    ];
    for (const [header, detail] of cases) {
      const answer = await engine.guard(header);
      assert.ok(typeof answer === "object", String(header));
      assert.deepEqual([answer.status, answer.body], [401, { detail }], String(header));
      assert.match(answer.headers?.["www-authenticate"] ?? "", /^Bearer realm="api"/);
    }
  });

  test("with guardStatus 403 the guard answers as the recipe's class really does, without a challenge", async () => {
    const strict = await engineOf({ guardStatus: 403 });
    for (const header of [undefined, "Bearer x"]) {
      const answer = await strict.guard(header);
      assert.ok(typeof answer === "object");
      assert.deepEqual([answer.status, answer.headers], [403, undefined]);
    }
    assert.equal((await strict.post(LOGIN, { ...CREDENTIALS, password: "wrong" })).status, 401);
  });

  test("an inactive user is refused at login, refresh and access (checklist 51)", async () => {
    const other = await engineOf();
    const { access, refresh } = await signIn(other);
    await other.auth.users.deactivate(1);
    assert.equal((await other.post(LOGIN, CREDENTIALS)).status, 401);
    const answer = await other.post(REFRESH, { refresh });
    assert.deepEqual([answer.status, answer.body], [401, { error: "User not found", code: "USER_NOT_FOUND" }]);
    assert.deepEqual(((await other.guard(`Bearer ${access}`)) as { body: unknown }).body, {
      detail: "User not found.",
    });
    await other.auth.users.delete(1);
    assert.equal((await other.post(REFRESH, { refresh })).body.code, "USER_NOT_FOUND");
  });

  test("an ended session ends its access tokens, too", async () => {
    const other = await engineOf();
    const { access } = await signIn(other);
    assert.equal(await other.guard(`Bearer ${access}`), 1);
    await other.auth.sessions.endAll(1);
    assert.deepEqual(((await other.guard(`Bearer ${access}`)) as { body: unknown }).body, { detail: "Invalid token." });
  });
});

test("rotation answers a new refresh token each time, and a stolen one ends the session (checklist 42)", async () => {
  const engine = await engineOf({ rotateRefreshTokens: true });
  const first = await signIn(engine);
  const second = (await engine.post(REFRESH, { refresh: first.refresh })).body;
  assert.notEqual(second.refresh, first.refresh);
  assert.notEqual(claimsOf(second.refresh).jti, claimsOf(first.refresh).jti);
  engine.system.advance("1m");
  const third = (await engine.post(REFRESH, { refresh: second.refresh })).body;
  const again = (await engine.post(REFRESH, { refresh: second.refresh })).body;
  assert.equal(claimsOf(again.refresh).jti, claimsOf(third.refresh).jti, "inside the grace: the same successor");
  engine.system.advance("1m");
  assert.equal((await engine.post(REFRESH, { refresh: first.refresh })).status, 401);
  assert.equal((await engine.post(REFRESH, { refresh: third.refresh })).status, 401);
});

describe("tokens that Django issued", () => {
  test("are taken only where that was said: access at the guard, refresh adopted into one session", async () => {
    const engine = await engineOf({ allowTokensIssuedByDjango: true });
    const access = djangos(engine, { type: "access", email: "ada@example.com" });
    assert.equal(await engine.guard(`Bearer ${access}`), 1);
    const refresh = djangos(engine, { type: "refresh" }, 7 * 86400);
    const answers = await Promise.all(Array.from({ length: 5 }, () => engine.post(REFRESH, { refresh })));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200, 200],
    );
    assert.equal((await engine.auth.sessions.list(1)).length, 1);
    engine.system.advance("6d");
    assert.equal((await engine.post(REFRESH, { refresh })).status, 200);
    await engine.auth.sessions.endAll(1);
    assert.equal((await engine.post(REFRESH, { refresh })).body.code, "INVALID_TOKEN");
  });

  test("of a user who is inactive, unknown or no number are refused", async () => {
    const engine = await engineOf({ allowTokensIssuedByDjango: true });
    const codes: Record<string, string> = {
      "99": "USER_NOT_FOUND",
      one: "INVALID_TOKEN",
      "-1": "INVALID_TOKEN",
      "1.0": "INVALID_TOKEN",
    };
    for (const [sub, code] of Object.entries(codes)) {
      const { status, body } = await engine.post(REFRESH, { refresh: djangos(engine, { type: "refresh", sub }) });
      assert.deepEqual([status, body.code], [401, code], sub);
    }
    const access = djangos(engine, { type: "access" });
    await engine.auth.users.deactivate(1);
    assert.deepEqual(((await engine.guard(`Bearer ${access}`)) as { body: unknown }).body, {
      detail: "User not found.",
    });
    const { body } = await engine.post(REFRESH, { refresh: djangos(engine, { type: "refresh" }) });
    assert.equal(body.code, "USER_NOT_FOUND");
  });
});

test("with refreshKey 'shared' Django could go on with our refresh tokens, and each setting takes what the other made", async () => {
  const engine = await engineOf({ refreshKey: "shared" });
  const made = await signIn(engine);
  const end = made.refresh.lastIndexOf(".");
  const signature = createHmac("sha256", TEST_SECRET).update(made.refresh.slice(0, end)).digest("base64url");
  assert.equal(made.refresh.slice(end + 1), signature);
  assert.equal((await engine.post(REFRESH, made)).status, 200);
  const derived = createHandler(engine.auth, { contracts: [drfContract(engine.auth)] });
  const send = (path: string, body: object) =>
    derived(
      new Request(`http://latchkey.test${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    );
  assert.equal((await send(REFRESH, made)).status, 200);
  const later = (await (await send(LOGIN, CREDENTIALS)).json()) as { refresh: string };
  assert.equal((await engine.post(REFRESH, later)).status, 200);
  // Whoever holds the shared secret can write another envelope, but not what is in it.
  const { lkr } = claimsOf(made.refresh);
  const forged = djangos(engine, {
    type: "refresh",
    lkr: `${String(lkr).slice(0, -1)}${String(lkr).endsWith("A") ? "B" : "A"}`,
  });
  assert.equal((await engine.post(REFRESH, { refresh: forged })).status, 401);
  await engine.auth.sessions.endAll(1);
  assert.equal((await engine.post(REFRESH, made)).status, 401);
});

test("over Django's own table an e-mail counts in its very case, and one that several users share signs nobody in", async () => {
  const storage = openSqlite(":memory:");
  await storage.migrate();
  await storage.write([
    sql`create table auth_user (id integer primary key, username text, password text, email text, first_name text, last_name text,
      is_staff bool, is_superuser bool, is_active bool, date_joined datetime, last_login datetime)`,
  ]);
  const hash = await makeDjangoHash(PASSWORD, { iterations: 1000, randomBytes: fakeSystem().randomBytes });
  const emails = ["ada@example.com", "Ada@example.com", "eve@example.com", "eve@example.com", ""];
  for (const [i, email] of emails.entries()) {
    await storage.write([
      sql`insert into auth_user values (${i + 1}, ${`user${i}`}, ${hash}, ${email}, '', '', false, false, true, '2026-01-01 00:00:00', null)`,
    ]);
  }
  const engine = await createDjangoEngine((auth) => drfContract(auth), { storage, users: djangoUsers() });
  const statusOf = async (email: string) => (await engine.post(LOGIN, { email, password: PASSWORD })).status;
  assert.deepEqual([await statusOf("ada@example.com"), await statusOf("Ada@example.com")], [200, 200]);
  assert.deepEqual([await statusOf("ADA@example.com"), await statusOf("eve@example.com")], [401, 401]);
  const { body } = await engine.post(LOGIN, { email: "Ada@example.com", password: PASSWORD });
  assert.equal(claimsOf(body.access).sub, "2");
  assert.equal(await engine.guard(`Bearer ${body.access}`), 2);
  // Past our feed, as Django's admin does it.
  await storage.write([sql`update auth_user set is_active = false where id = 2`]);
  assert.deepEqual(((await engine.guard(`Bearer ${body.access}`)) as { body: unknown }).body, {
    detail: "User not found.",
  });
  assert.equal((await engine.post(REFRESH, body)).body.code, "USER_NOT_FOUND");
});

test("a framework's guard over users in place asks the store unless told otherwise", async () => {
  const storage = openSqlite(":memory:");
  await storage.migrate();
  await storage.write([
    sql`create table auth_user (id integer primary key, username text, password text, email text, first_name text, last_name text,
      is_staff bool, is_superuser bool, is_active bool, date_joined datetime, last_login datetime)`,
  ]);
  const hash = await makeDjangoHash(PASSWORD, { iterations: 1000, randomBytes: fakeSystem().randomBytes });
  await storage.write([
    sql`insert into auth_user values (1, 'ada', ${hash}, 'ada@example.com', '', '', false, false, true, '2026-01-01 00:00:00', null)`,
  ]);
  const { auth } = await createDjangoEngine((made) => drfContract(made), { storage, users: djangoUsers() });
  const { accessToken } = await auth.login({ username: "ada", password: PASSWORD });
  const guard = requireAuthOf(auth)((_request, who) => Response.json({ id: who.userId }));
  const ask = () =>
    guard(new Request("https://api.example.com/", { headers: { authorization: `Bearer ${accessToken}` } }));
  assert.deepEqual(await (await ask()).json(), { id: 1 });
  await storage.write([sql`update auth_user set is_active = false where id = 1`]);
  assert.equal(((await (await ask()).json()) as { code: string }).code, "user_not_found");
});

test("Express serves the dialect, behind its own body parsers too, and its guard takes the dialect's tokens", async () => {
  const engine = await engineOf({ allowTokensIssuedByDjango: true });
  const drf = drfContract(engine.auth, { allowTokensIssuedByDjango: true });
  const app = express();
  app.use(express.json(), express.urlencoded());
  app.use(authRoutes(engine.auth, { contracts: [drf] }));
  app.get("/me", requireAuth(drf.tokens), (request, response) => {
    response.json({ id: authOf<DialectIdentity>(request).userId });
  });
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const bodies: RequestInit[] = [
      { body: JSON.stringify(CREDENTIALS), headers: { "content-type": "application/json" } },
      { body: new URLSearchParams(CREDENTIALS) },
    ];
    for (const init of bodies) {
      const answer = await fetch(url + LOGIN, { method: "POST", ...init });
      assert.equal(answer.status, 200);
      const { access, refresh } = (await answer.json()) as { access: string; refresh: string };
      const me = async (token: string) => {
        const { status } = await fetch(`${url}/me`, { headers: { authorization: `Bearer ${token}` } });
        return status;
      };
      assert.deepEqual(
        [await me(access), await me(djangos(engine, { type: "access" })), await me(refresh)],
        [200, 200, 401],
      );
    }
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test("a field of many spaces takes time as its length, not as the square of it", async () => {
  const engine = await engineOf();
  const cost = async (length: number) => {
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const started = performance.now();
      const { status } = await engine.post(LOGIN, {
        email: `a${" ".repeat(length)}b`,
        password: `a${"\u3000".repeat(length / 3)}b`,
      });
      times.push(performance.now() - started);
      assert.equal(status, 400);
    }
    return Math.min(...times);
  };
  assert.ok((await cost(30_000)) < 40 * ((await cost(1_000)) + 1));
});

test("options out of range are refused when the dialect is made", async () => {
  const { auth } = await engineOf();
  for (const [options, message] of [
    [{ basePath: "api" }, /basePath/],
    [{ basePath: "/a b" }, /basePath/],
    [{ accessTtl: "2h" }, /longestAccessLife/],
    [{ accessTtl: 0 }, /at least one second/],
    [{ refreshTtl: "soon" }, /refreshTtl/],
    [{ guardStatus: 500 }, /guardStatus/],
  ] as const) {
    assert.throws(() => drfContract(auth, options as never), { name: "TypeError", message });
  }
  assert.throws(() => createHandler(auth, { contracts: [drfContract(auth), drfContract(auth)] }), {
    name: "TypeError",
    message: /both answer POST \/api\/auth\/login: give one of them another base path/,
  });
});
