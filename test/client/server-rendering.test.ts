/** A server that renders pages: it reads and never rotates; what rotates carries the cookies. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { forwardToAuth, readUser } from "../../src/client/server/index.ts";
import { PASSWORD, startServer, type TestServer } from "./support.ts";

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.close());
beforeEach(() => {
  server.requests.length = 0;
  server.intercept = undefined;
});

const ORIGIN = "https://app.example.com";

/** A request as a browser sends it to the application. */
const ask = (path: string, cookie: string, body?: object) =>
  new Request(ORIGIN + path, {
    method: body ? "POST" : "GET",
    headers: {
      cookie,
      origin: ORIGIN,
      "sec-fetch-site": "same-origin",
      "latchkey-transport": "cookie",
      ...(body && { "content-type": "application/json" }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });

const forward = async (request: Request) => (await forwardToAuth(request, { baseUrl: server.url })) as Response;

/** The cookies that a browser sends with a page, and with a refresh. */
async function signIn() {
  const response = await forward(ask("/v1/users/me/token", "", { username: "ada", password: PASSWORD }));
  assert.equal(response.status, 200);
  const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(";")[0] as string);
  assert.equal(cookies.length, 2);
  return { page: cookies[0] as string, all: cookies.join("; ") };
}

test("a page is rendered for whom the access cookie names, by one read", async () => {
  const { page } = await signIn();
  server.requests.length = 0;
  assert.equal((await readUser(ask("/", page), { baseUrl: server.url }))?.username, "ada");
  assert.deepEqual(server.requests, ["GET /v1/users/me"]);
});

test("reading rotates nothing, whatever cookies come and however old they are", async () => {
  const { all } = await signIn();
  server.engine.system.advance("16m");
  server.requests.length = 0;
  for (let i = 0; i < 3; i++) assert.equal(await readUser(ask("/", all), { baseUrl: server.url }), undefined);
  assert.equal(server.refreshCount(), 0);
  const refreshed = await forward(ask("/v1/users/me/token/refresh", all, {}));
  assert.equal(((await refreshed.json()) as { generation: number }).generation, 1, "the first rotation");
});

test("a refresh hands its cookies to the browser, and tokens to nobody", async () => {
  const { all } = await signIn();
  server.engine.system.advance("16m");
  const refreshed = await forward(ask("/v1/users/me/token/refresh", all, {}));
  const cookies = refreshed.headers.getSetCookie();
  assert.equal(cookies.length, 2);
  assert.equal(refreshed.headers.get("cache-control"), "no-store");
  assert.doesNotMatch(await refreshed.text(), /eyJ|lkr_/);
  const [page = ""] = cookies.map((cookie) => cookie.split(";")[0] as string);
  assert.equal((await readUser(ask("/", page), { baseUrl: server.url }))?.username, "ada");
});

test("what is not known is not guessed, and no page waits for a server that is away", async () => {
  const { page } = await signIn();
  const name = page.slice(0, page.indexOf("="));
  const twice = `${page}; ${name}=${"x".repeat(20)}`;
  for (const cookie of ["", "other=1", `${name}=`, `${name}=garbage`, twice]) {
    assert.equal(await readUser(ask("/", cookie), { baseUrl: server.url }), undefined, cookie);
  }
  server.intercept = () => true;
  const before = performance.now();
  assert.equal(await readUser(ask("/", page), { baseUrl: server.url, timeout: 100 }), undefined);
  assert.ok(performance.now() - before < 5_000);
  assert.equal(await readUser(ask("/", page), { baseUrl: "http://127.0.0.1:1" }), undefined);
  await assert.rejects(readUser(ask("/", page), { baseUrl: "localhost" }), TypeError);
});

test("only the auth server's paths are forwarded, and none is made up", async () => {
  for (const path of ["/", "/orders", "/v1/usersx", "/v1/revocations", "/v1/health", "//evil.example/v1/users"]) {
    assert.equal(await forwardToAuth(ask(path, ""), { baseUrl: server.url }), undefined, path);
  }
  assert.deepEqual(server.requests, []);
  assert.equal((await forward(ask("/v1/users/me", ""))).status, 401);
});

test("a request from a foreign page is refused through the application as it would be directly", async () => {
  const { all } = await signIn();
  const request = ask("/v1/users/me/token/revoke", all, {});
  request.headers.set("sec-fetch-site", "cross-site");
  request.headers.set("origin", "https://evil.example");
  assert.equal((await forward(request)).status, 403);
});

test("a browser that goes away while its refresh is forwarded is told nothing, and stays signed in", async () => {
  const { all } = await signIn();
  server.engine.system.advance("16m");
  const controller = new AbortController();
  server.onAnswer = async () => {
    await sleep(100);
    return undefined;
  };
  const leaving = forward(new Request(ask("/v1/users/me/token/refresh", all, { attempt: "a".repeat(22) }), controller));
  setTimeout(() => controller.abort(), 50);
  await assert.rejects(leaving);
  server.onAnswer = undefined;
  server.engine.system.advance("1h");
  const again = await forward(ask("/v1/users/me/token/refresh", all, { attempt: "a".repeat(22) }));
  assert.equal(again.status, 200);
});
