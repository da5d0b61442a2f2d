import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type ChildServer, call, startChildServer } from "../support/child-server.ts";

const GRACE = 2; // seconds; the default of 20 would make the test as long
let server: ChildServer;

before(async () => {
  server = await startChildServer({ env: { LATCHKEY_REFRESH_GRACE_SECONDS: String(GRACE) } });
});
after(() => server.stop());

const PASSWORD = "correct horse battery";
const ada = { username: "ada", email: "ada@example.com", password: PASSWORD };

test("`npm start` shows where it listens and four curl lines, and keeps its secret to itself (checklist 100)", () => {
  assert.match(server.output(), /listens on http:\/\/localhost:\d+/);
  assert.equal(server.output().match(/^ {2}curl /gm)?.length, 4);
  assert.equal(statSync(join(server.dataDir, "jwt-secret-key")).mode & 0o777, 0o600);
  assert.ok(existsSync(join(server.dataDir, "latchkey.db")));
});

test("a newcomer registers, signs in, asks who they are, refreshes and signs out", async () => {
  const registered = await call(server.url, "POST", "/v1/users/", { body: { ...ada, first_name: "Ada" } });
  assert.equal(registered.status, 201);
  assert.equal(registered.body.username, "ada");
  assert.equal(registered.body.is_staff, false);
  assert.equal("password" in registered.body, false);

  const login = await call(server.url, "POST", "/v1/users/me/token", { body: { username: "ada", password: PASSWORD } });
  assert.equal(login.status, 200);
  assert.equal(login.headers.get("cache-control"), "no-store", "checklist 40");
  assert.deepEqual(Object.keys(login.body), [
    "access_token",
    "refresh_token",
    "token_type",
    "expires_in",
    "session_id",
    "generation",
  ]);
  assert.equal(login.body.expires_in, 900);

  const me = await call(server.url, "GET", "/v1/users/me", { token: login.body.access_token });
  assert.equal(me.status, 200);
  assert.deepEqual(me.body, registered.body);

  const refresh = (token: string) =>
    call(server.url, "POST", "/v1/users/me/token/refresh", { body: { refresh_token: token } });
  const first = await refresh(login.body.refresh_token);
  assert.equal(first.status, 200);
  assert.equal(first.body.generation, 1);

  // Within the grace the old token leads to the same successor (checklist 44).
  const again = await refresh(login.body.refresh_token);
  assert.equal(again.status, 200);
  assert.equal(again.body.refresh_token, first.body.refresh_token);

  // After it, somebody has the old token who should not: the session is over (checklist 42).
  await sleep((GRACE + 1.1) * 1000);
  const late = await refresh(login.body.refresh_token);
  assert.equal(late.status, 401);
  assert.equal(late.body.code, "refresh_token_reused");
  assert.equal(late.body.detail, "Refresh token expired or revoked");
  assert.match(late.headers.get("www-authenticate") ?? "", /^Bearer/);
  const successor = await refresh(first.body.refresh_token);
  assert.equal(successor.status, 401);
  assert.equal(successor.body.code, "session_ended");
  const meAfter = await call(server.url, "GET", "/v1/users/me", { token: first.body.access_token });
  assert.equal(meAfter.status, 401);
  assert.equal(meAfter.body.code, "session_ended");
  assert.equal(meAfter.body.detail, "Invalid token");

  const second = await call(server.url, "POST", "/v1/users/me/token", {
    body: { email: "ada@example.com", password: PASSWORD },
  });
  assert.equal(second.status, 200);
  const revoke = () =>
    call(server.url, "POST", "/v1/users/me/token/revoke", { body: { refresh_token: second.body.refresh_token } });
  assert.equal((await revoke()).status, 204);
  assert.equal((await revoke()).status, 204, "ending what has ended is as good");
  assert.equal((await refresh(second.body.refresh_token)).body.code, "session_ended");
});

test("what was committed is there after a restart, and so are signatures and ends (checklist 49)", async () => {
  await call(server.url, "POST", "/v1/users/", {
    body: { username: "bob", email: "bob@example.com", password: PASSWORD },
  });
  const kept = await call(server.url, "POST", "/v1/users/me/token", { body: { username: "bob", password: PASSWORD } });
  const ended = await call(server.url, "POST", "/v1/users/me/token", { body: { username: "bob", password: PASSWORD } });
  await call(server.url, "POST", "/v1/users/me/token/revoke", { body: { refresh_token: ended.body.refresh_token } });
  const { dataDir } = server;
  const restarted = await startRestarted(dataDir);
  assert.equal((await call(restarted.url, "GET", "/v1/users/me", { token: kept.body.access_token })).status, 200);
  assert.equal(
    (await call(restarted.url, "GET", "/v1/users/me", { token: ended.body.access_token })).body.code,
    "session_ended",
  );
  await restarted.stop();
});

/** A second process over the same folder: what a restart finds. */
const startRestarted = (dataDir: string) => startChildServer({ dataDir });

test("SIGTERM ends the server with exit code 0", async () => {
  const own = await startChildServer({ isDirect: true });
  assert.equal(await own.stop(), 0);
});
