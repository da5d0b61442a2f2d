/** What can't be mounted is refused when it is mounted, and not by every request that comes after. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { authRoutes as fetchRoutes } from "../src/adapters/fetch.ts";
import { authRoutes as nextRoutes } from "../src/adapters/next.ts";
import type { Auth } from "../src/auth.ts";
import { createHandler, type HandlerOptions } from "../src/handler.ts";
import { createEngine, type Engine } from "./support/engine.ts";

let engine: Engine;
before(async () => {
  engine = await createEngine();
});
after(() => engine.auth.close());

test("what is no engine is refused at once, and named; of a promise it is said that it was not awaited", () => {
  const verifier = { issuer: "x", isAsync: false, verify: () => ({}) };
  for (const [given, named] of [
    [Promise.resolve(engine.auth), "a promise, which is not awaited"],
    [undefined, "undefined"],
    [null, "null"],
    [verifier, "a verifier, which only requireAuth takes"],
    [() => engine.auth, "a function"],
    [{ ...engine.auth, login: undefined }, "another object"],
    [{ ...engine.auth, authenticate: undefined }, "another object"],
    [{ ...engine.auth, metrics: undefined }, "another object"],
  ] as const) {
    for (const mount of [createHandler, fetchRoutes]) {
      assert.throws(() => mount(given as unknown as Auth), {
        name: "TypeError",
        message: `authRoutes takes an engine: await createAuth(…). It was given ${named}`,
      });
    }
  }
});

test("latchkey/next resolves a function that opens an engine before it looks at what came of it", async () => {
  const ask = (routes: ReturnType<typeof nextRoutes>) => routes.GET(new Request("http://localhost/v1/health"));
  assert.equal((await ask(nextRoutes(async () => engine.auth))).status, 200);
  await assert.rejects(ask(nextRoutes(async () => undefined as unknown as Auth)), {
    message: "authRoutes takes an engine: await createAuth(…). It was given undefined",
  });
});

test("an option that there is not is named, with those that there are", () => {
  for (const name of ["prefx", "cookie", "auth"]) {
    assert.throws(() => createHandler(engine.auth, { [name]: false } as HandlerOptions), {
      name: "TypeError",
      message: `authRoutes has no option "${name}": there are contracts, documents, prefix, cookies, allowedOrigins, proxyCount, clientAddress, feedTokens, bodyLimit, tracer, onRequest`,
    });
  }
  assert.throws(() => createHandler(engine.auth, "/auth" as HandlerOptions), /authRoutes takes an object of options: /);
});

test("documents is one of three words", () => {
  for (const documents of [true, "doc", null]) {
    assert.throws(() => createHandler(engine.auth, { documents } as unknown as HandlerOptions), {
      name: "TypeError",
      message: `documents is "none", "openapi" or "docs", not ${JSON.stringify(documents)}`,
    });
  }
  for (const documents of ["none", "openapi", "docs"] as const) createHandler(engine.auth, { documents });
});
