/** An error of the application inside the endpoints is told to somebody. */
import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import { createHandler, type HandlerOptions } from "../../src/handler.ts";
import type { HandledRequest } from "../../src/http/handler.ts";
import { createEngine, type Engine, PASSWORD } from "../support/engine.ts";

let failure: unknown;
let engine: Engine;
before(async () => {
  engine = await createEngine({
    claims: () => {
      if (failure !== undefined) throw failure;
      return {};
    },
  });
  await engine.auth.register({ username: "ada", email: "ada@example.com", password: PASSWORD });
});
after(() => engine.auth.close());

/** Signs in over HTTP while the application's claims fail. */
async function login(t: TestContext, thrown: unknown, options: HandlerOptions = {}) {
  const said = t.mock.method(console, "error", (..._told: unknown[]) => undefined);
  failure = thrown;
  const response = await createHandler(engine.auth, options)(
    new Request("http://localhost/v1/users/me/token", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: "ada", password: PASSWORD }),
    }),
    { ip: "203.0.113.7" },
  );
  const { status } = response;
  const { code } = (await response.json()) as { code?: string };
  said.mock.restore();
  return { status, code, said: said.mock.calls.map((call) => String(call.arguments)) };
}

test("an error of the application goes to console.error once, with its stack and its cause", async (t) => {
  const error = new TypeError("claims: no plan gold", { cause: new RangeError("below") });
  const { status, code, said } = await login(t, error);
  assert.deepEqual([status, code, said.length], [500, "internal", 1]);
  assert.match(
    said[0] ?? "",
    /^latchkey: POST \/v1\/users\/me\/token was answered with 500: TypeError: claims: no plan gold\n +at /,
  );
  assert.match(said[0] ?? "", /caused by: RangeError: below\n +at /);
});

test("what hangs on an error is not told, nor a token in its words", async (t) => {
  const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln";
  const error = Object.assign(new Error(`bad token ${token}`), { parameters: [PASSWORD], cause: { body: PASSWORD } });
  const { said } = await login(t, error);
  assert.equal(said.length, 1);
  assert.match(said[0] ?? "", /bad token \[token\]/);
  assert.ok(!said[0]?.includes(token) && !said[0]?.includes(PASSWORD), String(said));
});

test("what is thrown and is no error is answered and told as well", async (t) => {
  const { status, code, said } = await login(t, "the plan service is down");
  assert.deepEqual([status, code, said.length], [500, "internal", 1]);
  assert.match(said[0] ?? "", /500: the plan service is down$/);
  assert.match((await login(t, { password: PASSWORD })).said[0] ?? "", /500: a thrown object$/);
});

test("an error that is its own cause ends", async (t) => {
  const error = new Error("round");
  error.cause = error;
  assert.equal((await login(t, error)).said.length, 1);
});

test("onRequest is told instead, with the error itself", async (t) => {
  const requests: HandledRequest[] = [];
  const error = new Error("no plan");
  const { status, said } = await login(t, error, { onRequest: (request) => void requests.push(request) });
  assert.deepEqual([status, said.length, requests.length], [500, 0, 1]);
  assert.equal(requests[0]?.error, error);
  assert.equal(requests[0]?.reason, undefined);
});

test("a refusal is no failure: nothing is said of it", async (t) => {
  const said = t.mock.method(console, "error", () => undefined);
  const response = await createHandler(engine.auth)(new Request("http://localhost/v1/users/me"));
  assert.deepEqual([response.status, said.mock.callCount()], [401, 0]);
});
