import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { getRequestListener } from "@hono/node-server";
import { createKeySet, createRevocationList, createVerifier, importKey } from "../../src/jwt/index.ts";
import { realSystem } from "../../src/system.ts";
import { createHandler } from "../support/documented.ts";
import { createEngine, type Engine, PASSWORD, signIn, TEST_SECRET } from "../support/engine.ts";
import { fakeSystem } from "../support/fake-system.ts";

const CREDENTIAL = "feed-Zx8Kq2Vw5Lt9Rb3Ny7Hm1Jd6Gf4Ps0Qa";
const keys = createKeySet([importKey(Buffer.from(TEST_SECRET), { alg: "HS256" })]);
let engine: Engine;
let server: Server;
let url: string;

before(async () => {
  engine = await createEngine({ system: realSystem });
  const handle = createHandler(engine.auth, { feedTokens: [CREDENTIAL] });
  server = createServer(getRequestListener((request) => handle(request), { overrideGlobalObjects: false }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/revocations`;
});
after(async () => {
  server.closeAllConnections();
  server.close();
  await engine.auth.close();
});

const follow = (options: Partial<Parameters<typeof createRevocationList>[1]> = {}) =>
  createRevocationList(url, { credential: CREDENTIAL, allowInsecureHttp: true, ...options });
const verifierWith = (revocations: ReturnType<typeof follow>) =>
  createVerifier({ keys, issuer: "latchkey", audience: "latchkey", revocations, cache: 100 });

async function until(isTrue: () => boolean): Promise<void> {
  for (const start = performance.now(); !isTrue(); await sleep(5))
    assert.ok(performance.now() - start < 5000, "within 5 s");
}

test("a service without the database hears of an end while it waits, cached tokens included (checklist 27, 55)", async () => {
  const { user, tokens } = await signIn(engine);
  const other = await engine.auth.login({ username: "ada", password: PASSWORD });
  await engine.auth.logout(other.refreshToken);
  const list = follow();
  await list.ready();
  const verifier = verifierWith(list);
  assert.throws(() => verifier.verify(other.accessToken), { code: "session_ended", message: "Invalid token" });
  assert.equal(verifier.verify(tokens.accessToken).sub, String(user.id));
  const verify = () => {
    try {
      verifier.verify(tokens.accessToken);
      return undefined;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  assert.equal(verify(), undefined);
  await engine.auth.users.deactivate(user.id);
  await until(() => verify() === "user_not_found");
  await engine.auth.users.reactivate(user.id);
  const back = await engine.auth.login({ username: "ada", password: PASSWORD });
  assert.equal(verifier.verify(back.accessToken).sub, String(user.id));
  list.close();
});

test("before it is read, and when it has grown stale, every token is refused with 503, never waved through (checklist 93)", async () => {
  const { tokens } = await signIn(engine, "stale");
  const system = fakeSystem(realSystem.now());
  const list = follow({ system });
  const verifier = verifierWith(list);
  assert.throws(() => verifier.verify(tokens.accessToken), { code: "store_unavailable", status: 503 });
  await list.ready();
  assert.equal(typeof verifier.verify(tokens.accessToken).sub, "string");
  system.advance("31s");
  assert.throws(() => verifier.verify(tokens.accessToken), { code: "store_unavailable" });
  list.close();
});

test('with onStale: "allowStale" what was known goes on to count', async () => {
  const { tokens } = await signIn(engine, "lenient");
  const ended = await engine.auth.login({ username: "lenient", password: PASSWORD });
  await engine.auth.logout(ended.refreshToken);
  const system = fakeSystem(realSystem.now());
  const list = follow({ system, onStale: "allowStale" });
  await list.ready();
  const verifier = verifierWith(list);
  system.advance("5m");
  assert.equal(typeof verifier.verify(tokens.accessToken).sub, "string");
  assert.throws(() => verifier.verify(ended.accessToken), { code: "session_ended" });
  list.close();
});

test("a wrong credential, an issuer that is down, a redirect, garbage: told to the log, and nothing is believed", async () => {
  const answers: readonly [what: string, answer: () => Promise<Response>][] = [
    ["down", async () => Promise.reject(new Error("connect ECONNREFUSED"))],
    ["an error", async () => new Response("no", { status: 500 })],
    ["HTML", async () => new Response("<html>")],
    ["another document", async () => Response.json({ keys: [] })],
    [
      "an entry without a meaning",
      async () => Response.json({ entries: [{ position: 1 }], cursor: "a.1", reset: false, more: false }),
    ],
    [
      "an endless answer",
      async () => new Response(new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array(1 << 20)) })),
    ],
  ];
  for (const [what, answer] of answers) {
    const failures: string[] = [];
    const list = follow({ fetch: answer, onFailure: (cause) => failures.push(cause.message) });
    await assert.rejects(list.ready(), Error, what);
    await until(() => failures.length > 0);
    assert.equal(list.state().isFresh, false);
    assert.ok(!failures.join().includes(CREDENTIAL), "checklist 89");
    list.close();
  }
  const wrong = follow({ credential: "x".repeat(40) });
  await assert.rejects(wrong.ready(), /status 401/);
  wrong.close();
});

test("the URL must be https unless said loudly otherwise, and the options make sense", () => {
  const make = (to: string, options: object) => () => createRevocationList(to, { credential: CREDENTIAL, ...options });
  assert.throws(make(url, {}), /must be https/);
  assert.throws(make("nonsense", {}), TypeError);
  assert.throws(make("https://user:pass@auth.example/v1/revocations", {}), /holds no credentials/);
  assert.throws(make("https://auth.example/v1/revocations", { credential: "" }), /credential/);
  assert.throws(make("https://auth.example/v1/revocations", { onStale: "ignore" }), /onStale/);
});
