/** What else may answer, or be asked: other origins, proxies, hotels' networks. */
import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ClientError } from "../../src/client/index.ts";
import { PASSWORD, REFRESH, sharedStorage, signIn, startServer, type TestServer, until } from "./support.ts";

let server: TestServer;
let elsewhere: Server;
let elsewhereUrl: string;
const stolen: { url: string | undefined; headers: IncomingHttpHeaders; body: string }[] = [];

before(async () => {
  server = await startServer();
  elsewhere = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    stolen.push({ url: request.url, headers: request.headers, body });
    response.end("{}");
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  elsewhereUrl = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
});
after(async () => {
  elsewhere.closeAllConnections();
  elsewhere.close();
  await server.close();
});
beforeEach(() => {
  stolen.length = 0;
  server.requests.length = 0;
  server.intercept = undefined;
});

const failsWith = (code: string) => (error: unknown) => error instanceof ClientError && error.code === code;

test("no token goes to an origin that was not named, absolute, with // or in a Request", async () => {
  const client = server.client();
  await signIn(client);
  for (const input of [`${elsewhereUrl}/x`, elsewhereUrl.slice(5), new URL(elsewhereUrl), new Request(elsewhereUrl)]) {
    await assert.rejects(client.fetch(input), { name: "TypeError", message: /No credentials go to http/ });
  }
  assert.equal(stolen.length, 0);
  const trusting = server.client({ origins: [elsewhereUrl] });
  await signIn(trusting);
  await trusting.fetch(`${elsewhereUrl}/x`);
  assert.match(stolen.at(-1)?.headers.authorization ?? "", /^Bearer ey/);
});

for (const status of [301, 302, 303, 307, 308]) {
  test(`the token does not follow a ${status} to another origin`, async () => {
    const client = server.client();
    await signIn(client);
    server.intercept = (request, response) => {
      if (request.url !== "/moved") return false;
      response.writeHead(status, { location: `${elsewhereUrl}/x` }).end();
      return true;
    };
    assert.equal((await client.fetch("/moved")).status, 200);
    assert.equal(stolen.length, 1);
    assert.equal(stolen[0]?.headers.authorization, undefined);
  });

  test(`passwords and refresh tokens follow no ${status}`, async () => {
    const client = server.client();
    await signIn(client);
    server.engine.system.advance("16m");
    let count = 0;
    server.intercept = (request, response) => {
      if (`${request.method} ${request.url}` !== REFRESH || count++ > 0) return false;
      response.writeHead(status, { location: `${elsewhereUrl}/x` }).end();
      return true;
    };
    assert.equal((await client.fetch("/orders")).status, 200);
    server.intercept = (request, response) => {
      if (!request.url?.endsWith("/token")) return false;
      response.writeHead(status, { location: `${elsewhereUrl}/x` }).end();
      return true;
    };
    await assert.rejects(client.login({ username: "ada", password: PASSWORD }), failsWith("unreachable"));
    assert.equal(client.user?.username, "ada", "who was signed in still is");
    assert.deepEqual(stolen, []);
  });
}

test("a redirect within the origin keeps the token", async () => {
  const client = server.client();
  await signIn(client);
  server.intercept = (request, response) => {
    if (request.url !== "/moved") return false;
    response.writeHead(307, { location: "/orders" }).end();
    return true;
  };
  assert.equal((await client.fetch("/moved")).status, 200);
});

for (const [name, status, type, body] of [
  ["HTML with 200", 200, "text/html", "<html>Welcome to our hotel</html>"],
  ["204", 204, "text/plain", ""],
  ["an empty 200", 200, "application/json", ""],
  ["an empty object", 200, "application/json", "{}"],
  ["null", 200, "application/json", "null"],
  ["a number", 200, "application/json", "1"],
  ["tokens of the wrong types", 200, "application/json", '{"access_token":1,"refresh_token":[],"expires_in":"x"}'],
  ["a 401 that is not the server's", 401, "text/html", "<html>Proxy authentication</html>"],
  ["a 401 with another JSON", 401, "application/json", '{"message":"Unauthorized"}'],
  ["a 404 of a proxy", 404, "text/html", "<html>"],
  ["a 400 with an unknown code", 400, "application/json", '{"code":"weird"}'],
] as const) {
  test(`${name} where a refresh was asked for ends no session; where a login was, it is an error`, async () => {
    const client = server.client();
    await signIn(client);
    server.engine.system.advance("16m");
    let count = 0;
    server.intercept = (request, response) => {
      if (`${request.method} ${request.url}` !== REFRESH || count++ > 0) return false;
      response.writeHead(status, { "content-type": type }).end(body);
      return true;
    };
    assert.equal((await client.fetch("/orders")).status, 200);
    assert.equal(client.session?.generation, 1);
    server.intercept = (request, response) => {
      if (!request.url?.endsWith("/token")) return false;
      response.writeHead(status, { "content-type": type }).end(body);
      return true;
    };
    await assert.rejects(client.login({ username: "ada", password: PASSWORD }), (error: ClientError) => {
      assert.equal(error.name, "ClientError");
      assert.match(error.code, /^(unexpected_answer|weird)$/);
      assert.doesNotMatch(error.message, /correct horse/);
      return true;
    });
    assert.equal(client.user?.username, "ada");
  });
}

test("a server that is away makes `fetch` fail in time, and nobody is signed out", async () => {
  const client = server.client();
  await signIn(client);
  server.engine.system.advance("16m");
  server.intercept = (request, response) => {
    if (!request.url?.endsWith("/refresh")) return false;
    response.writeHead(503, { "retry-after": "60" }).end();
    return true;
  };
  await assert.rejects(client.fetch("/orders"), { name: "ClientError", status: 503, retryAfter: 60 });
  await assert.rejects(client.fetch("/orders"), { name: "ClientError" }, "and Retry-After is kept to");
  assert.equal(server.refreshCount(), 1);
  assert.equal(client.state.status, "signed-in");
});

test("two clients on one page, of one storage: one refresh, one sign-out", async () => {
  const storage = sharedStorage();
  const [one, two] = [server.client({ storage }), server.client({ storage })];
  await signIn(one);
  await until(() => two.user?.username === "ada"); // a sign-in is told
  server.engine.system.advance("16m");
  const answers = await Promise.all([one, two].flatMap((client) => [client.fetch("/orders"), client.fetch("/orders")]));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 200],
  );
  assert.equal(server.refreshCount(), 1);
  await two.logout();
  await until(() => one.user === undefined);
  assert.deepEqual(one.state, { status: "signed-out", user: undefined, reason: "logout" });
});

test("two clients on one page, each with a memory of its own, do not meet", async () => {
  await server.engine.auth.register({ username: "eve", email: "eve@example.com", password: PASSWORD });
  const [one, two] = [server.client(), server.client()];
  await signIn(one);
  await two.login({ username: "eve", password: PASSWORD });
  await sleep(50);
  assert.equal(one.user?.username, "ada");
  await two.logout();
  assert.equal((await one.fetch("/orders")).status, 200);
});

test("a request is never sent again in the name of another user", async () => {
  const storage = sharedStorage();
  const [one, two] = [server.client({ storage }), server.client({ storage })];
  await signIn(one);
  await until(() => two.user !== undefined);
  server.engine.system.advance("16m");
  let isHeld = true;
  server.intercept = async (request) => {
    // While it is on its way, another tab signs in as somebody else.
    if (request.url !== "/orders" || !isHeld) return false;
    isHeld = false;
    await two.login({ username: "eve", password: PASSWORD });
    return false;
  };
  const response = await one.fetch("/orders", { method: "POST", body: "pay" });
  assert.equal(response.status, 401);
  assert.equal(server.requests.filter((request) => request === "POST /orders").length, 1);
  assert.equal(one.user?.username, "eve");
});

test("an aborted request stops waiting for a refresh", async () => {
  const client = server.client();
  await signIn(client);
  server.engine.system.advance("16m");
  server.intercept = (request) => request.url?.endsWith("/refresh") === true;
  const controller = new AbortController();
  const fetching = client.fetch("/orders", { signal: controller.signal });
  setTimeout(() => controller.abort(new Error("enough")), 50);
  await assert.rejects(fetching, { message: "enough" });
});

test("409 refresh_superseded with nothing newer in storage: the session is ended, and a login is asked for", async () => {
  const client = server.client();
  await signIn(client);
  server.engine.system.advance("16m");
  server.intercept = (request, response) => {
    if (!request.url?.endsWith("/refresh")) return false;
    response
      .writeHead(409, { "content-type": "application/problem+json" })
      .end(JSON.stringify({ code: "refresh_superseded", status: 409 }));
    return true;
  };
  assert.equal((await client.fetch("/orders")).status, 401);
  assert.equal(client.state.reason, "refresh_superseded");
  await until(() => server.requests.at(-1) === "POST /v1/users/me/token/revoke");
});

test("a verdict on an old token does not touch a session that was begun meanwhile", async () => {
  const storage = sharedStorage();
  const [one, two] = [server.client({ storage }), server.client({ storage })];
  await signIn(one);
  server.engine.system.advance("16m");
  server.onAnswer = async (request) => {
    if (!request.url?.endsWith("/refresh")) return undefined;
    server.onAnswer = undefined;
    await signIn(two);
    return undefined;
  };
  const [session] = await server.engine.auth.sessions.list(1);
  await server.engine.auth.sessions.end(1, session!.id);
  await one.fetch("/orders");
  assert.equal(one.state.status, "signed-in");
  assert.equal((await one.fetch("/orders")).status, 200);
});

test("signing out during a refresh holds: the answer is thrown away, and the session is over", async () => {
  const storage = sharedStorage();
  const client = server.client({ storage });
  await signIn(client);
  server.engine.system.advance("16m");
  const sessionId = client.session?.id;
  let leaving: Promise<void> | undefined;
  server.onAnswer = async (request) => {
    if (!request.url?.endsWith("/refresh")) return undefined;
    leaving = client.logout();
    await sleep(50);
    return undefined;
  };
  assert.equal((await client.fetch("/orders")).status, 401);
  await leaving;
  server.onAnswer = undefined;
  assert.equal(client.state.reason, "logout");
  assert.equal(storage.texts.size, 0);
  const live = await server.engine.auth.sessions.list(1);
  assert.equal(
    live.some(({ id }) => id === sessionId),
    false,
  );
});
