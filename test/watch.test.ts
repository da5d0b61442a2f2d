import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { AuthError } from "../src/errors.ts";
import { realSystem } from "../src/system.ts";
import { createEngine, type Engine, PASSWORD, signIn } from "./support/engine.ts";

let engine: Engine;
before(async () => {
  engine = await createEngine();
});
after(() => engine.auth.close());

const codeOf = (signal: AbortSignal) => (signal.reason as AuthError | undefined)?.code;

test("the signal of a watched token is aborted when its session ends, and only then (checklist 48)", async () => {
  const { user, tokens } = await signIn(engine, "ada");
  const other = await engine.auth.login({ username: "ada", password: PASSWORD });
  const signal = engine.auth.watch(tokens.accessToken);
  await engine.auth.sessions.end(user.id, other.sessionId);
  assert.equal(signal.aborted, false, "somebody else's end");
  await engine.auth.logout(tokens.refreshToken);
  assert.deepEqual([signal.aborted, codeOf(signal)], [true, "session_ended"]);
});

test("a deactivated user's connections are closed, too", async () => {
  const { user, tokens } = await signIn(engine, "grace");
  const signal = engine.auth.watch(tokens.accessToken);
  await engine.auth.users.deactivate(user.id);
  assert.equal(codeOf(signal), "user_not_found");
});

test("it is aborted when the token expires", async () => {
  const real = await createEngine({ accessTtl: "1s", system: realSystem });
  const { tokens } = await signIn(real, "ada");
  const signal = real.auth.watch(tokens.accessToken);
  assert.equal(signal.aborted, false);
  for (let i = 0; i < 40 && !signal.aborted; i++) await sleep(100);
  assert.equal(codeOf(signal), "token_expired");
  await real.auth.close();
});

test("a token that is no good is told at once, and nobody is watched for who has gone", async () => {
  assert.equal(codeOf(engine.auth.watch("garbage")), "token_invalid");
  const { tokens } = await signIn(engine, "linus");
  const gone = new AbortController();
  const signal = engine.auth.watch(tokens.accessToken, { signal: gone.signal });
  gone.abort();
  await engine.auth.logout(tokens.refreshToken);
  assert.equal(signal.aborted, false);
  assert.equal(engine.auth.watch("garbage", { signal: gone.signal }).aborted, false);
});
