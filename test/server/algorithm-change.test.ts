/** A rolling deployment that changes the algorithm and then the secret, seen by a client that never stops. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type ChildServer, call, startChildServer, temporaryFolder } from "../support/child-server.ts";
import { PASSWORD, TEST_SECRET } from "../support/engine.ts";

const NEWER_SECRET = "ZpX4vB9nM2kL7jH5gF3dS8aQ1wE6rT0yUiOcPqVbNtRmYxW";
const folder = temporaryFolder();
const running = new Set<ChildServer>();
let isDone = false;
after(async () => {
  isDone = true;
  await Promise.all([...running].map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
});

async function start(settings: Record<string, string>): Promise<ChildServer> {
  const env = {
    DATABASE_URL: join(folder, "auth.db"),
    JWT_SECRET_KEY: TEST_SECRET,
    LATCHKEY_JWKS_MAX_AGE_SECONDS: "0",
    LATCHKEY_REFRESH_GRACE_SECONDS: "0",
    ...settings,
  };
  const server = await startChildServer({ isDirect: true, env });
  running.add(server);
  return server;
}

const headerOf = (token: string) =>
  JSON.parse(Buffer.from(token.split(".")[0] as string, "base64url").toString()) as { alg: string; kid: string };

test("two servers are replaced one by one, to ES256 and to another secret, and no honest request is refused (checklist 32)", async () => {
  let servers: readonly ChildServer[] = await Promise.all([start({}), start({})]);
  const any = () => servers[Math.floor(Math.random() * servers.length)] as ChildServer;
  await call(any().url, "POST", "/v1/users/", {
    body: { username: "ada", email: "ada@example.com", password: PASSWORD },
  });
  const login = await call(any().url, "POST", "/v1/users/me/token", { body: { username: "ada", password: PASSWORD } });
  let tokens = login.body as { access_token: string; refresh_token: string };
  const seen = new Set([headerOf(tokens.access_token).kid]);
  const refusals: string[] = [];
  let count = 0;

  async function client(): Promise<void> {
    for (; !isDone; count++) {
      const { url } = any();
      // A server that is on its way out may close a connection; that is not a refusal.
      const me = await call(url, "GET", "/v1/users/me", { token: tokens.access_token }).catch(() => undefined);
      if (me && me.status !== 200)
        refusals.push(`me ${me.status} ${me.body.code} ${headerOf(tokens.access_token).kid}`);
      const body = { refresh_token: tokens.refresh_token, attempt: `attempt-${String(count).padStart(16, "0")}` };
      for (let tries = 0; tries < 20; tries++) {
        const refreshed = await call(any().url, "POST", "/v1/users/me/token/refresh", { body }).catch(() => undefined);
        if (refreshed?.status === 200) {
          tokens = refreshed.body;
          seen.add(headerOf(tokens.access_token).kid);
          break;
        }
        // 503 asks to be tried again: an instance that has not got the newer secret yet.
        if (refreshed && refreshed.status !== 503) refusals.push(`refresh ${refreshed.status} ${refreshed.body.code}`);
        await sleep(50);
      }
      await sleep(5);
    }
  }

  async function roll(settings: Record<string, string>): Promise<void> {
    for (const i of [0, 1]) {
      const newer = await start(settings);
      const older = servers[i] as ChildServer;
      servers = servers.map((server, at) => (at === i ? newer : server));
      await older.stop();
      running.delete(older);
      await sleep(300);
    }
  }

  const working = client();
  await roll({ JWT_ALGORITHM: "ES256" });
  const both = `1:${TEST_SECRET} 2:${NEWER_SECRET}`;
  await roll({ JWT_ALGORITHM: "ES256", JWT_SECRET_KEY: both });
  await roll({ JWT_ALGORITHM: "ES256", JWT_SECRET_KEY: `2:${NEWER_SECRET} 1:${TEST_SECRET}` });
  await roll({ JWT_ALGORITHM: "ES256", JWT_SECRET_KEY: `2:${NEWER_SECRET}` });
  isDone = true;
  await working;
  assert.deepEqual(refusals, []);
  assert.ok(count > 30, String(count));
  assert.ok(seen.has("HS256") && seen.size >= 2, [...seen].join());
  assert.equal(headerOf(tokens.access_token).alg, "ES256");
});
