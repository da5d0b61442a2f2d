import assert from "node:assert/strict";
import { chmodSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, test } from "node:test";
import { runServer, type Started, startChildServer, temporaryFolder } from "../support/child-server.ts";

let dataDir: string;
beforeEach(() => {
  dataDir = temporaryFolder();
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** One clear sentence each, on standard error, exit code 1, and no stack. */
function assertRefusal({ code, output, errors }: Started, ...sentences: readonly RegExp[]) {
  assert.equal(code, 1, errors + output);
  const lines = errors.trim().split("\n");
  assert.equal(lines.length, sentences.length, errors);
  sentences.forEach((sentence, i) => {
    assert.match(lines[i] as string, sentence);
  });
  assert.doesNotMatch(errors, /\n\s+at /);
}

test("a taken port is one sentence", async () => {
  const holder = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => holder.once("listening", resolve));
  const { port } = holder.address() as { port: number };
  assertRefusal(
    await runServer({ dataDir, env: { PORT: String(port) } }),
    new RegExp(`^latchkey: Port ${port} on 127.0.0.1 is taken: .* set PORT to another\\.$`),
  );
  holder.close();
});

test("a data folder that can't be used is one sentence", async () => {
  writeFileSync(join(dataDir, "file"), "");
  assertRefusal(
    await runServer({ dataDir: join(dataDir, "file") }),
    /^latchkey: The data folder .*file can't be used: a file is in its way\./,
  );
  assertRefusal(
    await runServer({ dataDir: join(dataDir, "file", "below") }),
    /^latchkey: The data folder .* can't be used: /,
  );
  // Root may write wherever the mode forbids it; /proc refuses root as well.
  assertRefusal(
    await runServer({ dataDir: "/proc/latchkey" }),
    /^latchkey: The data folder \/proc\/latchkey can't be used: it can't be written to \(\w+\)\./,
  );
});

test("a file that is no database is one sentence", async () => {
  writeFileSync(join(dataDir, "latchkey.db"), "this is not a database, it is a letter to my grandmother\n".repeat(100));
  assertRefusal(await runServer({ dataDir }), /^latchkey: .*latchkey\.db is not a SQLite database: /);
});

test("a damaged database is one sentence", async () => {
  const server = await startChildServer({ dataDir });
  await server.stop();
  const file = openSync(join(dataDir, "latchkey.db"), "r+");
  for (const page of [1, 2, 3, 4]) writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
  assertRefusal(await runServer({ dataDir }), /^latchkey: The database .*latchkey\.db is damaged: restore a backup/);
});

test("a database in a folder that does not exist, or that is a folder, is one sentence", async () => {
  assertRefusal(
    await runServer({ dataDir, env: { DATABASE_URL: join(dataDir, "no/such/folder.db") } }),
    /^latchkey: The folder .*no\/such of the database does not exist/,
  );
  mkdirSync(join(dataDir, "folder.db"));
  assertRefusal(
    await runServer({ dataDir, env: { DATABASE_URL: join(dataDir, "folder.db") } }),
    /^latchkey: .*folder\.db is not a file/,
  );
});

test("a database that a newer release has changed is one sentence, and an additive change is fine (checklist 102)", async () => {
  const server = await startChildServer({ dataDir });
  await server.stop();
  const upgrade = (readableFrom: number | null) => {
    const database = new DatabaseSync(join(dataDir, "latchkey.db"));
    database
      .prepare("insert into latchkey_migrations (version, name, applied_at, readable_from) values (?, 'later', 0, ?)")
      .run(900 + (readableFrom ?? 0), readableFrom);
    database.close();
  };
  upgrade(1);
  const again = await startChildServer({ dataDir });
  await again.stop();
  upgrade(null);
  assertRefusal(
    await runServer({ dataDir }),
    /^latchkey: .*latchkey\.db was upgraded by a newer Latchkey \(schema 900, this one knows \d+\): run that release or restore a backup\.$/,
  );
});

test("a weak or placeholder secret is refused, in development and in production (checklist 4, 100)", async () => {
  const secrets: readonly [secret: string, why: RegExp][] = [
    ["short", /^latchkey: JWT_SECRET_KEY has 5 bytes and needs at least 32; make one with: openssl rand -base64 48$/],
    ["your-secret-key-your-secret-key-1234", /^latchkey: JWT_SECRET_KEY is a placeholder; /],
    ["qz".repeat(32), /^latchkey: JWT_SECRET_KEY is easy to guess; /],
  ];
  for (const [secret, why] of secrets) {
    for (const NODE_ENV of ["development", "production"]) {
      const refused = await runServer({ dataDir, env: { JWT_SECRET_KEY: secret, NODE_ENV } });
      assertRefusal(refused, why);
      assert.ok(!refused.errors.includes(secret), "checklist 89");
    }
  }
});

test("a secret too short for the algorithm is refused (checklist 4)", async () => {
  const env = { JWT_SECRET_KEY: "Vq9Zs2Lk7Xw4Rt6Yb1Nc8Md3Pf5Gh0JqAe", JWT_ALGORITHM: "HS512" };
  assertRefusal(
    await runServer({ dataDir, env }),
    /^latchkey: JWT_SECRET_KEY has 34 bytes and HS512 needs at least 64; /,
  );
});

test("production wants a secret; an empty one is none (checklist 100)", async () => {
  for (const env of [{}, { JWT_SECRET_KEY: "" }]) {
    assertRefusal(
      await runServer({ dataDir, env: { ...env, NODE_ENV: "production" } }),
      /^latchkey: JWT_SECRET_KEY is required in production; make one with: /,
    );
  }
});

test("every configuration problem is reported at once", async () => {
  const env = {
    NODE_ENV: "production",
    PORT: "eighty",
    JWT_ALGORITHM: "none",
    NUMBER_OF_PROXIES: "-1",
    REFRESH_TOKEN_TTL_DAYS: "0",
  };
  const { code, errors } = await runServer({ dataDir, env });
  assert.equal(code, 1);
  for (const name of ["PORT", "JWT_ALGORITHM", "NUMBER_OF_PROXIES", "REFRESH_TOKEN_TTL_DAYS", "JWT_SECRET_KEY"]) {
    assert.match(errors, new RegExp(`^latchkey: ${name} `, "m"));
  }
});

test("a host that this machine has not is one sentence", async () => {
  assertRefusal(
    await runServer({ dataDir, env: { HOST: "203.0.113.1" } }),
    /^latchkey: This machine has no address 203\.0\.113\.1: set HOST/,
  );
});

test("a secret file that others could read is closed to them", async () => {
  const server = await startChildServer({ dataDir });
  await server.stop();
  const path = join(dataDir, "jwt-secret-key");
  chmodSync(path, 0o644);
  const again = await startChildServer({ dataDir });
  await again.stop();
  const { statSync } = await import("node:fs");
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("wrong usage is exit code 2, help is 0", async () => {
  const { spawnSync } = await import("node:child_process");
  const run = (...args: string[]) => spawnSync("node", ["dist/cli/main.js", ...args], { encoding: "utf8" });
  assert.equal(run("serve", "--nonsense").status, 2);
  assert.equal(run("nonsense").status, 2);
  assert.equal(run("--help").status, 0);
  assert.match(run("serve", "--help").stdout, /--port/);
  assert.match(run("env").stdout, /^# JWT_SECRET_KEY=$/m);
  assert.ok(Array.isArray(JSON.parse(run("env", "--json").stdout)));
});
