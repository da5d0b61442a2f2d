import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { before, describe, test } from "node:test";
import { type SimplejwtOptions, simplejwtContract } from "../../src/contracts/simplejwt.ts";
import * as queries from "../../src/storage/queries.ts";
import { PASSWORD } from "../support/engine.ts";
import { claimsOf, createDjangoEngine, type DjangoEngine, signAsDjango } from "./django-support.ts";

const TOKEN = "/api/token/";
const REFRESH = "/api/token/refresh/";
const VERIFY = "/api/token/verify/";
const BLACKLIST = "/api/token/blacklist/";
const CREDENTIALS = { username: "Ada", password: PASSWORD };

async function engineOf(options: SimplejwtOptions = {}, auth = {}): Promise<DjangoEngine> {
  const engine = await createDjangoEngine((made) => simplejwtContract(made, options), auth);
  await engine.auth.register({ ...CREDENTIALS, email: "ada@example.com" });
  return engine;
}

async function signIn(engine: DjangoEngine): Promise<{ access: string; refresh: string }> {
  const { status, body } = await engine.post(TOKEN, CREDENTIALS);
  assert.equal(status, 200);
  return body;
}

const djangos = (engine: DjangoEngine, claims: object, life = 60) => {
  const now = engine.system.now();
  return signAsDjango({
    token_type: "refresh",
    exp: now + life,
    iat: now,
    jti: "a".repeat(32),
    user_id: "1",
    ...claims,
  });
};

const notValid = (detail: string) => ({ detail, code: "token_not_valid" });

describe("the simplejwt dialect", () => {
  let engine: DjangoEngine;
  before(async () => {
    engine = await engineOf();
  });

  test("answers refresh and access with simplejwt's claims and lives", async () => {
    const pair = await signIn(engine);
    assert.deepEqual(Object.keys(pair), ["refresh", "access"]);
    const now = engine.system.now();
    for (const [kind, life] of [
      ["access", 300],
      ["refresh", 86400],
    ] as const) {
      const { token_type, exp, iat, jti, user_id, ...rest } = claimsOf(pair[kind]);
      assert.deepEqual(
        { token_type, exp, iat, user_id },
        { token_type: kind, exp: now + life, iat: now, user_id: "1" },
      );
      assert.match(jti as string, /^[0-9a-f]{32}$/);
      assert.deepEqual(Object.keys(rest), kind === "access" ? ["sid", "epoch"] : ["lkr"]);
    }
  });

  test("a user name counts in its very case, and wrong credentials are one answer (checklist 71)", async () => {
    for (const body of [
      { ...CREDENTIALS, username: "ada" },
      { ...CREDENTIALS, password: "x" },
      { username: "bob", password: "x" },
    ]) {
      const answer = await engine.post(TOKEN, body);
      assert.deepEqual(
        [answer.status, answer.body, answer.headers.get("www-authenticate")],
        [401, { detail: "No active account found with the given credentials" }, 'Bearer realm="api"'],
      );
    }
    assert.equal((await engine.post(TOKEN, { ...CREDENTIALS, username: " Ada " })).status, 200);
  });

  test("fields that are missing are named", async () => {
    const required = ["This field is required."];
    assert.deepEqual((await engine.post(TOKEN, {})).body, { username: required, password: required });
    for (const path of [REFRESH, BLACKLIST]) {
      const { status, body } = await engine.post(path, {});
      assert.deepEqual([status, body], [400, { refresh: required }]);
    }
    assert.deepEqual((await engine.post(VERIFY, { token: "" })).body, { token: ["This field may not be blank."] });
  });

  test("refresh answers an access token, as often as it is asked", async () => {
    const { refresh } = await signIn(engine);
    engine.system.advance("1h");
    for (let i = 0; i < 2; i++) {
      const { status, body } = await engine.post(REFRESH, { refresh: ` ${refresh} ` });
      assert.deepEqual([status, Object.keys(body)], [200, ["access"]]);
      assert.equal(claimsOf(body.access).iat, engine.system.now());
      assert.equal(await engine.guard(`Bearer ${body.access}`), 1);
    }
  });

  test("a token endpoint says in simplejwt's words what is wrong with a token (checklist 57)", async () => {
    const { access, refresh } = await signIn(engine);
    const now = engine.system.now();
    const cases: [string, string, string][] = [
      [REFRESH, "x", "Token is invalid"],
      [REFRESH, `${refresh}x`, "Token is invalid"],
      [REFRESH, access, "Token has wrong type"],
      [BLACKLIST, access, "Token has wrong type"],
      [REFRESH, djangos(engine, {}), "Token is invalid"],
      [REFRESH, djangos(engine, { iat: now - 60, exp: now - 30 }), "Token is expired"],
      [REFRESH, djangos(engine, { exp: undefined }), "Token has no 'exp' claim"],
      [REFRESH, djangos(engine, { jti: undefined }), "Token has no id"],
      [REFRESH, djangos(engine, { token_type: undefined }), "Token has no type"],
      [REFRESH, djangos(engine, { token_type: "access" }), "Token has wrong type"],
      [REFRESH, djangos(engine, { exp: null }), "Token is invalid"],
      [REFRESH, djangos(engine, { user_id: undefined }), "Token is invalid"],
      [VERIFY, "x", "Token is invalid"],
      [VERIFY, djangos(engine, { iat: now - 60, exp: now - 30 }), "Token is expired"],
      [VERIFY, djangos(engine, { jti: undefined }), "Token has no id"],
    ];
    for (const [path, token, detail] of cases) {
      const { status, body, headers } = await engine.post(path, path === VERIFY ? { token } : { refresh: token });
      assert.deepEqual(
        [status, body, headers.get("www-authenticate")],
        [401, notValid(detail), 'Bearer realm="api"'],
        `${path} ${detail}`,
      );
    }
  });

  test("verify looks at neither kind nor user, and at Django's tokens only where they are allowed", async () => {
    const open = await engineOf({ allowTokensIssuedByDjango: true });
    const { access, refresh } = await signIn(open);
    const theirs = (of: DjangoEngine) => [
      djangos(of, { user_id: "99" }),
      djangos(of, { token_type: "sliding" }),
      djangos(of, { user_id: undefined }),
    ];
    for (const token of [access, refresh, ...theirs(open)]) {
      const { status, body } = await open.post(VERIFY, { token });
      assert.deepEqual([status, body], [200, {}]);
    }
    const own = await signIn(engine);
    for (const token of [own.access, own.refresh]) assert.equal((await engine.post(VERIFY, { token })).status, 200);
    for (const token of theirs(engine)) {
      assert.deepEqual((await engine.post(VERIFY, { token })).body, notValid("Token is invalid"));
    }
  });

  test("blacklist ends the session, its access tokens included, once (checklist 48)", async () => {
    const { access, refresh } = await signIn(engine);
    const first = await engine.post(BLACKLIST, { refresh });
    assert.deepEqual([first.status, first.body], [200, {}]);
    for (const path of [BLACKLIST, REFRESH]) {
      const { status, body } = await engine.post(path, { refresh });
      assert.deepEqual([status, body], [401, notValid("Token is blacklisted")], path);
    }
    assert.deepEqual((await engine.post(VERIFY, { token: refresh })).body, {});
    assert.deepEqual(await engine.guard(`Bearer ${access}`), {
      status: 401,
      body: {
        detail: "Given token not valid for any token type",
        code: "token_not_valid",
        messages: [{ token_class: "AccessToken", token_type: "access", message: "Token is blacklisted" }],
      },
      headers: { "www-authenticate": 'Bearer realm="api"' },
    });
  });

  test("the guard splits the header on white space and tells what is wrong", async () => {
    const { access, refresh } = await signIn(engine);
    const now = engine.system.now();
    for (const header of [`Bearer ${access}`, `Bearer   ${access}`, `Bearer\t${access}`])
      assert.equal(await engine.guard(header), 1);
    const absent = { detail: "Authentication credentials were not provided." };
    const parts = {
      detail: "Authorization header must contain two space-delimited values",
      code: "bad_authorization_header",
    };
    const refused = (message: string) => ({
      ...notValid("Given token not valid for any token type"),
      messages: [{ token_class: "AccessToken", token_type: "access", message }],
    });
    const cases: [string | undefined, object][] = [
      [undefined, absent],
      ["", absent],
      [`bearer ${access}`, absent],
      ["Basic eDp5", absent],
      ["Bearer", parts],
      ["Bearer a b", parts],
      ["Bearer x", refused("Token is invalid")],
      [`Bearer ${refresh}`, refused("Token has wrong type")],
      [
        `Bearer ${djangos(engine, { token_type: "access", iat: now - 60, exp: now - 30 })}`,
        refused("Token is expired"),
      ],
      [`Bearer ${djangos(engine, { token_type: "access" })}`, refused("Token is invalid")],
      [`Bearer ${djangos(engine, { token_type: "access", jti: undefined })}`, refused("Token has no id")],
      [`Bearer ${djangos(engine, { token_type: "access", exp: undefined })}`, refused("Token has no 'exp' claim")],
      [
        `Bearer ${djangos(engine, { token_type: "access", user_id: undefined })}`,
        notValid("Token contained no recognizable user identification"),
      ],
    ];
    for (const [header, body] of cases) {
      const answer = await engine.guard(header);
      assert.ok(typeof answer === "object", String(header));
      assert.deepEqual([answer.status, answer.body], [401, body], String(header));
    }
  });
});

test("a user who is inactive or gone is told so at the guard, and has no account at the refresh (checklist 51)", async () => {
  const engine = await engineOf();
  const { access, refresh } = await signIn(engine);
  await engine.auth.users.deactivate(1);
  const bodyOf = async () => ((await engine.guard(`Bearer ${access}`)) as { body: unknown }).body;
  assert.deepEqual(await bodyOf(), { detail: "User is inactive", code: "user_inactive" });
  const noAccount = [401, { detail: "No active account found for the given token." }];
  const refreshing = async () => {
    const { status, body } = await engine.post(REFRESH, { refresh });
    return [status, body];
  };
  assert.deepEqual(await refreshing(), noAccount);
  await engine.auth.users.delete(1);
  assert.deepEqual(await bodyOf(), { detail: "User not found", code: "user_not_found" });
  assert.deepEqual(await refreshing(), noAccount);
});

describe("tokens that Django issued", () => {
  test("before 5.5.1 had a number for a user, and are taken as well", async () => {
    const engine = await engineOf({ allowTokensIssuedByDjango: true });
    for (const user_id of [1, "1"]) {
      assert.equal(await engine.guard(`Bearer ${djangos(engine, { token_type: "access", user_id })}`), 1);
      const { status, body } = await engine.post(REFRESH, {
        refresh: djangos(engine, { user_id, tenant: "a" }, 86400),
      });
      assert.equal(status, 200);
      assert.equal(claimsOf(body.access).tenant, "a", "what the application added is copied");
    }
    const unknown = await engine.guard(`Bearer ${djangos(engine, { token_type: "access", user_id: 99 })}`);
    assert.deepEqual((unknown as { body: unknown }).body, { detail: "User not found", code: "user_not_found" });
  });

  test("can be blacklisted, also of users who are inactive or gone, and stay so", async () => {
    const engine = await engineOf({ allowTokensIssuedByDjango: true });
    const refresh = djangos(engine, {}, 86400);
    await engine.auth.users.deactivate(1);
    assert.equal((await engine.post(BLACKLIST, { refresh })).status, 200);
    assert.equal((await engine.post(BLACKLIST, { refresh: djangos(engine, { user_id: 77 }) })).status, 200);
    await engine.auth.users.reactivate(1);
    for (const path of [REFRESH, BLACKLIST]) {
      assert.deepEqual((await engine.post(path, { refresh })).body, notValid("Token is blacklisted"));
    }
  });
});

test("claims of the application are in both tokens and are carried on by the refresh token", async () => {
  let tenant = "a";
  const engine = await engineOf({}, { claims: () => ({ tenant }) });
  const { access, refresh } = await signIn(engine);
  assert.deepEqual([claimsOf(access).tenant, claimsOf(refresh).tenant], ["a", "a"]);
  tenant = "b";
  const { body } = await engine.post(REFRESH, { refresh });
  assert.equal(claimsOf(body.access).tenant, "b");
});

test("with rotation an ended refresh token is blacklisted at verify, too", async () => {
  const engine = await engineOf({ rotateRefreshTokens: true });
  const { refresh } = await signIn(engine);
  const { body } = await engine.post(REFRESH, { refresh });
  assert.deepEqual(Object.keys(body), ["access", "refresh"]);
  assert.deepEqual((await engine.post(VERIFY, { token: body.refresh })).body, {});
  await engine.post(BLACKLIST, { refresh: body.refresh });
  const answer = await engine.post(VERIFY, { token: body.refresh });
  assert.deepEqual([answer.status, answer.body], [400, { non_field_errors: ["Token is blacklisted"] }]);
});

test("checkRevokeToken: the claim is the MD5 of the stored hash, and a change of the hash ends the token at the guard", async () => {
  const engine = await engineOf({ checkRevokeToken: true });
  const { access } = await signIn(engine);
  const [row] = await engine.storage.read(queries.userById(1));
  const digest = createHash("md5")
    .update(row?.password as string)
    .digest("hex")
    .toUpperCase();
  assert.equal(claimsOf(access).hash_password, digest);
  assert.equal(await engine.guard(`Bearer ${access}`), 1);
  // As Django's admin does it, past our feed.
  await engine.storage.write([queries.rehashPassword(1, row?.password as string, "pbkdf2_sha256$1$x$x")]);
  const answer = (await engine.guard(`Bearer ${access}`)) as { body: unknown };
  assert.deepEqual(answer.body, { detail: "The user's password has been changed.", code: "password_changed" });
});

test("what Django has blacklisted is not revived by an adoption", async () => {
  const ended = "f".repeat(32);
  const engine = await engineOf({ allowTokensIssuedByDjango: true, isBlacklisted: async (jti) => jti === ended });
  for (const path of [REFRESH, BLACKLIST]) {
    const { status, body } = await engine.post(path, { refresh: djangos(engine, { jti: ended }, 86400) });
    assert.deepEqual([status, body], [401, notValid("Token is blacklisted")]);
  }
  assert.equal((await engine.post(REFRESH, { refresh: djangos(engine, {}, 86400) })).status, 200);
});
