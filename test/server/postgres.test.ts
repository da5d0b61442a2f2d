import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type ChildServer, call, runServer, startChildServer, temporaryFolder } from "../support/child-server.ts";
import { PASSWORD, TEST_SECRET } from "../support/engine.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";

let postgres: PostgresServer;
let servers: ChildServer[] = [];
before(async () => {
  postgres = await startPostgres();
  const env = { DATABASE_URL: await postgres.createDatabase(), JWT_SECRET_KEY: TEST_SECRET };
  // At once, on an empty database: one makes the tables, all come up.
  servers = await Promise.all(Array.from({ length: 3 }, () => startChildServer({ isDirect: true, env })));
});
after(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await postgres.stop();
});

const at = (i: number) => (servers[i] as ChildServer).url;

test("DATABASE_URL=postgres://… is all that changes: three servers share users, sessions and ends (checklist 55)", async () => {
  const body = { username: "ada", email: "ada@example.com", password: PASSWORD };
  assert.equal((await call(at(0), "POST", "/v1/users/", { body })).status, 201);
  assert.equal((await call(at(1), "POST", "/v1/users/", { body })).body.code, "username_taken");
  const login = await call(at(1), "POST", "/v1/users/me/token", { body: { username: "ada", password: PASSWORD } });
  const refresh = (i: number) =>
    call(at(i), "POST", "/v1/users/me/token/refresh", { body: { refresh_token: login.body.refresh_token } });
  const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => refresh(i % 3)));
  assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200]);
  assert.equal(new Set(answers.map((answer) => answer.body.refresh_token)).size, 1);

  const token = answers[0]?.body.access_token as string;
  for (const i of [0, 1, 2]) assert.equal((await call(at(i), "GET", "/v1/users/me", { token })).status, 200);
  const revoked = { refresh_token: answers[0]?.body.refresh_token };
  assert.equal((await call(at(2), "POST", "/v1/users/me/token/revoke", { body: revoked })).status, 204);
  for (const i of [0, 1, 2]) {
    const start = performance.now();
    while ((await call(at(i), "GET", "/v1/users/me", { token })).status === 200) {
      assert.ok(performance.now() - start < 2000);
      await sleep(5);
    }
  }
});

test("readyz says 503 while the database is gone and 200 once it is back; livez goes on (checklist 91, 93)", async (t) => {
  if (!postgres.process) return t.skip("the server is not ours to kill");
  const becomes = async (path: string, status: number) => {
    const giveUp = performance.now() + 30_000;
    for (;;) {
      const answer = await call(at(0), "GET", path);
      if (answer.status === status) return answer;
      assert.ok(performance.now() < giveUp, `${path} stays ${answer.status}`);
      await sleep(50);
    }
  };
  await becomes("/readyz", 200);
  await postgres.process.kill();
  try {
    const { body, headers } = await becomes("/readyz", 503);
    assert.equal(body.code, "store_unavailable");
    assert.ok(headers.has("retry-after"));
    assert.equal((await call(at(0), "GET", "/livez")).status, 200);
  } finally {
    await postgres.process.start();
  }
  await becomes("/readyz", 200);
});

test("no password of the database is shown", async () => {
  const output = servers.map((server) => server.output()).join("");
  assert.match(output, /postgres:\/\/[^\s:@]+:\d+\//);
});

test("a database that can't be reached is one sentence without its password", async () => {
  const dataDir = temporaryFolder();
  const env = { DATABASE_URL: "postgres://latchkey:hunter2secret@127.0.0.1:9/latchkey", JWT_SECRET_KEY: TEST_SECRET };
  const { code, errors } = await runServer({ dataDir, env });
  assert.equal(code, 1);
  assert.equal(errors.trim().split("\n").length, 1, errors);
  assert.ok(!errors.includes("hunter2secret"), "checklist 89");
  const scheme = await runServer({ dataDir, env: { ...env, DATABASE_URL: "mysql://localhost/latchkey" } });
  assert.match(scheme.errors, /^latchkey: DATABASE_URL must be /);
});
