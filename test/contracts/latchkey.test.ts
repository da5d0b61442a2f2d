import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Answer } from "../support/child-server.ts";
import { createEngine, type Engine, PASSWORD, signIn } from "../support/engine.ts";

let engine: Engine;
before(async () => {
  engine = await createEngine();
});
after(() => engine.auth.close());

function assertProblem(answer: Answer, status: number, code: string) {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  assert.equal(answer.body.code, code);
  assert.equal(answer.body.status, status);
  assert.equal(typeof answer.body.detail, "string");
  assert.equal(answer.body.type, "about:blank");
  assert.equal(answer.headers.has("www-authenticate"), status === 401 || answer.body.code === "credentials_repeated");
}

describe("register", () => {
  const valid = { username: "grace", email: "grace@example.com", password: PASSWORD };

  test("answers 201 with the user and without the password", async () => {
    const { status, body } = await engine.call("POST", "/v1/users/", { body: { ...valid, last_name: "Hopper" } });
    assert.equal(status, 201);
    assert.deepEqual(body, {
      id: body.id,
      username: "grace",
      email: "grace@example.com",
      first_name: "",
      last_name: "Hopper",
      is_staff: false,
      is_superuser: false,
      is_active: true,
      created_at: "2027-01-15T08:00:00Z",
    });
    assert.ok(Number.isInteger(body.id));
  });

  test("a name or address that is taken, in any case or width, is 409 (checklist 78)", async () => {
    const taken = await engine.call("POST", "/v1/users/", {
      body: { ...valid, email: "other@example.com", username: "ＧRACE" },
    });
    assertProblem(taken, 409, "username_taken");
    const email = await engine.call("POST", "/v1/users/", {
      body: { ...valid, username: "other", email: "Grace@Example.com" },
    });
    assertProblem(email, 409, "email_taken");
  });

  test("of fifty concurrent sign-ups for one name exactly one succeeds (checklist 78)", async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        engine.call("POST", "/v1/users/", {
          body: { username: "Race", email: `race${i}@example.com`, password: PASSWORD },
        }),
      ),
    );
    assert.equal(answers.filter((answer) => answer.status === 201).length, 1);
    for (const answer of answers) if (answer.status !== 201) assertProblem(answer, 409, "username_taken");
  });

  test("nobody becomes staff or somebody else by asking for it (checklist 96)", async () => {
    const body = {
      username: "mallory",
      email: "mallory@example.com",
      password: PASSWORD,
      is_staff: true,
      is_superuser: true,
      id: 1,
    };
    const { status, body: user } = await engine.call("POST", "/v1/users/", { body });
    assert.equal(status, 201);
    assert.equal(user.is_staff, false);
    assert.equal(user.is_superuser, false);
    assert.notEqual(user.id, 1);
  });

  test("every wrong field is named, all at once", async () => {
    const { status, body } = await engine.call("POST", "/v1/users/", { body: { username: 7, password: "short" } });
    assert.equal(status, 422);
    assert.equal(body.code, "input_invalid");
    assert.deepEqual(body.errors, [
      { field: "username", message: "must be a text" },
      { field: "email", message: "is required" },
      { field: "password", message: "must have at least 8 characters" },
    ]);
    const empty = { username: "", email: "x", password: "Password1", first_name: 7, last_name: "\u0000" };
    const all = await engine.call("POST", "/v1/users/", { body: empty });
    assert.deepEqual(
      all.body.errors.map((error: { field: string }) => error.field),
      ["username", "email", "password", "first_name", "last_name"],
    );
    const rules = await engine.call("POST", "/v1/users/", {
      body: { username: "a@b", email: "nobody", password: "short" },
    });
    assert.deepEqual(rules.body.errors.map((error: { field: string }) => error.field).sort(), [
      "email",
      "password",
      "username",
    ]);
  });

  const hostile: readonly [name: string, body: unknown][] = [
    ["null", null],
    ["an array", []],
    ["a number", 7],
    ["a text", JSON.stringify("text")],
    ["fields that are objects", { username: { $ne: "" }, email: { $ne: "" }, password: { $ne: "" } }],
    ["fields that are arrays", { username: ["a"], email: ["a@b.cd"], password: ["12345678"] }],
    ["fields that are null", { username: null, email: null, password: null }],
    ["empty texts", { username: "", email: "", password: "" }],
    ["a lone surrogate", { ...valid, username: "x\ud800" }],
    ["a NUL", { ...valid, username: "x\u0000" }],
    ["a name of spaces", { ...valid, username: "   " }],
    ["a right-to-left override", { ...valid, username: "ada\u202egnp" }],
    ["a name of 151 characters", { ...valid, username: "u".repeat(151) }],
    ["a name that grows when folded", { ...valid, username: "ﷺ".repeat(150) }],
    [
      "a password of 1,025 bytes (checklist 69)",
      { ...valid, username: "long", email: "long@example.com", password: "ü".repeat(513) },
    ],
    [
      "one of the most common passwords (checklist 67)",
      { ...valid, username: "common", email: "common@example.com", password: "Password1" },
    ],
  ];
  for (const [name, body] of hostile) {
    test(`${name} is 422`, async () => {
      assertProblem(await engine.call("POST", "/v1/users/", { body }), 422, "input_invalid");
    });
  }

  test("64 characters of any script are a password (checklist 66)", async () => {
    const password = `${"пароль🗝".repeat(9)}x`;
    const body = { username: "scripts", email: "scripts@example.com", password };
    assert.equal((await engine.call("POST", "/v1/users/", { body })).status, 201);
    assert.equal(
      (await engine.call("POST", "/v1/users/me/token", { body: { username: "scripts", password } })).status,
      200,
    );
    const truncated = { username: "scripts", password: password.slice(0, -1) };
    assertProblem(await engine.call("POST", "/v1/users/me/token", { body: truncated }), 401, "invalid_credentials");
  });
});

describe("sign in", () => {
  before(async () => {
    await signIn(engine, "Lin");
  });

  test("by username or by email, in any case", async () => {
    for (const name of [{ username: "lin" }, { username: "LIN" }, { email: "LIN@example.com" }]) {
      const { status, body } = await engine.call("POST", "/v1/users/me/token", {
        body: { ...name, password: PASSWORD },
      });
      assert.equal(status, 200);
      assert.equal(body.token_type, "Bearer");
      assert.equal(body.generation, 0);
    }
  });

  test("the two names are not mixed up: a username is no email and the reverse", async () => {
    for (const name of [{ username: "lin@example.com" }, { email: "lin" }]) {
      assertProblem(
        await engine.call("POST", "/v1/users/me/token", { body: { ...name, password: PASSWORD } }),
        401,
        "invalid_credentials",
      );
    }
  });

  test("both names, or none, are 422", async () => {
    for (const names of [{}, { username: "lin", email: "lin@example.com" }, { username: null }, { username: "" }]) {
      assertProblem(
        await engine.call("POST", "/v1/users/me/token", { body: { ...names, password: PASSWORD } }),
        422,
        "input_invalid",
      );
    }
  });

  test("a wrong name, a wrong password and a disabled account are one answer (checklist 71)", async () => {
    const { user } = await signIn(engine, "disabled");
    await engine.auth.users.deactivate(user.id);
    const answers = [];
    for (const body of [
      { username: "nobody", password: PASSWORD },
      { username: "lin", password: "wrong password" },
      { username: "disabled", password: PASSWORD },
      { username: "a\u0000b", password: PASSWORD },
      { username: "\ud800", password: PASSWORD },
    ]) {
      const { status, body: problem, headers } = await engine.call("POST", "/v1/users/me/token", { body });
      answers.push({ status, problem, challenge: headers.get("www-authenticate") });
    }
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.equal(answers[0]?.problem.detail, "Invalid username or password");
    assert.equal(answers[0]?.challenge, 'Bearer realm="latchkey"');
  });

  test("is one read, one entry of the attempt before the password is looked at, and one transaction", async () => {
    // The feed reads, too, now and then.
    const counts = [];
    for (let i = 0; i < 5; i++) {
      engine.counted();
      await engine.call("POST", "/v1/users/me/token", { body: { username: "lin", password: PASSWORD } });
      counts.push(engine.counted());
    }
    assert.equal(Math.min(...counts.map(({ reads }) => reads)), 1);
    assert.deepEqual(new Set(counts.map(({ writes }) => writes)), new Set([2]));
  });
});

describe("the guard", () => {
  let token: string;
  before(async () => {
    token = (await signIn(engine, "guarded")).tokens.accessToken;
  });
  const me = (headers: Record<string, string>) => engine.call("GET", "/v1/users/me", { headers });

  test("judges a bearer token without I/O", async () => {
    engine.counted();
    await engine.auth.authenticate(token);
    assert.deepEqual(engine.counted(), { reads: 0, writes: 0 });
  });

  test("takes the scheme in any case (checklist 39)", async () => {
    for (const scheme of ["Bearer", "bearer", "BEARER"])
      assert.equal((await me({ authorization: `${scheme} ${token}` })).status, 200);
  });

  test("no credential, or a foreign one, is 401 without an error code (checklist 37)", async () => {
    for (const headers of [
      {},
      { authorization: "Basic dTpw" },
      { authorization: "Bearer" },
      { authorization: "" },
      { authorization: token },
    ]) {
      const answer = await me(headers as Record<string, string>);
      assertProblem(answer, 401, "credentials_missing");
      assert.equal(answer.headers.get("www-authenticate"), 'Bearer realm="latchkey"');
    }
  });

  test("a malformed or tampered token is 401 with error invalid_token (checklist 37)", async () => {
    for (const bad of [
      "x",
      `${token}x`,
      token.slice(0, -2),
      `${token} ${token}`,
      "a.b.c",
      token.replace(".", ".."),
      "é".repeat(9),
    ]) {
      const answer = await me({ authorization: `Bearer ${bad}` });
      assertProblem(answer, 401, "token_invalid");
      assert.equal(answer.body.detail, "Invalid token");
      assert.equal(
        answer.headers.get("www-authenticate"),
        'Bearer realm="latchkey", error="invalid_token", error_description="Invalid token"',
      );
    }
  });

  test("two Authorization headers are 400 (checklist 38)", async () => {
    const headers = new Headers();
    headers.append("authorization", `Bearer ${token}`);
    headers.append("authorization", `Bearer ${token}`);
    const response = await engine.handle(new Request("http://latchkey.test/v1/users/me", { headers }));
    assert.equal(response.status, 400);
    assert.match(response.headers.get("www-authenticate") ?? "", /error="invalid_request"/);
  });

  test("a token in the URL is refused (checklist 36)", async () => {
    assertProblem(await engine.call("GET", `/v1/users/me?access_token=${token}`), 400, "credentials_repeated");
  });

  test("a refresh token is no access token, and the reverse (checklist 57)", async () => {
    const { tokens } = await signIn(engine, "crossed");
    assertProblem(await me({ authorization: `Bearer ${tokens.refreshToken}` }), 401, "token_invalid");
    const body = { refresh_token: tokens.accessToken };
    const crossed = await engine.call("POST", "/v1/users/me/token/refresh", { body });
    assertProblem(crossed, 401, "refresh_token_invalid");
    assert.equal(crossed.body.detail, "Invalid refresh token");
  });

  test("an expired token says so", async () => {
    const own = await createEngine();
    const { tokens } = await signIn(own);
    own.system.advance("16m");
    const answer = await own.call("GET", "/v1/users/me", { token: tokens.accessToken });
    assertProblem(answer, 401, "token_expired");
    assert.equal(answer.body.detail, "Token has expired");
    await own.auth.close();
  });

  test("a deactivated and a deleted user are not found (checklist 51)", async () => {
    for (const way of ["deactivate", "delete"] as const) {
      const { user, tokens } = await signIn(engine, `gone-${way}`);
      assert.equal(await engine.auth.users[way](user.id), true);
      const answer = await engine.call("GET", "/v1/users/me", { token: tokens.accessToken });
      assertProblem(answer, 401, "user_not_found");
      assert.equal(answer.body.detail, "User not found");
      const refreshed = await engine.call("POST", "/v1/users/me/token/refresh", {
        body: { refresh_token: tokens.refreshToken },
      });
      assert.equal(refreshed.status, 401);
    }
  });
});

describe("sessions", () => {
  const login = async (username: string) =>
    await engine.auth.login({ username, password: PASSWORD }, { ip: "198.51.100.2", userAgent: "b" });
  const status = async (token: string) => (await engine.call("GET", "/v1/users/me", { token })).status;

  test("are listed newest first, this one marked, with where they were used from (checklist 52)", async () => {
    const { tokens } = await signIn(engine, "lister");
    const second = await login("lister");
    const { status, body } = await engine.call("GET", "/v1/users/me/sessions", { token: tokens.accessToken });
    assert.equal(status, 200);
    assert.deepEqual(
      body.sessions.map((session: { id: string; current: boolean; ip: string }) => [
        session.id,
        session.current,
        session.ip,
      ]),
      [
        [second.sessionId, false, "198.51.100.2"],
        [tokens.sessionId, true, "198.51.100.1"],
      ],
    );
    assert.deepEqual(Object.keys(body.sessions[0]), [
      "id",
      "created_at",
      "last_used_at",
      "expires_at",
      "ip",
      "user_agent",
      "current",
    ]);
  });

  test("one ends by its id, for its access tokens too; another user's is 404 (checklist 52, 55)", async () => {
    const { tokens } = await signIn(engine, "ender");
    const other = await login("ender");
    const stranger = (await signIn(engine, "stranger")).tokens;
    assertProblem(
      await engine.call("DELETE", `/v1/users/me/sessions/${stranger.sessionId}`, { token: tokens.accessToken }),
      404,
      "not_found",
    );
    assert.equal(await status(stranger.accessToken), 200);
    assert.equal(
      (await engine.call("DELETE", `/v1/users/me/sessions/${other.sessionId}`, { token: tokens.accessToken })).status,
      204,
    );
    assert.equal(await status(other.accessToken), 401);
    assert.equal(await status(tokens.accessToken), 200);
    for (const id of [other.sessionId, "0", "-1", "x", "1e3", "9".repeat(30), "%00", "%ff"]) {
      assertProblem(
        await engine.call("DELETE", `/v1/users/me/sessions/${id}`, { token: tokens.accessToken }),
        404,
        "not_found",
      );
    }
  });

  test("all end, or all but this one (checklist 52)", async () => {
    const { tokens } = await signIn(engine, "leaver");
    const other = await login("leaver");
    assert.equal(
      (await engine.call("DELETE", "/v1/users/me/sessions?except=current", { token: tokens.accessToken })).status,
      204,
    );
    assert.equal(await status(tokens.accessToken), 200);
    assert.equal(await status(other.accessToken), 401);
    const refreshed = await engine.call("POST", "/v1/users/me/token/refresh", {
      body: { refresh_token: tokens.refreshToken },
    });
    assert.equal(refreshed.status, 200, "the session that was spared goes on");
    assert.equal(await status(refreshed.body.access_token), 200);
    const back = await login("leaver");
    assert.equal(await status(back.accessToken), 200, "a session started afterwards is not touched");
    assertProblem(
      await engine.call("DELETE", "/v1/users/me/sessions?except=others", { token: tokens.accessToken }),
      422,
      "input_invalid",
    );
    assert.equal((await engine.call("DELETE", "/v1/users/me/sessions", { token: tokens.accessToken })).status, 204);
    for (const token of [tokens.accessToken, refreshed.body.access_token, back.accessToken])
      assert.equal(await status(token), 401);
  });

  test("a change of password needs the current one and ends every other session (checklist 48, 56, 76)", async () => {
    const { tokens } = await signIn(engine, "changer");
    const other = await login("changer");
    const change = (current_password: string, new_password: string) =>
      engine.call("POST", "/v1/users/me/password", {
        token: tokens.accessToken,
        body: { current_password, new_password },
      });
    assertProblem(await change("not the password", "a new password 1"), 401, "wrong_password");
    assertProblem(await change(PASSWORD, "short"), 422, "input_invalid");
    assert.equal(await status(other.accessToken), 200);
    assert.equal((await change(PASSWORD, "a new password 1")).status, 204);
    assert.equal(await status(tokens.accessToken), 200);
    assert.equal(await status(other.accessToken), 401);
    const refresh = (token: string) =>
      engine.call("POST", "/v1/users/me/token/refresh", { body: { refresh_token: token } });
    assert.equal((await refresh(tokens.refreshToken)).status, 200);
    assertProblem(await refresh(other.refreshToken), 401, "session_ended");
    const signInWith = (password: string) =>
      engine.call("POST", "/v1/users/me/token", { body: { username: "changer", password } });
    assertProblem(await signInWith(PASSWORD), 401, "invalid_credentials");
    assert.equal((await signInWith("a new password 1")).status, 200);
  });

  test("revoking with a forged token is 401, with one of an earlier generation it ends the session", async () => {
    const { tokens } = await signIn(engine, "revoker");
    const revoke = (refresh_token: string) =>
      engine.call("POST", "/v1/users/me/token/revoke", { body: { refresh_token } });
    const forged = `${tokens.refreshToken.slice(0, -3)}AAA`;
    assertProblem(await revoke(forged), 401, "refresh_token_invalid");
    const next = await engine.auth.refresh(tokens.refreshToken);
    assert.equal((await revoke(tokens.refreshToken)).status, 204);
    assertProblem(
      await engine.call("POST", "/v1/users/me/token/refresh", { body: { refresh_token: next.refreshToken } }),
      401,
      "session_ended",
    );
  });
});

describe("requests", () => {
  test("JSON that can't be trusted is 400 (checklist 85)", async () => {
    for (const body of [
      "",
      "{",
      "[1,]",
      '{"username":"a","username":"b"}',
      "\ufeff{}",
      "nul",
      `${"[".repeat(500)}${"]".repeat(500)}`,
    ]) {
      assertProblem(
        await engine.call("POST", "/v1/users/", { body, headers: { "content-type": "application/json" } }),
        400,
        "json_invalid",
      );
    }
  });

  test("bytes that are not UTF-8 are 400", async () => {
    const request = new Request("http://latchkey.test/v1/users/", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    });
    assert.equal((await engine.handle(request)).status, 400);
  });

  test("another content type is 415", async () => {
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/json; charset=latin1",
      "application/jsonp",
      "",
    ]) {
      assertProblem(
        await engine.call("POST", "/v1/users/", { body: "{}", headers: { "content-type": type } }),
        415,
        "media_type_unsupported",
      );
    }
  });

  test("a body over 64 KiB is 413, declared or not", async () => {
    const body = JSON.stringify({ username: "x".repeat(65_536) });
    assertProblem(await engine.call("POST", "/v1/users/", { body }), 413, "body_too_large");
    const stream = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(10_000).fill(32));
      },
    });
    const request = new Request("http://latchkey.test/v1/users/", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: stream,
      duplex: "half",
    } as RequestInit);
    assert.equal((await engine.handle(request)).status, 413);
  });

  test("a wrong method is 405 with Allow, an unknown path 404", async () => {
    const wrong = await engine.call("PUT", "/v1/users/me");
    assertProblem(wrong, 405, "method_not_allowed");
    assert.equal(wrong.headers.get("allow"), "GET, HEAD");
    assert.equal((await engine.call("GET", "/v1/users/me/sessions/1")).headers.get("allow"), "DELETE");
    for (const path of ["/", "/v1", "/v2/users/me", "/v1/users/me/", "/v1//users/me", "/v1/USERS/me"]) {
      const answer = await engine.call("GET", path);
      if (path === "/v1/users/me/") assertProblem(answer, 401, "credentials_missing");
      else assertProblem(answer, 404, "not_found");
    }
  });

  test("every path answers with and without a trailing slash", async () => {
    assert.equal((await engine.call("GET", "/v1/health/")).status, 200);
    assert.equal((await engine.call("GET", "/v1/health")).status, 200);
    assert.equal((await engine.call("POST", "/v1/users", { body: {} })).status, 422);
    assert.equal((await engine.call("POST", "/v1/users/me/token/", { body: {} })).status, 422);
  });

  test("a malformed attempt id is 422; null counts as absent", async () => {
    const { tokens } = await signIn(engine, "attempter");
    const refresh = (attempt: unknown) =>
      engine.call("POST", "/v1/users/me/token/refresh", { body: { refresh_token: tokens.refreshToken, attempt } });
    for (const attempt of ["", "short", "x".repeat(65), "ü".repeat(30), 7, {}])
      assertProblem(await refresh(attempt), 422, "input_invalid");
    assert.equal((await refresh(null)).status, 200);
  });

  test("errors tell nothing of what is inside (checklist 28, 88)", async () => {
    const { body } = await engine.call("GET", "/v1/users/me", { token: "a.b.c" });
    assert.deepEqual(Object.keys(body), ["type", "title", "status", "detail", "code"]);
  });
});
