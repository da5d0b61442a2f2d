/** What operators rely on: probes, metrics, the way down, and limits for those who dawdle. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, get } from "node:http";
import { connect, type Socket } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { readConfig } from "../../src/server/config.ts";
import { createTextLogger } from "../../src/server/logger.ts";
import { type RunningServer, startServer } from "../../src/server/server.ts";
import { call } from "../support/child-server.ts";
import { PASSWORD, TEST_SECRET } from "../support/engine.ts";
import { post, request, send } from "../support/raw-http.ts";

const TOKEN = "Zm9yIHRoZSBzY3JhcGVyIG9ubHksIG5vYm9keSBlbHNl";
interface Started extends RunningServer {
  readonly lines: readonly string[];
}

/** A server that is gone when its test is. */
async function start(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Started> {
  const own = { PORT: "0", JWT_SECRET_KEY: TEST_SECRET, DATABASE_URL: ":memory:", LATCHKEY_CONSOLE: "off" };
  const lines: string[] = [];
  const server = await startServer(
    readConfig({ ...own, ...env }),
    createTextLogger((line) => lines.push(line)),
  );
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= server.close();
    return closing;
  };
  t.after(close);
  return { ...server, lines, close };
}

/** A connection that says this much, and whether the server has closed it. */
function hold(
  t: TestContext,
  url: string,
  bytes: string,
): { readonly socket: Socket; readonly closed: Promise<string> } {
  let heard = "";
  const socket = connect({ host: "127.0.0.1", port: Number(new URL(url).port) });
  t.after(() => socket.destroy());
  const closed = new Promise<string>((resolve) => socket.on("close", () => resolve(heard)));
  socket
    .on("error", () => {})
    .on("data", (chunk: Buffer) => {
      heard += chunk.toString();
    });
  socket.write(bytes);
  return { socket, closed };
}

/** One GET over an agent's connection. */
function ask(agent: Agent, url: string): Promise<{ readonly status: number; readonly connection: string | undefined }> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (incoming) => {
      incoming
        .resume()
        .on("end", () => resolve({ status: incoming.statusCode ?? 0, connection: incoming.headers.connection }));
    }).on("error", reject);
  });
}

describe("metrics", { concurrency: true }, () => {
  test("are not there unless they were asked for", async (t) => {
    const { url } = await start(t);
    assert.equal((await call(url, "GET", "/metrics")).status, 404);
  });

  test("on the public port want a credential, and no user's will do (checklist 92)", async (t) => {
    const { url } = await start(t, { LATCHKEY_METRICS_TOKENS: TOKEN });
    const ada = { username: "ada", email: "ada@example.com", password: PASSWORD };
    await call(url, "POST", "/v1/users", { body: ada });
    const login = await call(url, "POST", "/v1/users/me/token", { body: { username: "ada", password: PASSWORD } });
    assert.equal((await call(url, "GET", "/metrics")).status, 401);
    for (const token of ["x", `${TOKEN}x`, login.body.access_token]) {
      assert.equal((await call(url, "GET", "/metrics", { token })).status, 401);
    }
    assert.equal((await call(url, "GET", `/metrics?access_token=${TOKEN}`)).status, 400);
    const scrape = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    assert.equal(scrape.status, 200);
    assert.match(scrape.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    const text = await scrape.text();
    assert.match(text, /^latchkey_logins_total\{outcome="granted"\} 1$/m);
    assert.match(text, /^latchkey_event_loop_delay_seconds\{quantile="0\.99"\} [\d.e-]+$/m);
    assert.match(text, /^process_resident_memory_bytes \d+$/m);
    assert.match(text, /^latchkey_store_connections 2$/m);
    assert.ok(!text.includes("ada"));
  });

  test("on a port of their own want none, and nothing else is served there", async (t) => {
    const { url, metricsUrl = "" } = await start(t, { LATCHKEY_METRICS_PORT: "0" });
    assert.equal((await fetch(`${metricsUrl}/metrics`)).status, 200);
    assert.equal((await fetch(`${metricsUrl}/readyz`)).status, 200);
    assert.equal((await call(metricsUrl, "GET", "/v1/health")).status, 404);
    assert.equal((await call(url, "GET", "/metrics")).status, 404);
    const { port } = new URL(metricsUrl);
    await assert.rejects(start(t, { LATCHKEY_METRICS_PORT: port }), /LATCHKEY_METRICS_PORT to another/);
  });
});

describe("on the way down", { concurrency: true }, () => {
  test("a server says that it is not ready, serves on for the delay, and closes what it answers (checklist 91)", async (t) => {
    const server = await start(t, { LATCHKEY_DRAIN_DELAY_SECONDS: "2", LATCHKEY_METRICS_PORT: "0" });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    try {
      const before = await ask(agent, `${server.url}/readyz`);
      assert.deepEqual(before, { status: 200, connection: "keep-alive" });
      const closing = server.close();
      // The connection that is there, a new one, and the operators' own port.
      assert.deepEqual(await ask(agent, `${server.url}/readyz`), { status: 503, connection: "close" });
      assert.deepEqual(await ask(agent, `${server.url}/v1/health`), { status: 200, connection: "close" });
      assert.equal((await fetch(`${server.metricsUrl}/readyz`)).status, 503);
      assert.equal((await call(server.url, "GET", "/livez")).status, 200);
      await closing;
      await assert.rejects(ask(agent, `${server.url}/livez`), { code: "ECONNREFUSED" });
    } finally {
      agent.destroy();
    }
  });

  test("a request under way is answered, and one that comes on an open connection just after too (checklist 91)", async (t) => {
    const server = await start(t);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.after(() => agent.destroy());
    const body = post("/v1/users/me/token", { username: "nobody", password: "wrong password" });
    const { socket, closed } = hold(t, server.url, body.slice(0, -5));
    await once(socket, "connect");
    assert.deepEqual(await ask(agent, `${server.url}/livez`), { status: 200, connection: "keep-alive" });
    const closing = server.close();
    assert.deepEqual(await ask(agent, `${server.url}/livez`), { status: 200, connection: "close" });
    socket.write(body.slice(-5));
    assert.match(await closed, /^HTTP\/1\.1 401 [\s\S]*\r\nconnection: close\r\n/i);
    await closing;
  });

  test("whoever never ends is cut off when the time for it is over", async (t) => {
    const server = await start(t, { LATCHKEY_DRAIN_TIMEOUT_SECONDS: "1" });
    const { socket, closed } = hold(t, server.url, post("/v1/users/me/token", { username: "x" }).slice(0, -3));
    await once(socket, "connect");
    assert.equal((await call(server.url, "GET", "/livez")).status, 200);
    const started = performance.now();
    await server.close();
    assert.ok(performance.now() - started >= 900);
    await closed;
  });
});

describe("limits of connections (checklist 86)", { concurrency: true }, () => {
  test("a head, a body and an idle connection have the time that was set, and no more", async (t) => {
    const { url } = await start(t, {
      LATCHKEY_HEADERS_TIMEOUT_SECONDS: "1",
      LATCHKEY_REQUEST_TIMEOUT_SECONDS: "1",
      LATCHKEY_KEEP_ALIVE_SECONDS: "1",
    });
    const head = hold(t, url, "GET /v1/health HTTP/1.1\r\nHost: a\r\nX: ");
    const body = hold(t, url, post("/v1/users/me/token", { username: "x" }).slice(0, -3));
    const idle = hold(t, url, request("GET /v1/health"));
    const heard = await Promise.all([head.closed, body.closed, idle.closed]);
    assert.match(heard[0], /^HTTP\/1\.1 408 /);
    assert.match(heard[1], /^HTTP\/1\.1 408 /);
    assert.match(heard[2], /^HTTP\/1\.1 200 [\s\S]*"ok"\}$/);
  });

  test("a body may have as much as was set, declared or not, and who asks first is told so (checklist 85)", async (t) => {
    const { url } = await start(t, { LATCHKEY_BODY_LIMIT_KIB: "4" });
    const path = "/v1/users/me/token";
    const over = JSON.stringify({ username: "a".repeat(4_200), password: "x" });
    const chunked = `${over.length.toString(16)}\r\n${over}\r\n0\r\n\r\n`;
    const asking = ["Content-Type: application/json", `Content-Length: ${over.length}`, "Expect: 100-continue"];
    for (const bytes of [
      post(path, over),
      request(`POST ${path}`, ["Content-Type: application/json", "Transfer-Encoding: chunked"], chunked),
      request(`POST ${path}`, asking),
    ]) {
      const [answer] = (await send(url, bytes)).answers;
      assert.deepEqual([answer?.status, answer?.body.detail], [413, "The body is over 4 KiB."]);
    }
    const [fits] = (await send(url, post(path, " ".repeat(4_000).concat("{}")))).answers;
    assert.equal(fits?.status, 422);
  });

  test("one connection more than there may be is closed at once, and the others are served", async (t) => {
    const { url } = await start(t, { LATCHKEY_MAX_CONNECTIONS: "2" });
    const agents = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true }), new Agent()];
    try {
      for (const agent of agents.slice(0, 2)) assert.equal((await ask(agent, `${url}/livez`)).status, 200);
      await assert.rejects(ask(agents[2] as Agent, `${url}/livez`), /socket hang up|ECONNRESET/);
      assert.equal((await ask(agents[0] as Agent, `${url}/livez`)).status, 200);
    } finally {
      for (const agent of agents) agent.destroy();
    }
  });
});

test("of X-Forwarded-For only what our own proxies wrote is believed, however it is forged (checklist 92)", async (t) => {
  const { url } = await start(t, { NUMBER_OF_PROXIES: "1" });
  const ada = { username: "ada", password: PASSWORD };
  await call(url, "POST", "/v1/users", { body: { ...ada, email: "ada@example.com" } });
  const written = "198.51.100.7"; // by the proxy, at the end
  for (const [headers, believed] of [
    [[`X-Forwarded-For: 203.0.113.66, ${written}`], written],
    [[`X-Forwarded-For: 203.0.113.66`, `X-Forwarded-For: ${written}`], written],
    [["Forwarded: for=203.0.113.66", "X-Real-IP: 203.0.113.66", `X-Forwarded-For: ${written}`], written],
    [["X-Forwarded-For: 203.0.113.66, <script>"], "127.0.0.1"],
    [["X-Forwarded-For: 203.0.113.66,"], "127.0.0.1"],
    [["X-Client-IP: 203.0.113.66"], "127.0.0.1"],
  ] as const) {
    const [login] = (await send(url, post("/v1/users/me/token", ada, headers))).answers;
    const { body } = await call(url, "GET", "/v1/users/me/sessions", { token: login?.body.access_token });
    assert.equal(body.sessions.find((session: { current: boolean }) => session.current).ip, believed, headers.join());
  }
});

test("probes leave no line in the log, but what they are refused does", async (t) => {
  const server = await start(t, { LATCHKEY_METRICS_TOKENS: TOKEN });
  await call(server.url, "GET", "/livez");
  await call(server.url, "GET", "/readyz");
  await call(server.url, "GET", "/metrics");
  assert.deepEqual(
    server.lines.filter((line) => /livez|readyz|metrics/.test(line)),
    ["401 GET /metrics · credentials_missing"],
  );
});
