import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { authRoutes, currentAuth, nextPath, requireAuth, signInProxy } from "../../src/adapters/next.ts";
import { createEngine, type Engine, PASSWORD, signIn } from "../support/engine.ts";

const SITE = "https://shop.example";
let engine: Engine;
before(async () => {
  engine = await createEngine();
});
after(() => engine.auth.close());

test("a catch-all route serves the endpoints, with cookies for its own paths", async () => {
  await signIn(engine, "ada");
  const { POST, GET } = authRoutes(engine.auth, { prefix: "/auth" });
  const headers = {
    "content-type": "application/json",
    "latchkey-transport": "cookie",
    "sec-fetch-site": "same-origin",
  };
  const body = JSON.stringify({ username: "ada", password: PASSWORD });
  const answer = await POST(new Request(`${SITE}/auth/v1/users/me/token`, { method: "POST", headers, body }));
  assert.equal(answer.status, 200);
  const [access = "", refresh = ""] = answer.headers.getSetCookie();
  assert.match(refresh, /Path=\/auth\/v1\/users\/me\/token;/);
  const cookie = access.slice(0, access.indexOf(";"));
  assert.equal((await GET(new Request(`${SITE}/auth/v1/users/me`, { headers: { cookie } }))).status, 200);

  const who = await currentAuth(engine.auth, new Headers({ cookie }));
  assert.equal(who?.userId, 1);
  assert.equal((await engine.auth.sessions.list(1))[0]?.id, who?.sessionId, "and nothing was rotated");
  const page = requireAuth(engine.auth)((_request, { userId }, context: { params: string }) =>
    Response.json({ userId, ...context }),
  );
  const guarded = await page(new Request(`${SITE}/api`, { headers: { cookie } }), { params: "kept" });
  assert.deepEqual(await guarded.json(), { userId: 1, params: "kept" });
});

test("below a basePath, cookies come back and nobody is sent out of the application", async () => {
  await signIn(engine, "edith");
  // Next takes the basePath off what a route handler is given, and leaves it on what the proxy is given.
  const { POST } = authRoutes(engine.auth, { prefix: "/auth", basePath: "/shop" });
  const headers = { "content-type": "application/json", "latchkey-transport": "cookie", origin: SITE };
  const body = JSON.stringify({ username: "edith", password: PASSWORD });
  const answer = await POST(new Request(`${SITE}/auth/v1/users/me/token`, { method: "POST", headers, body }));
  assert.match(answer.headers.getSetCookie()[1] ?? "", /Path=\/shop\/auth\/v1\/users\/me\/token;/);
  assert.throws(() => authRoutes(engine.auth, { basePath: "/a b" }), /^TypeError: basePath must be a path/);

  const proxy = signInProxy({ signInPath: "/login", except: ["/", "/public"] });
  const ask = (path: string) =>
    proxy(Object.assign(new Request(SITE + path), { nextUrl: { basePath: path.startsWith("/shop") ? "/shop" : "" } }));
  assert.equal(ask("/shop/orders?page=2")?.headers.get("location"), `${SITE}/shop/login?next=%2Forders%3Fpage%3D2`);
  for (const path of ["/shop", "/shop/", "/shop/login", "/shop/public/a", "/shop/_next/static/x.js"])
    assert.equal(ask(path), undefined, path);
  assert.equal(ask("/orders")?.headers.get("location"), `${SITE}/login?next=%2Forders`);
});

test("a method that no path of the endpoints takes is refused as by them, with what the path takes", async () => {
  const routes = authRoutes(engine.auth, { prefix: "/auth" });
  // What is not exported Next refuses by itself, without the Allow that RFC 9110 §15.5.6 asks for.
  for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const) {
    const answer = await routes[method](new Request(`${SITE}/auth/v1/nothing`, { method }));
    assert.deepEqual([answer.status, answer.headers.get("content-type")], [404, "application/problem+json"], method);
  }
  const answer = await routes.PUT(new Request(`${SITE}/auth/v1/users/me`, { method: "PUT" }));
  assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "GET, HEAD"]);
});

test("a request that rests on a cookie is held to the host that the browser asked, whatever name the server goes by", async () => {
  const { tokens } = await signIn(engine, "hedy");
  const page = requireAuth(engine.auth)(() => new Response("changed"));
  const change = (origin: string) => {
    const headers = { cookie: `__Host-latchkey_access=${tokens.accessToken}`, host: "shop.example", origin };
    return page(new Request("http://localhost:3000/api", { method: "POST", headers }));
  };
  assert.equal((await change(SITE)).status, 200);
  assert.equal((await change("https://evil.example")).status, 403);
  assert.equal((await change("http://localhost:3000")).status, 403);
});

test("an engine that is a function is opened by the first request, once, and again when that failed", async () => {
  const { tokens } = await signIn(engine, "ida");
  let opened = 0;
  const open = async () => {
    opened++;
    if (opened === 1) throw new Error("no database yet");
    return engine.auth;
  };
  const { GET } = authRoutes(open, { prefix: "/auth" });
  const headers = { authorization: `Bearer ${tokens.accessToken}` };
  const me = () => GET(new Request(`${SITE}/auth/v1/users/me`, { headers }));
  assert.equal(opened, 0);
  await assert.rejects(me(), /no database yet/);
  assert.deepEqual(
    (await Promise.all([me(), me()])).map(({ status }) => status),
    [200, 200],
  );
  assert.equal(opened, 2);
  const page = requireAuth(open)((_request, { userId }) => Response.json({ userId }));
  assert.equal((await page(new Request(SITE, { headers }))).status, 200);
  assert.equal(
    (await currentAuth(open, new Headers(headers)))?.claims.sub,
    String((await currentAuth(engine.auth, new Headers(headers)))?.userId),
  );
});

test("a page that is rendered for nobody, or for a token that is no good, is rendered for nobody", async () => {
  const { tokens } = await signIn(engine, "grace");
  for (const authorization of ["Bearer garbage", "Basic YTpi"]) {
    assert.equal(await currentAuth(engine.auth, new Headers({ authorization })), undefined);
  }
  assert.equal(await currentAuth(engine.auth, new Headers()), undefined);
  const headers = new Headers({ authorization: `Bearer ${tokens.accessToken}` });
  assert.ok((await currentAuth(engine.auth, headers))?.userId);
  assert.equal(await currentAuth(engine.auth, headers, { roles: ["staff"] }), undefined);
  await engine.auth.logout(tokens.refreshToken);
  assert.equal(await currentAuth(engine.auth, headers), undefined);
});

test("the proxy sends who carries nothing to sign in, and nobody else", () => {
  const proxy = signInProxy({ signInPath: "/login", except: ["/auth/", "/public"] });
  const ask = (path: string, headers = {}) => proxy(new Request(SITE + path, { headers }));
  const sent = ask("/orders?page=2");
  assert.deepEqual([sent?.status, sent?.headers.get("location")], [307, `${SITE}/login?next=%2Forders%3Fpage%3D2`]);
  for (const path of ["/login", "/auth/v1/users/me/token", "/public/a", "/_next/static/x.js"])
    assert.equal(ask(path), undefined, path);
  assert.ok(ask("/publicity"), "no more than the path and what is below it");
  const home = signInProxy({ signInPath: "/login", except: ["/"] });
  assert.equal(home(new Request(`${SITE}/`)), undefined);
  assert.ok(home(new Request(`${SITE}/orders`)), "the home page alone");
  assert.equal(ask("/orders", { cookie: "__Host-latchkey_access=whatever" }), undefined, "it verifies nothing");
  assert.equal(ask("/orders", { authorization: "Bearer whatever" }), undefined);
});

test("after signing in nobody is sent to another site", () => {
  assert.equal(nextPath("/orders?page=2"), "/orders?page=2");
  for (const next of [
    "//evil.example",
    "/\\evil.example",
    "https://evil.example",
    "javascript:alert(1)",
    "",
    null,
    undefined,
    "/\t/evil.example",
  ]) {
    assert.equal(nextPath(next), "/", String(next));
  }
});
