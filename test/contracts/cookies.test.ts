import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Handler } from "../../src/handler.ts";
import { createHandler } from "../support/documented.ts";
import { createEngine, type Engine, PASSWORD } from "../support/engine.ts";

const OURS = "https://auth.example.com";
const FRIEND = "https://app.example.com";
const ACCESS = "__Host-latchkey_access";
const REFRESH = "__Secure-latchkey_refresh";

let engine: Engine;
let handle: Handler;
before(async () => {
  engine = await createEngine();
  handle = createHandler(engine.auth, { allowedOrigins: [FRIEND] });
  await engine.auth.register({ username: "ada", email: "ada@example.com", password: PASSWORD });
});
after(() => engine.auth.close());

type Headers = Record<string, string>;
const BROWSER: Headers = { "sec-fetch-site": "same-origin", origin: OURS, "latchkey-transport": "cookie" };

async function send(method: string, path: string, headers: Headers = {}, body?: unknown, by: Handler = handle) {
  const type: Headers = body === undefined ? {} : { "content-type": "application/json" };
  const init = { method, headers: { ...type, ...headers }, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const response = await by(new Request(`${OURS}${path}`, init));
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
}

/** What a jar keeps of Set-Cookie headers: name → value and attributes. */
function jarOf(headers: globalThis.Headers) {
  return new Map(
    headers.getSetCookie().map((line) => {
      const [pair = "", ...attributes] = line.split("; ");
      const equals = pair.indexOf("=");
      return [pair.slice(0, equals), { value: pair.slice(equals + 1), attributes }] as const;
    }),
  );
}

const toHeader = (jar: ReturnType<typeof jarOf>) => [...jar].map(([name, { value }]) => `${name}=${value}`).join("; ");

async function signIn(by: Handler = handle, prefix = "") {
  const login = { username: "ada", password: PASSWORD };
  const answer = await send("POST", `${prefix}/v1/users/me/token`, BROWSER, login, by);
  assert.equal(answer.status, 200);
  const jar = jarOf(answer.headers);
  return { ...answer, jar, cookie: toHeader(jar) };
}

test("asked for cookies, a login hands over two, and no token in the body (checklist 59, 61)", async () => {
  const { body, jar } = await signIn();
  assert.deepEqual(Object.keys(body).sort(), ["expires_in", "generation", "session_id", "token_type"]);
  assert.deepEqual(jar.get(ACCESS)?.attributes, ["Path=/", "Max-Age=900", "HttpOnly", "Secure", "SameSite=Lax"]);
  assert.deepEqual(jar.get(REFRESH)?.attributes, [
    "Path=/v1/users/me/token",
    "Max-Age=2592000",
    "HttpOnly",
    "Secure",
    "SameSite=Strict",
  ]);
});

test("a login that does not ask gets its tokens in the body and no cookie", async () => {
  for (const transport of [{}, { "latchkey-transport": "bearer" }]) {
    const answer = await send("POST", "/v1/users/me/token", transport, { username: "ada", password: PASSWORD });
    assert.equal(typeof answer.body.access_token, "string");
    assert.deepEqual(answer.headers.getSetCookie(), []);
  }
  const odd = await send(
    "POST",
    "/v1/users/me/token",
    { "latchkey-transport": "pigeon" },
    { username: "ada", password: PASSWORD },
  );
  assert.deepEqual([odd.status, odd.body.code], [400, "request_invalid"]);
});

test("the access cookie says who asks, where no Authorization header does", async () => {
  const { cookie } = await signIn();
  assert.equal((await send("GET", "/v1/users/me", { cookie })).body.username, "ada");
  assert.equal(
    (await send("GET", "/v1/users/me", { cookie, authorization: "Bearer x.y.z" })).status,
    401,
    "the header wins",
  );
  assert.equal((await send("GET", "/v1/users/me", { cookie, authorization: "Basic YTpi" })).status, 401);
  assert.equal((await send("GET", "/v1/users/me", { cookie: cookie.replace(ACCESS, "latchkey_access") })).status, 401);
});

test("a refresh by cookie rotates both, and a sign-out takes both back with the attributes they came with (checklist 64)", async () => {
  const first = await signIn();
  const refreshed = await send("POST", "/v1/users/me/token/refresh", { ...BROWSER, cookie: first.cookie }, {});
  assert.equal(refreshed.status, 200);
  assert.equal(refreshed.body.refresh_token, undefined);
  assert.equal(refreshed.body.generation, 1);
  const second = jarOf(refreshed.headers);
  assert.notEqual(second.get(REFRESH)?.value, first.jar.get(REFRESH)?.value);

  // Without the header, too: what no script could read is never handed to one.
  const { "latchkey-transport": _, ...plain } = BROWSER;
  const quiet = await send("POST", "/v1/users/me/token/refresh", { ...plain, cookie: toHeader(second) }, {});
  assert.deepEqual([quiet.status, quiet.body.access_token], [200, undefined]);

  const out = await send("POST", "/v1/users/me/token/revoke", { ...BROWSER, cookie: toHeader(second) }, {});
  assert.equal(out.status, 204);
  const cleared = jarOf(out.headers);
  for (const [name, { attributes }] of first.jar) {
    const age = (list: readonly string[] | undefined) =>
      list?.map((one) => (one.startsWith("Max-Age") ? "Max-Age=0" : one));
    assert.deepEqual(cleared.get(name), { value: "", attributes: age(attributes) });
  }
  assert.equal((await send("GET", "/v1/users/me", { cookie: first.cookie })).body.code, "session_ended");
});

test("without a cookie and without a token in the body a refresh is 422 with the field named", async () => {
  for (const path of ["refresh", "revoke"]) {
    const { status, body } = await send("POST", `/v1/users/me/token/${path}`, BROWSER, {});
    assert.deepEqual([status, body.errors], [422, [{ field: "refresh_token", message: "is required" }]]);
  }
});

test("a stranger's page can't use a cookie for anything that changes something (checklist 60)", async () => {
  const { cookie } = await signIn();
  const strangers: Headers[] = [
    { "sec-fetch-site": "cross-site", origin: "https://evil.example" },
    { "sec-fetch-site": "same-site", origin: "https://other.example.com" },
    { "sec-fetch-site": "none" },
    { "sec-fetch-site": "cross-site" },
    { origin: "https://evil.example" },
    { origin: "null" },
    { origin: `${OURS}.evil.example` },
    {},
  ];
  for (const stranger of strangers) {
    const label = JSON.stringify(stranger);
    const headers = { ...stranger, cookie };
    assert.equal((await send("DELETE", "/v1/users/me/sessions", headers)).body.code, "origin_refused", label);
    const refresh = await send("POST", "/v1/users/me/token/refresh", headers, {});
    assert.deepEqual([refresh.status, refresh.body.code], [403, "origin_refused"], label);
    assert.deepEqual(refresh.headers.getSetCookie(), []);
    assert.equal((await send("POST", "/v1/users/me/token/revoke", headers, {})).status, 403, label);
  }
  assert.equal((await send("GET", "/v1/users/me", { cookie })).status, 200, "and none of them has ended the session");
});

test("our own pages, allowed origins and programs that say what they want may", async () => {
  const friends: Headers[] = [
    { "sec-fetch-site": "same-origin" },
    { "sec-fetch-site": "same-site", origin: FRIEND },
    { "sec-fetch-site": "cross-site", origin: FRIEND },
    { origin: OURS },
    { "latchkey-transport": "cookie" },
  ];
  for (const friend of friends) {
    const { cookie } = await signIn();
    const { status } = await send("POST", "/v1/users/me/token/revoke", { ...friend, cookie }, {});
    assert.equal(status, 204, JSON.stringify(friend));
  }
});

test("a form of a stranger's page is not JSON, and is not taken for any", async () => {
  const { cookie } = await signIn();
  for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
    const headers = { ...BROWSER, cookie, "content-type": type };
    assert.equal((await send("POST", "/v1/users/me/token/revoke", headers, {})).status, 415);
  }
});

test("a cookie that comes twice with different values is 400, with the same value it is one", async () => {
  const { cookie } = await signIn();
  const planted = `${ACCESS}=planted; ${cookie}`;
  const answer = await send("GET", "/v1/users/me", { cookie: planted });
  assert.deepEqual([answer.status, answer.body.code], [400, "request_invalid"]);
  assert.equal((await send("GET", "/v1/users/me", { cookie: `${cookie}; ${cookie}` })).status, 200);
});

test("under a prefix the refresh cookie goes where refresh tokens are spent, and nowhere else", async () => {
  for (const prefix of ["/auth", "auth/", "/auth/"]) {
    const mounted = createHandler(engine.auth, { prefix });
    const { jar, cookie } = await signIn(mounted, "/auth");
    assert.equal(jar.get(REFRESH)?.attributes[0], "Path=/auth/v1/users/me/token");
    assert.equal(
      (await send("POST", "/auth/v1/users/me/token/refresh/", { ...BROWSER, cookie }, {}, mounted)).status,
      200,
    );
    assert.equal((await send("GET", "/v1/users/me", { cookie }, undefined, mounted)).status, 404);
    assert.equal((await send("GET", "/authority/v1/users/me", { cookie }, undefined, mounted)).status, 404);
  }
  for (const prefix of ["/a b", "/a//b", "/a?b", "/%61"])
    assert.throws(() => createHandler(engine.auth, { prefix }), TypeError);
});

test("cookies can be switched off", async () => {
  const off = createHandler(engine.auth, { cookies: false });
  const { cookie } = await signIn();
  assert.equal((await send("GET", "/v1/users/me", { cookie }, undefined, off)).body.code, "credentials_missing");
  assert.equal(
    (await send("POST", "/v1/users/me/token/refresh", { "sec-fetch-site": "same-origin", cookie }, {}, off)).status,
    422,
  );
  const asked = await send("POST", "/v1/users/me/token", BROWSER, { username: "ada", password: PASSWORD }, off);
  assert.deepEqual([asked.status, asked.body.detail], [400, "This server gives no cookies."]);
});

test("only origins that are allowed by name read answers across origins, never all of them (checklist 62)", async () => {
  const friend = await send("GET", "/v1/users/me", { origin: FRIEND });
  assert.equal(friend.headers.get("access-control-allow-origin"), FRIEND);
  assert.equal(friend.headers.get("access-control-allow-credentials"), "true");
  assert.equal(friend.headers.get("vary"), "Origin");
  for (const origin of [
    "https://evil.example",
    `${FRIEND}.evil.example`,
    FRIEND.toUpperCase(),
    `${FRIEND}/`,
    "null",
    "*",
  ]) {
    const { headers } = await send("GET", "/v1/users/me", { origin });
    assert.equal(headers.get("access-control-allow-origin"), null, origin);
  }
  const asks = {
    origin: FRIEND,
    "access-control-request-method": "POST",
    "access-control-request-headers": "latchkey-transport",
  };
  const preflight = await send("OPTIONS", "/v1/users/me/token", asks);
  assert.equal(preflight.status, 204);
  assert.match(preflight.headers.get("access-control-allow-headers") ?? "", /latchkey-transport/);
  const refused = await send("OPTIONS", "/v1/users/me/token", { ...asks, origin: "https://evil.example" });
  assert.deepEqual([refused.status, refused.headers.get("access-control-allow-origin")], [405, null]);
  for (const origin of ["*", "app.example.com", `${FRIEND}/`, "null", "ftp://a.b", ""]) {
    assert.throws(() => createHandler(engine.auth, { allowedOrigins: [origin] }), TypeError, origin);
  }
});
