/** Error handlers of an application's own, which word a refusal in their own way: what has to go with it is there all the same (RFC 6750 §3). */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, type TestContext, test } from "node:test";
import express from "express";
import { fastify } from "fastify";
import Koa from "koa";
import * as forExpress from "../../src/adapters/express.ts";
import * as forFastify from "../../src/adapters/fastify.ts";
import * as forKoa from "../../src/adapters/koa.ts";
import { createEngine, type Engine } from "../support/engine.ts";

let engine: Engine;
before(async () => {
  engine = await createEngine();
});
after(() => engine.auth.close());

async function listening(t: TestContext, server: Server): Promise<string> {
  if (!server.listening) await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** At once and later: a guard that asks the store makes a promise. */
async function isChallenged(url: string): Promise<void> {
  for (const path of ["/now", "/live"]) {
    const nobody = await fetch(`${url}${path}`);
    assert.deepEqual([nobody.status, await nobody.json()], [401, { oops: "credentials_missing" }], path);
    assert.match(nobody.headers.get("www-authenticate") ?? "", /^Bearer realm=/, path);
    const bad = await fetch(`${url}${path}`, { headers: { authorization: "Bearer a.b.c" } });
    assert.deepEqual([bad.status, await bad.json()], [401, { oops: "token_invalid" }], path);
    assert.match(bad.headers.get("www-authenticate") ?? "", /error="invalid_token"/, path);
    assert.equal(bad.headers.get("cache-control"), "no-store");
  }
}

test("Express", async (t) => {
  const app = express();
  app.get("/now", forExpress.requireAuth(engine.auth), (_request, response) => void response.end("in"));
  const live = forExpress.requireAuth(engine.auth, { freshness: "live" });
  app.get("/live", live, (_request, response) => void response.end("in"));
  const answer: express.ErrorRequestHandler = (error: forExpress.HttpError, _request, response, _next) => {
    response.status(error.statusCode).json({ oops: error.code });
  };
  app.use(answer);
  await isChallenged(await listening(t, createServer(app)));
});

test("Fastify", async (t) => {
  const app = fastify();
  app.get("/now", { onRequest: forFastify.requireAuth(engine.auth) }, () => "in");
  app.get("/live", { onRequest: forFastify.requireAuth(engine.auth, { freshness: "live" }) }, () => "in");
  app.setErrorHandler<forFastify.HttpError>((error, _request, reply) =>
    reply.code(error.statusCode).send({ oops: error.code }),
  );
  t.after(() => app.close());
  await isChallenged(await app.listen({ port: 0, host: "127.0.0.1" }));
});

test("Koa", async (t) => {
  const app = new Koa();
  app.use(async (context, next) => {
    try {
      await next();
    } catch (error) {
      const { statusCode, code } = error as forKoa.HttpError;
      context.status = statusCode;
      context.body = { oops: code };
    }
  });
  const [now, live] = [
    forKoa.requireAuth(engine.auth),
    forKoa.requireAuth(engine.auth, { freshness: "live" }),
  ] as unknown as Koa.Middleware[];
  app.use((context, next) => (context.path === "/now" ? now : live)?.(context, next));
  await isChallenged(await listening(t, createServer(app.callback())));
});
