/** Who becomes the first user, and staff: the holder of the link on the server's terminal, and nobody else. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { after, before, test } from "node:test";
import { openPostgres } from "../../src/storage/postgres.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { call, ROOT, startChildServer, temporaryFolder } from "../support/child-server.ts";
import { runCommand } from "../support/command.ts";
import { createEngine, PASSWORD } from "../support/engine.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";

let postgres: PostgresServer;
before(async () => {
  postgres = await startPostgres();
});
after(() => postgres?.stop());

const grace = { username: "grace", email: "grace@example.com", password: PASSWORD };
const eve = { username: "eve", email: "eve@example.com", password: PASSWORD };

const STORES: Readonly<Record<string, () => Promise<Storage>>> = {
  SQLite: async () => openSqlite(":memory:"),
  PostgreSQL: async () => openPostgres(await postgres.createDatabase()),
};

for (const [name, open] of Object.entries(STORES)) {
  test(`${name}: the link makes one user, who is staff; brought again it makes none`, async (t) => {
    const { auth, call: request, storage } = await createEngine({ storage: await open() });
    t.after(() => auth.close());
    const token = (await auth.firstUser.offer()) as string;
    assert.match(token, /^[\w-]{43}$/);
    const stored = await storage.read({ strings: ["select * from latchkey_first_user_links"], values: [] });
    assert.doesNotMatch(JSON.stringify(stored), new RegExp(token), "the store knows a hash of it");
    const wrong = await request("POST", "/v1/first-user", { body: { ...grace, token, password: "short" } });
    assert.deepEqual([wrong.status, wrong.body.errors[0].field], [422, "password"], "which leaves the link good");
    const made = await request("POST", "/v1/first-user", { body: { ...grace, token } });
    assert.deepEqual([made.status, made.body.is_staff, made.body.is_superuser], [201, true, false]);
    const again = await request("POST", "/v1/first-user", { body: { ...eve, token } });
    assert.deepEqual([again.status, again.body.code], [403, "link_invalid"]);
    assert.equal(await auth.firstUser.offer(), undefined, "there is a user now");
    assert.equal(await auth.users.find({ username: "eve" }), undefined);
  });

  test(`${name}: of eight who bring the link at once, one gets through (checklist 81)`, async (t) => {
    const { auth } = await createEngine({ storage: await open() });
    t.after(() => auth.close());
    const token = (await auth.firstUser.offer()) as string;
    const tries = Array.from({ length: 8 }, (_, i) =>
      auth.firstUser.register(token, { ...grace, username: `user${i}`, email: `user${i}@example.com` }),
    );
    const outcomes = await Promise.allSettled(tries);
    const won = outcomes.filter(({ status }) => status === "fulfilled");
    const codes = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason.code] : []));
    assert.equal(won.length, 1);
    assert.deepEqual(codes, Array(7).fill("link_invalid"));
    assert.equal((await auth.users.list()).users.length, 1);
  });
}

test("the link dies after an hour, when a newer one is made, and when somebody has become staff otherwise (checklist 80)", async (t) => {
  const { auth, system } = await createEngine();
  t.after(() => auth.close());
  const older = (await auth.firstUser.offer()) as string;
  const newer = (await auth.firstUser.offer()) as string;
  await assert.rejects(auth.firstUser.register(older, grace), { code: "link_invalid" });
  system.advance("1h");
  await assert.rejects(auth.firstUser.register(newer, grace), { code: "link_invalid" });
  const last = (await auth.firstUser.offer()) as string;
  const { id } = await auth.register(eve);
  await auth.users.setRoles(id, { isStaff: true });
  await assert.rejects(auth.firstUser.register(last, grace), { code: "link_invalid" });
});

test("a stranger who registers first is not staff, and does not take the link away from its holder", async (t) => {
  const { auth } = await createEngine();
  t.after(() => auth.close());
  const token = (await auth.firstUser.offer()) as string;
  assert.equal((await auth.register(eve)).isStaff, false);
  await assert.rejects(auth.firstUser.register(token, { ...grace, username: "EVE" }), { code: "username_taken" });
  assert.equal((await auth.firstUser.register(token, grace)).isStaff, true);
});

test("nothing that is sent along makes anybody staff (checklist 96)", async (t) => {
  const { auth, call: request } = await createEngine();
  t.after(() => auth.close());
  const more = { is_staff: true, isStaff: true, is_superuser: true, staff_at: 1, roles: ["staff"], id: 1, token: "x" };
  const made = await request("POST", "/v1/users", { body: { ...eve, ...more } });
  assert.deepEqual([made.status, made.body.is_staff, made.body.is_superuser], [201, false, false]);
  for (const token of ["", "x", "a".repeat(43), "a".repeat(201), 1, null, ["x"], { $ne: "" }, undefined]) {
    const { status } = await request("POST", "/v1/first-user", { body: { ...grace, ...more, token } });
    assert.ok(status === 403 || status === 422, String(token));
  }
  const { accessToken } = await auth.login({ username: "eve", password: PASSWORD });
  for (const [method, path, body] of [
    ["PATCH", `/v1/users/${made.body.id}`, { is_staff: true }],
    ["GET", "/v1/users", undefined],
    ["GET", "/v1/keys", undefined],
    ["POST", "/v1/keys/rotate", { from: "x" }],
  ] as const) {
    const answer = await request(method, path, { token: accessToken, body });
    assert.deepEqual([answer.status, answer.body.code], [403, "insufficient_scope"], path);
    assert.equal((await request(method, path, { body })).status, 401, path);
  }
});

test("a server whose output is no terminal says nothing of a link, and there is none", async () => {
  const server = await startChildServer({ isDirect: true });
  try {
    assert.doesNotMatch(server.output(), /first-user/);
    const answer = await call(server.url, "POST", "/v1/first-user", { body: { ...grace, token: "planted" } });
    assert.equal(answer.body.code, "link_invalid");
    assert.doesNotMatch(server.output(), /planted|grace/i);
  } finally {
    await server.stop();
  }
});

const hasScript = process.platform === "linux" && existsSync("/usr/bin/script");

test("on a terminal the server shows the link; later nothing that is printed has it again", {
  skip: !hasScript,
}, async () => {
  const folder = temporaryFolder();
  const env = { PATH: process.env.PATH ?? "", PORT: "0", LATCHKEY_DATA_DIR: folder };
  // `script` is a terminal for what runs in it.
  const child = spawn("script", ["-qec", "node dist/cli/main.js serve", "/dev/null"], { cwd: ROOT, env });
  const closed = new Promise((resolve) => child.on("close", resolve));
  let output = "";
  try {
    const [, url, token] = await new Promise<RegExpExecArray>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no link: ${output}`)), 30_000);
      child.stdout.on("data", (chunk: Buffer) => {
        output += chunk.toString();
        const found = /(http:\/\/\S+)\/console\/first-user#([\w-]{43})\s/.exec(output);
        if (!found) return;
        clearTimeout(timer);
        resolve(found);
      });
    });
    const made = await call(url as string, "POST", "/v1/first-user", { body: { ...grace, token } });
    assert.equal(made.body.is_staff, true);
    assert.equal(output.split(token as string).length, 2, "once");
  } finally {
    child.stdin.write("\x03");
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 15_000).unref())]);
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
});

test("latchkey init makes the first user on request, who is staff", async () => {
  const folder = temporaryFolder();
  const env = { LATCHKEY_DATA_DIR: `${folder}/data` };
  const file = `${folder}/.env`;
  try {
    const half = await runCommand(["init", file, "--first-user", "grace"], { env, input: PASSWORD });
    assert.equal(half.code, 1);
    assert.match(half.errors, /--first-user and --email belong together/);
    assert.equal(existsSync(file), false);
    const first = ["--first-user", "grace", "--email", "grace@example.com"];
    const none = await runCommand(["init", file, ...first, "--no-store"], { env, input: PASSWORD });
    assert.match(none.errors, /needs the store/);
    const made = await runCommand(["init", file, ...first], { env, input: `${PASSWORD}\n` });
    assert.equal(made.code, 0, made.errors);
    assert.match(made.output, /grace is staff/);
    const listed = await runCommand(["--settings", file, "users", "list", "--json"], { env });
    assert.deepEqual(
      listed.json().users.map((user: { username: string; is_staff: boolean }) => [user.username, user.is_staff]),
      [["grace", true]],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
