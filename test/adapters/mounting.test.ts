/** Where the endpoints are mounted by a framework's own means, and what a framework adds around them. */
import assert from "node:assert/strict";
import { createServer, get, type Server } from "node:http";
import { connect } from "node:http2";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { serve } from "@hono/node-server";
import express from "express";
import { fastify } from "fastify";
import { Hono, type HonoRequest } from "hono";
import Koa from "koa";
import * as forExpress from "../../src/adapters/express.ts";
import * as forFastify from "../../src/adapters/fastify.ts";
import * as forHono from "../../src/adapters/hono.ts";
import * as forKoa from "../../src/adapters/koa.ts";
import * as forNode from "../../src/adapters/node.ts";
import { createEngine, type Engine, PASSWORD } from "../support/engine.ts";

let engine: Engine;
const closing: (() => unknown)[] = [];
before(async () => {
  engine = await createEngine();
  await engine.auth.register({ username: "ada", email: "ada@example.com", password: PASSWORD });
});
after(async () => {
  for (const close of closing) await close();
  await engine.auth.close();
});

async function listening(server: Server): Promise<string> {
  if (!server.listening) await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const TOKEN_PATH = "/v1/users/me/token";
const CREDENTIALS = JSON.stringify({ username: "ada", password: PASSWORD });
const BROWSER = {
  "content-type": "application/json",
  "sec-fetch-site": "same-origin",
  "latchkey-transport": "cookie",
};

/** The Path of the refresh cookie that a sign-in below an address sets. */
async function refreshPathOf(address: string): Promise<string | undefined> {
  const answer = await fetch(`${address}${TOKEN_PATH}`, { method: "POST", headers: BROWSER, body: CREDENTIALS });
  assert.equal(answer.status, 200, await answer.text());
  const cookie = answer.headers.getSetCookie().find((line) => line.startsWith("__Secure-"));
  return /; Path=([^;]*)/.exec(cookie ?? "")?.[1];
}

test("the refresh cookie goes where the endpoints are: mounted as koa-mount, connect and Express do it", async () => {
  const koa = new Koa();
  const routes = forKoa.authRoutes(engine.auth) as Koa.Middleware;
  koa.use((context, next) => {
    context.path = context.path.replace(/^\/mounted/, "");
    return routes(context, next);
  });
  assert.equal(
    await refreshPathOf(`${await listening(createServer(koa.callback()))}/mounted`),
    `/mounted${TOKEN_PATH}`,
  );

  const handle = forNode.authRoutes(engine.auth);
  const connected = createServer((request, response) => {
    Object.assign(request, { originalUrl: request.url, url: request.url?.replace(/^\/mounted/, "") });
    handle(request, response);
  });
  assert.equal(await refreshPathOf(`${await listening(connected)}/mounted`), `/mounted${TOKEN_PATH}`);

  const app = express();
  app.use("/:tenant/auth", forExpress.authRoutes(engine.auth));
  const url = await listening(createServer(app));
  assert.equal(await refreshPathOf(`${url}/acme/auth`), `/acme/auth${TOKEN_PATH}`);
});

test("a path that a client chose says nothing in a cookie but a path", async () => {
  const app = express();
  app.use("/:tenant/auth", forExpress.authRoutes(engine.auth));
  const url = await listening(createServer(app));
  for (const tenant of ["acme;Domain=example.com", "a,b"]) {
    const answer = await fetch(`${url}/${tenant}/auth${TOKEN_PATH}`, {
      method: "POST",
      headers: BROWSER,
      body: CREDENTIALS,
    });
    assert.equal(answer.status, 200);
    assert.doesNotMatch(answer.headers.getSetCookie().join("\n"), /Domain|a,b/);
  }
});

test("Fastify: the prefix may stand in the options as everywhere else", async () => {
  for (const prefix of ["/auth", "auth/"]) {
    const app = fastify();
    await app.register(forFastify.authRoutes(engine.auth, { prefix }));
    const { statusCode } = await app.inject({ url: "/auth/v1/users/me" });
    assert.equal(statusCode, 401, prefix);
    assert.equal((await app.inject({ url: "/v1/users/me" })).statusCode, 404, prefix);
    await app.close();
  }
});

test("Fastify: a body that is too long is refused in our words, whatever the application's own limit is", async () => {
  for (const bodyLimit of [1024, 2 * 1024 * 1024]) {
    const app = fastify({ bodyLimit });
    await app.register(forFastify.authRoutes(engine.auth), { prefix: "/auth" });
    const post = (username: string) =>
      app.inject({ method: "POST", url: `/auth${TOKEN_PATH}`, payload: { username, password: PASSWORD } });
    assert.equal((await post("x".repeat(2000))).json().code, "input_invalid", "within the endpoints' own limit");
    if (bodyLimit > 70_000) assert.equal((await post("x".repeat(70_000))).json().code, "body_too_large");
    await app.close();
  }
  const app = fastify();
  await app.register(forFastify.authRoutes(engine.auth, { bodyLimit: 4 * 1024 * 1024 }));
  const payload = { username: "x".repeat(2 * 1024 * 1024), password: PASSWORD };
  assert.equal((await app.inject({ method: "POST", url: TOKEN_PATH, payload })).json().code, "input_invalid");
  await app.close();
});

test("Fastify: what the application has said of Vary stays said", async () => {
  const app = fastify();
  app.addHook("onRequest", (_request, reply, done) => {
    reply.header("vary", "Accept-Language");
    done();
  });
  await app.register(forFastify.authRoutes(engine.auth, { allowedOrigins: ["https://app.example.com"] }));
  const { headers } = await app.inject({ url: "/v1/users/me", headers: { origin: "https://app.example.com" } });
  assert.equal(headers.vary, "Accept-Language, Origin");
  await app.close();
});

test("Fastify over HTTP/2: endpoints, a guard, and a cookie from the page's own origin", async (t) => {
  const app = fastify({ http2: true });
  await app.register(forFastify.authRoutes(engine.auth) as never);
  const guard = forFastify.requireAuth(engine.auth);
  app.route({
    method: ["GET", "POST"],
    url: "/me",
    onRequest: guard,
    handler: (request) => ({ id: forFastify.authOf(request, guard).userId }),
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = app.server.address() as AddressInfo;
  const session = connect(`http://127.0.0.1:${port}`);
  t.after(async () => {
    session.destroy();
    await app.close();
  });
  const ask = (headers: Record<string, string>, body?: string) =>
    new Promise<{ status: number; body: Record<string, unknown> }>((resolve, reject) => {
      const stream = session.request(headers);
      let status = 0;
      let text = "";
      stream.setEncoding("utf8");
      stream.on("response", (answered) => {
        status = Number(answered[":status"]);
      });
      stream.on("data", (part: string) => {
        text += part;
      });
      stream.on("end", () => resolve({ status, body: text === "" ? {} : JSON.parse(text) }));
      stream.on("error", reject);
      stream.end(body);
    });
  const login = await ask({ ":method": "POST", ":path": TOKEN_PATH, "content-type": "application/json" }, CREDENTIALS);
  assert.equal(login.status, 200, JSON.stringify(login.body));
  const token = String(login.body.access_token);
  assert.deepEqual(await ask({ ":path": "/me", authorization: `Bearer ${token}` }), { status: 200, body: { id: 1 } });
  const cookie = `__Host-latchkey_access=${token}`;
  const change = (origin: string) => ask({ ":method": "POST", ":path": "/me", cookie, origin });
  assert.equal((await change(`http://127.0.0.1:${port}`)).status, 200);
  assert.equal((await change("https://evil.example")).status, 403);
});

test("a path that becomes one of ours only when a URL is made of it is nobody's, however it is spelled (checklist 87)", async () => {
  const paths = ["/public/../auth/v1/health", "/auth/x/%2e%2e/v1/health", "/auth/./v1/health", "/auth/%2E/v1/health"];
  const routes = forNode.authRoutes(engine.auth, { prefix: "/auth" });
  const app = new Hono();
  app.use(forHono.authRoutes(engine.auth, { prefix: "/auth" }));
  const hono = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
  await new Promise((resolve) => hono.once("listening", resolve));
  for (const url of [
    await listening(createServer((request, response) => routes(request, response))),
    await listening(hono as Server),
  ]) {
    const { hostname, port } = new URL(url);
    assert.equal(await statusOf({ hostname, port }, "/auth/v1/health"), 200);
    for (const path of paths) assert.equal(await statusOf({ hostname, port }, path), 404, path);
    assert.notEqual(await statusOf({ hostname, port }, "/auth\\v1\\health"), 200);
  }
});

/** What node's client sends is the path as it is, where `fetch` would make another of it. */
function statusOf({ hostname, port }: { readonly hostname: string; readonly port: string }, path: string) {
  return new Promise<number | undefined>((resolve, reject) => {
    get({ hostname, port, path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on("error", reject);
  });
}

test("Hono: a body that somebody in front has read by c.req is read again, and one that was read past it is said to be gone", async () => {
  const readers: ((request: HonoRequest) => Promise<unknown>)[] = [
    (request) => request.json(),
    (request) => request.text(),
    (request) => request.arrayBuffer(),
    (request) => request.parseBody(),
  ];
  for (const read of readers) {
    const app = new Hono();
    app.use(async (c, next) => {
      await read(c.req);
      await next();
    });
    app.use(forHono.authRoutes(engine.auth));
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: CREDENTIALS };
    const answer = await app.request(TOKEN_PATH, init);
    assert.equal(answer.status, 200, `${read}`);
  }
  const app = new Hono();
  const told: unknown[] = [];
  app.onError((error, c) => {
    told.push(error.message);
    return c.text("ours", 500);
  });
  app.use(async (c, next) => {
    await c.req.raw.text();
    await next();
  });
  app.use(forHono.authRoutes(engine.auth));
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: CREDENTIALS };
  assert.equal((await app.request(TOKEN_PATH, init)).status, 500);
  assert.match(String(told), /the body was read by c\.req\.raw before authRoutes/);
});
