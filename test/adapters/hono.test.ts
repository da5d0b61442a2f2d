/** What is Hono's own: refusals are its exceptions, so that an application's `onError` treats them as any other. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { requireAuth } from "../../src/adapters/hono.ts";
import { AuthError } from "../../src/errors.ts";
import { createEngine, type Engine } from "../support/engine.ts";

let engine: Engine;
before(async () => {
  engine = await createEngine();
});
after(() => engine.auth.close());

test("onError that asks for HTTPException, as Hono's documentation shows it, answers with the problem", async () => {
  const app = new Hono();
  app.onError((error, c) => (error instanceof HTTPException ? error.getResponse() : c.text("our fault", 500)));
  app.get("/before", requireAuth(engine.auth), (c) => c.text("in"));
  app.get(
    "/around",
    requireAuth(engine.auth).around((c) => c.text("in")),
  );
  app.get("/live", requireAuth(engine.auth, { freshness: "live" }), (c) => c.text("in"));
  for (const path of ["/before", "/around", "/live"]) {
    const nobody = await app.request(path);
    assert.equal(nobody.status, 401, path);
    assert.match(nobody.headers.get("www-authenticate") ?? "", /^Bearer realm=/);
    assert.equal(nobody.headers.get("content-type"), "application/problem+json");
    const bad = await app.request(path, { headers: { authorization: "Bearer garbage" } });
    assert.equal(((await bad.json()) as { code: string }).code, "token_invalid", path);
  }
});

test("the exception has the status, the safe message and the guard's error, and answers more than once", async () => {
  const app = new Hono();
  const seen: unknown[] = [];
  app.onError(async (error) => {
    seen.push(error);
    assert.ok(error instanceof HTTPException);
    await error.getResponse().text();
    return error.getResponse();
  });
  app.get("/", requireAuth(engine.auth), (c) => c.text("in"));
  const answer = await app.request("/", { headers: { authorization: "Bearer a.b" } });
  assert.equal(answer.status, 401);
  assert.equal(((await answer.json()) as { status: number }).status, 401);
  const [error] = seen as [HTTPException];
  assert.equal(error.status, 401);
  assert.equal(error.message, "Invalid token");
  assert.ok(error.cause instanceof AuthError);
  assert.equal(error.cause.code, "token_invalid");
  assert.notEqual(error.cause.reason, "");
});

test("what is no refusal is thrown as it is", async () => {
  const broken = Object.assign(Object.create(null), { authenticate: () => Promise.reject(new RangeError("broken")) });
  const app = new Hono();
  app.onError((error, c) => c.text(`${error.name} ${error instanceof HTTPException}`, 500));
  app.get("/", requireAuth(broken), (c) => c.text("in"));
  const answer = await app.request("/", { headers: { authorization: "Bearer a.b.c" } });
  assert.equal(await answer.text(), "RangeError false");
});
