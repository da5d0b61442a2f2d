import assert from "node:assert/strict";
import { test } from "node:test";
import { startHousekeeping } from "../../src/sessions/housekeeping.ts";
import { sql } from "../../src/storage/storage.ts";
import { createEngine, PASSWORD, signIn } from "../support/engine.ts";

test("one session more than the limit ends the oldest, for its access token too (checklist 54)", async () => {
  const engine = await createEngine({ sessionLimit: 3 });
  const { user, tokens } = await signIn(engine);
  const login = () => engine.auth.login({ username: "ada", password: PASSWORD });
  const second = await login();
  await login();
  assert.equal((await engine.auth.authenticate(tokens.accessToken)).userId, user.id);
  engine.counted();
  await engine.auth.refresh(second.refreshToken);
  const fourth = await login();
  assert.throws(() => engine.auth.authenticate(tokens.accessToken), { code: "session_ended" });
  await assert.rejects(engine.auth.refresh(tokens.refreshToken), { code: "session_ended" });
  assert.equal((await engine.auth.sessions.list(user.id)).length, 3);
  assert.equal((await engine.auth.sessions.list(user.id))[0]?.id, fourth.sessionId);
  await engine.auth.close();
});

test("dead sessions are deleted a week after their death, in batches, and live ones are not", async () => {
  const engine = await createEngine({ sessionIdleTtl: "10d" });
  const { system, storage } = engine;
  const { tokens } = await signIn(engine);
  const live = await engine.auth.login({ username: "ada", password: PASSWORD });
  await engine.auth.logout(tokens.refreshToken);
  const housekeeping = startHousekeeping({ storage, system });
  const count = async () => (await storage.read(sql`select count(*) as n from latchkey_sessions`))[0]?.n;
  system.advance("6d");
  assert.equal(await housekeeping.step(), 0);
  system.advance("2d");
  assert.equal(await housekeeping.step(), 1);
  assert.equal(await count(), 1);
  assert.equal((await storage.read(sql`select count(*) as n from latchkey_revocations`))[0]?.n, 0);
  assert.equal((await engine.auth.refresh(live.refreshToken)).generation, 1);
  system.advance("18d");
  assert.equal(await housekeeping.step(), 1, "idle for ten days, and dead for a week");
  assert.equal(await count(), 0);
  housekeeping.stop();
  await engine.auth.close();
});

test("nothing is deleted for an hour after the clock jumped (checklist 101)", async () => {
  const engine = await createEngine();
  const { system, storage } = engine;
  await signIn(engine);
  const housekeeping = startHousekeeping({ storage, system });
  system.jump(365 * 24 * 3600);
  assert.equal(await housekeeping.step(), 0);
  system.advance("59m");
  assert.equal(await housekeeping.step(), 0);
  system.jump(-365 * 24 * 3600);
  assert.equal(await housekeeping.step(), 0);
  system.advance("2h");
  assert.equal(await housekeeping.step(), 0);
  assert.equal((await storage.read(sql`select count(*) as n from latchkey_sessions`))[0]?.n, 1);
  housekeeping.stop();
  await engine.auth.close();
});

test("the batches reach every id and begin again", async () => {
  const engine = await createEngine();
  const { system, storage } = engine;
  await signIn(engine);
  for (const id of [1999, 2001, 4500, 9000]) {
    await storage.write([
      sql`insert into latchkey_sessions (id, user_id, user_epoch, handle_hash, mode, generation, rotated_at, attempts,
          access_expires_at, created_at, last_used_at, idle_expires_at, absolute_expires_at)
        values (${id}, 1, 0, 'x', 'rotating', 0, 0, '', 0, 0, 0, 0, 0)`,
    ]);
  }
  const housekeeping = startHousekeeping({ storage, system });
  const deleted = [];
  for (let i = 0; i < 6; i++) deleted.push(await housekeeping.step());
  assert.deepEqual(deleted, [1, 1, 1, 0, 1, 0]);
  housekeeping.stop();
  await engine.auth.close();
});

test("a session that a foreign token was adopted into is kept until that token has died: its end is not undone (checklist 49)", async () => {
  const engine = await createEngine();
  const { auth, system, storage } = engine;
  const { user } = await signIn(engine);
  const adoption = { userId: user.id, expiresAt: system.now() + 30 * 86_400 };
  const { refreshToken } = await auth.adopt("foreign.token", adoption);
  await auth.logout(refreshToken);
  const housekeeping = startHousekeeping({ storage, system });
  system.advance("20d");
  await housekeeping.step();
  await assert.rejects(auth.adopt("foreign.token", adoption), { code: "session_ended" });
  system.advance("18d");
  assert.ok((await housekeeping.step()) >= 1);
  housekeeping.stop();
  await auth.close();
});
