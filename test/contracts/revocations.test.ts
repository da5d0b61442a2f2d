import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Handler } from "../../src/handler.ts";
import { createHandler } from "../support/documented.ts";
import { createEngine, type Engine, signIn } from "../support/engine.ts";

const CREDENTIAL = "feed-Zx8Kq2Vw5Lt9Rb3Ny7Hm1Jd6Gf4Ps0Qa";
let engine: Engine;
let handle: Handler;
before(async () => {
  engine = await createEngine();
  handle = createHandler(engine.auth, { feedTokens: ["another-Zx8Kq2Vw5Lt9Rb3Ny7Hm1Jd6Gf4Ps", CREDENTIAL] });
});
after(() => engine.auth.close());

async function revocations(query: string, credential = CREDENTIAL) {
  const headers = { authorization: `Bearer ${credential}` };
  const response = await handle(new Request(`http://latchkey.test/v1/revocations${query}`, { headers }));
  return { status: response.status, body: JSON.parse(await response.text()) };
}

test("only a service with a credential from the configuration reads the feed (checklist 94)", async () => {
  const { tokens } = await signIn(engine, "curious");
  assert.equal((await revocations("?wait=0", tokens.accessToken)).status, 401);
  assert.equal((await revocations("?wait=0", "")).status, 401);
  assert.equal(
    (await engine.call("GET", "/v1/revocations", { token: CREDENTIAL })).status,
    401,
    "none is configured there",
  );
  assert.equal((await revocations("?wait=0")).status, 200);
  assert.throws(() => createHandler(engine.auth, { feedTokens: ["short"] }), TypeError);
});

test("what was taken back comes after a cursor, once", async () => {
  const { user, tokens } = await signIn(engine, "one");
  const start = (await revocations("?wait=0")).body.cursor;
  await engine.auth.logout(tokens.refreshToken);
  await engine.auth.users.deactivate(user.id);
  const { body } = await revocations(`?since=${start}&wait=0`);
  assert.deepEqual(
    body.entries.map(({ position, expires_at, ...entry }: Record<string, unknown>) => entry),
    [
      {
        session_id: tokens.sessionId,
        user_id: null,
        epoch: null,
        except_session_id: null,
        issued_before: null,
        reason: "ended",
      },
      {
        session_id: null,
        user_id: String(user.id),
        epoch: 1,
        except_session_id: null,
        issued_before: null,
        reason: "inactive",
      },
    ],
  );
  assert.deepEqual([body.reset, body.more], [false, false]);
  assert.deepEqual((await revocations(`?since=${body.cursor}&wait=0`)).body.entries, []);
});

test("who waits is answered as soon as something is taken back", async () => {
  const { tokens } = await signIn(engine, "waited-for");
  const { cursor } = (await revocations("?wait=0")).body;
  const waiting = revocations(`?since=${cursor}`);
  await sleep(50);
  await engine.auth.logout(tokens.refreshToken);
  const { body } = await waiting;
  assert.equal(body.entries.length, 1);
  assert.equal(body.entries[0].session_id, tokens.sessionId);
});

test("who waits in vain is answered with nothing, and at once when the server goes down", async () => {
  const { cursor } = (await revocations("?wait=0")).body;
  assert.deepEqual((await revocations(`?since=${cursor}&wait=1`)).body.entries, []);
  const waiting = revocations(`?since=${cursor}&wait=25`);
  await sleep(20);
  engine.auth.revocations.answerWaiting();
  assert.equal((await waiting).body.cursor, cursor);
});

test("a cursor of another store begins anew, and says so", async () => {
  const { body } = await revocations(`?since=00000000-0000-4000-8000-000000000000.7&wait=0`);
  assert.equal(body.reset, true);
  assert.ok(body.entries.length > 0);
  for (const nonsense of ["x", "-1", "9".repeat(99), "%00", "'; drop table latchkey_feed; --"]) {
    assert.equal((await revocations(`?since=${encodeURIComponent(nonsense)}&wait=0`)).body.reset, true);
  }
});

test("a wait that is no whole number of seconds up to 25 is 422", async () => {
  for (const wait of ["-1", "26", "1.5", "x", "", "1&wait=2"])
    assert.equal((await revocations(`?wait=${wait}`)).status, 422, wait);
});
