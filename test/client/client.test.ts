/** The client with bearer tokens in Node, against the real server. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { type Change, ClientError, createClient } from "../../src/client/index.ts";
import { PASSWORD, REFRESH, sharedStorage, signIn, startServer, type TestServer } from "./support.ts";

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.close());
beforeEach(() => {
  server.intercept = undefined;
  server.onAnswer = undefined;
  server.requests.length = 0;
});

const user = async (response: Promise<Response>) => ((await (await response).json()) as { user?: string }).user;
const failsWith = (code: string) => (error: unknown) => error instanceof ClientError && error.code === code;

test("registers, signs in, fetches, lists sessions, changes the password and signs out", async () => {
  const client = server.client();
  assert.equal(client.state.status, "loading");
  await client.ready;
  assert.equal(client.state.status, "signed-out");
  const bob = { username: "bob", email: "bob@example.com", password: PASSWORD };
  assert.equal((await client.register({ ...bob, firstName: "Bob" })).firstName, "Bob");
  await assert.rejects(client.register(bob), failsWith("username_taken"));
  await assert.rejects(client.login({ username: "bob", password: "wrong" }), failsWith("invalid_credentials"));
  const changes: Change[] = [];
  client.onChange((change) => changes.push(change));
  assert.equal((await client.login({ username: "bob", password: PASSWORD })).username, "bob");
  assert.equal(client.user?.email, "bob@example.com");
  assert.equal(await user(client.fetch("/orders")), "bob");
  assert.equal((await client.sessions()).filter(({ current }) => current).length, 1);
  await assert.rejects(
    client.changePassword({ currentPassword: "wrong", newPassword: "another good one 77" }),
    failsWith("wrong_password"),
  );
  assert.equal(server.refreshCount(), 0, "a wrong password is no wrong token");
  await client.changePassword({ currentPassword: PASSWORD, newPassword: "another good one 77" });
  assert.equal(await user(client.fetch("/orders")), "bob");
  await client.logout();
  assert.deepEqual(client.state, { status: "signed-out", user: undefined, reason: "logout" });
  assert.equal((await client.fetch("/orders")).status, 401);
  assert.deepEqual(changes, ["signed-in", "signed-out"]);
});

test("`input_invalid` names the fields", async () => {
  const client = server.client();
  await assert.rejects(client.register({ username: "x y", email: "no", password: "1" }), (error: ClientError) => {
    assert.equal(error.code, "input_invalid");
    assert.equal(error.status, 422);
    assert.ok((error.errors?.length ?? 0) > 0);
    return true;
  });
});

test("fifty requests with a dead token make one refresh, and none of them sees it (checklist 63)", async () => {
  const client = server.client();
  await signIn(client);
  server.engine.system.advance("16m");
  const users = await Promise.all(Array.from({ length: 50 }, () => user(client.fetch("/orders"))));
  assert.deepEqual(new Set(users), new Set(["ada"]));
  assert.equal(server.refreshCount(), 1);
});

test("a token is renewed ahead of expiry, by the time that it lives and not by the clock of the device", async (t) => {
  const short = await startServer({ accessTtl: "1s" });
  t.after(() => short.close());
  const client = short.client();
  await signIn(client);
  // A device whose clock is a day off.
  t.mock.method(Date, "now", () => 0);
  await new Promise((resolve) => setTimeout(resolve, 1_050));
  assert.equal(await user(client.fetch("/orders")), "ada");
  assert.deepEqual(short.requests.slice(-2), [REFRESH, "GET /orders"], "no 401 was needed to know");
});

test("an API that refuses every token costs one refresh and no more (checklist 63)", async () => {
  const client = server.client();
  await signIn(client);
  server.intercept = (request, response) => {
    if (request.url !== "/orders") return false;
    response.writeHead(401).end();
    return true;
  };
  for (let i = 0; i < 5; i++) assert.equal((await client.fetch("/orders")).status, 401);
  assert.equal(server.refreshCount(), 1);
  assert.equal(client.state.status, "signed-in");
});

test("the body goes out again with a new token, but for a stream, whose 401 is the caller's", async () => {
  const client = server.client();
  await signIn(client);
  server.engine.system.advance("16m");
  const posted = await client.fetch("/orders", { method: "POST", body: "one" });
  assert.equal(((await posted.json()) as { body: string }).body, "one");
  server.engine.system.advance("16m");
  const request = new Request(`${server.url}/orders`, { method: "POST", body: "two" });
  assert.equal(((await (await client.fetch(request)).json()) as { body: string }).body, "two");
  server.engine.system.advance("16m");
  const body = new Blob(["three"]).stream();
  assert.equal((await client.fetch("/orders", { method: "POST", body, duplex: "half" } as RequestInit)).status, 401);
});

for (const [name, answer] of [
  ["503", 503],
  ["429", 429],
  ["500", 500],
  ["502 in HTML", 502],
  ["403 of a firewall", 403],
] as const) {
  test(`a refresh that is answered with ${name} signs nobody out: it is tried again`, async () => {
    const client = server.client();
    await signIn(client);
    server.engine.system.advance("16m");
    let count = 0;
    server.intercept = (request, response) => {
      if (`${request.method} ${request.url}` !== REFRESH || count++ === 2) return false;
      response.writeHead(answer, { "content-type": "text/html" }).end("<html>");
      return true;
    };
    assert.equal(await user(client.fetch("/orders")), "ada");
    assert.equal(count, 3);
  });
}

test("an answer that is cut after the commit is asked for again with the same attempt id", async () => {
  const client = server.client();
  await signIn(client);
  server.engine.system.advance("16m");
  let cut = 2;
  server.onAnswer = (request) => (request.url?.endsWith("/refresh") && cut-- > 0 ? "cut" : undefined);
  assert.equal(await user(client.fetch("/orders")), "ada");
  assert.equal(server.refreshCount(), 3);
  assert.equal(client.session?.generation, 1);
});

test("an answer that was lost is found an hour later: the attempt id was kept with the token it spends", async () => {
  const storage = sharedStorage();
  const client = server.client({ storage });
  await signIn(client);
  server.engine.system.advance("16m");
  server.onAnswer = ({ url }) => (url?.endsWith("/refresh") ? "cut" : undefined);
  await assert.rejects(client.fetch("/orders", { signal: AbortSignal.timeout(300) }), { name: "TimeoutError" });
  client.close();
  const [record] = storage.texts.values();
  assert.match(JSON.parse(record ?? "").attempt ?? "", /^[0-9-]{22,64}$/);
  server.onAnswer = undefined;
  server.engine.system.advance("1h");
  const later = server.client({ storage });
  assert.equal(await user(later.fetch("/orders")), "ada");
  assert.equal(later.session?.generation, 1);
  assert.equal(JSON.parse([...storage.texts.values()][0] ?? "").attempt, undefined, "and is gone with it");
});

test("what the server says is over is over, and why is told", async () => {
  const client = server.client();
  await signIn(client);
  const [session] = await client.sessions();
  await server.engine.auth.sessions.end(1, session!.id);
  assert.equal((await client.fetch("/orders")).status, 401);
  assert.deepEqual(client.state, { status: "signed-out", user: undefined, reason: "session_ended" });
});

for (const baseUrl of [
  "",
  "localhost:8000",
  "example.com",
  "/auth",
  "ftp://a.b",
  "http://a:b@c.d",
  "https://a.b?x=1",
]) {
  test(`baseUrl ${JSON.stringify(baseUrl)} is refused with what would be right`, () => {
    assert.throws(() => createClient({ baseUrl }), { name: "TypeError", message: /baseUrl must be like "https:/ });
  });
}

test("without an address the client says what it would be", () => {
  for (const options of [undefined, null, {}]) {
    assert.throws(() => createClient(options as unknown as Parameters<typeof createClient>[0]), {
      name: "TypeError",
      message: /baseUrl must be like/,
    });
  }
});

test("a request that failed on the way, or was answered with 5xx, is the caller's: it is never sent twice (checklist 65)", async () => {
  const client = server.client();
  await signIn(client);
  server.intercept = (request, response) => {
    if (request.url !== "/orders") return false;
    if (request.headers["x-cut"]) request.socket.destroy();
    else response.writeHead(503).end();
    return true;
  };
  assert.equal((await client.fetch("/orders", { method: "POST", body: "pay" })).status, 503);
  await assert.rejects(client.fetch("/orders", { method: "POST", body: "pay", headers: { "x-cut": "1" } }), TypeError);
  assert.equal(server.requests.filter((request) => request === "POST /orders").length, 2);
  assert.equal(server.refreshCount(), 0);
});
