/** Every command, run as it is run by people and programs, on a real SQLite file. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createKeySet, createVerifier, importKey, readJwks } from "../../src/jwt/index.ts";
import { sql } from "../../src/storage/storage.ts";
import { ROOT, temporaryFolder } from "../support/child-server.ts";
import { type CommandOptions, type CommandResult, runCommand } from "../support/command.ts";
import { PASSWORD, TEST_SECRET } from "../support/engine.ts";

const folder = temporaryFolder();
const env = { LATCHKEY_DATA_DIR: join(folder, "store"), JWT_SECRET_KEY: TEST_SECRET };
/** Commands are processes: a few at once are no slower. */
const SIDE_BY_SIDE = { concurrency: 3 };
const IN_ORDER = { concurrency: 1 };
after(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: string, options: CommandOptions = {}) =>
  runCommand(args.split(" "), { ...options, env: { ...env, ...options.env } });

async function done(args: string, options?: CommandOptions): Promise<CommandResult> {
  const result = await run(args, options);
  assert.equal(result.code, 0, `${args}: ${result.errors}`);
  return result;
}

async function failed(code: 1 | 2, pattern: RegExp, args: string, options?: CommandOptions): Promise<CommandResult> {
  const result = await run(args, options);
  assert.equal(result.code, code, `${args}: ${result.output}${result.errors}`);
  assert.match(result.errors, pattern, args);
  assert.ok(!/^\s+at /m.test(result.errors), `a stack: ${result.errors}`);
  return result;
}

/** The value of a line that a command has printed for people. */
const issued = async (user: string) => (await done(`token issue ${user} --json`)).json() as Record<string, string>;

before(async () => {
  await done("migrate");
  await done("users add ada --email ada@example.com --first-name Ada --staff", { input: `${PASSWORD}\n` });
});

describe("commands", SIDE_BY_SIDE, () => {
  describe("the command line", IN_ORDER, () => {
    test("tells its commands, and wrong usage is exit code 2 with the help", async () => {
      const { output } = await done("--help");
      for (const command of ["serve", "init", "users", "keys", "doctor", "export"]) {
        assert.match(output, new RegExp(`^ {2}${command}\\b`, "m"));
      }
      const wrong = [
        "nonsense",
        "users nonsense",
        "users show",
        "users list --limit 0",
        "users list --nonsense",
        "users add x",
      ];
      await Promise.all(wrong.map((args) => failed(2, /^error: .*\n\n?(?:.|\n)*Usage: latchkey/, args)));
    });

    test("a command in the wrong place makes nothing, and says where it looked", async () => {
      const elsewhere = join(folder, "elsewhere");
      await failed(1, /^latchkey: There is no data folder .*elsewhere: run this where the server runs/, "users list", {
        env: { LATCHKEY_DATA_DIR: elsewhere, JWT_SECRET_KEY: "" },
      });
      await failed(1, /There is no database .*missing\.db/, "users list", {
        env: { DATABASE_URL: join(folder, "missing.db") },
      });
      assert.ok(!existsSync(elsewhere) && !existsSync(join(folder, "missing.db")));
    });

    test("commands that start at once on a file that is not there all find it made", async () => {
      for (let round = 0; round < 3; round++) {
        const own = { env: { DATABASE_URL: join(folder, `at-once-${round}.db`) } };
        await Promise.all([1, 2, 3].map(() => done("migrate", own)));
      }
    });

    test("migrate tells what is there, and does nothing twice", async () => {
      const { migrations } = (await done("migrate --json")).json();
      assert.deepEqual(migrations[0].version, 1);
      assert.match((await done("migrate")).output, /is up to date\.\nVERSION {2}NAME/);
    });
  });

  describe("users", IN_ORDER, () => {
    test("add, list, show, role: tables for people, JSON for programs", async () => {
      const added = await done("users add bob --email bob@example.com --json", { input: PASSWORD });
      assert.deepEqual([added.json().username, added.json().is_staff, added.json().is_active], ["bob", false, true]);
      const { users } = (await done("users list --json")).json();
      assert.equal(users[0].username, "ada");
      assert.ok(users.some((user: { username: string }) => user.username === "bob"));
      assert.match(users[0].created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      const { output } = await done("users list --search ADA");
      assert.match(
        output,
        /^ID {2}USERNAME +EMAIL +STATE +ROLES +CREATED \(UTC\)\n1 +ada +ada@example\.com +active +staff +\d{4}/,
      );
      const page = (await done("users list --limit 1 --json")).json();
      assert.equal(page.next, "1");
      assert.match((await done(`users list --limit 1 --after ${added.json().id - 1}`)).output, /^\d+ +bob/m);
      for (const name of ["ada", "ADA@example.com", "id:1"]) {
        assert.equal((await done(`users show ${name} --json`)).json().first_name, "Ada");
      }
      assert.equal((await done("users role bob --superuser --json")).json().is_superuser, true);
      assert.match((await done("users role bob --no-superuser")).output, /^User bob: no roles\./);
      await failed(1, /^latchkey: There is no user "nobody": name one by/, "users show nobody");
    });

    test("a password is never an argument, and a bad one is named", async () => {
      await failed(2, /unknown option '--password'/, "users add eve --email eve@example.com --password x");
      await failed(1, /^latchkey: there is no password/, "users add eve --email eve@example.com");
      await failed(1, /^latchkey: password must have at least 8 characters/, "users add eve --email eve@example.com", {
        input: "short\n",
      });
      const both = await failed(1, /^latchkey: email must be an email address/m, "users add e@e --email nonsense", {
        input: PASSWORD,
      });
      assert.match(both.errors, /^latchkey: username must not contain '@'/m);
      await failed(1, /^latchkey: That username is taken\./, "users add ADA --email x@example.com", {
        input: PASSWORD,
      });
    });

    test("at a terminal the password is asked for twice, and shown never", { skip: !hasScript() }, async () => {
      const typed = "a password at a terminal";
      const { stdout, status } = spawnSync(
        "script",
        ["-qec", `node ${join(ROOT, "dist/cli/main.js")} users add tess --email tess@example.com`, "/dev/null"],
        {
          input: `${typed}\r${typed}\r`,
          encoding: "utf8",
          env: { PATH: process.env.PATH ?? "", ...env },
          timeout: 60_000,
        },
      );
      assert.equal(status, 0, stdout);
      // What was typed before the prompt came is echoed by the terminal itself, so only what follows it counts.
      assert.ok(!stdout.slice(stdout.indexOf("Password:")).includes(typed), stdout);
      assert.match(stdout, /Password, again: /);
      assert.match(stdout, /User tess has id/);
    });

    test("disable, enable, password and delete reach the sessions", async () => {
      await done("users add carl --email carl@example.com", { input: PASSWORD });
      const tokens = await issued("carl");
      assert.match((await done("users disable carl")).output, /disabled, and every session has ended/);
      assert.match((await done("users disable carl")).output, /disabled already/);
      await failed(1, /refused \((?:user_not_found|session_ended)\)/, "token verify", {
        input: tokens.access_token ?? "",
      });
      assert.match((await done("users enable carl")).output, /may sign in again/);
      const again = await issued("carl");
      await done("users password carl", { input: "another fine password\n" });
      await failed(1, /refused \(session_ended\)/, "token verify -", { input: again.access_token ?? "" });
      await failed(1, /Say --yes where nobody can be asked/, "users delete carl");
      await done("users delete carl --yes");
      await failed(1, /There is no user "carl"/, "users show carl");
    });
  });

  describe("sessions", IN_ORDER, () => {
    test("list and end: one, all of a user, and everybody's", async () => {
      await done("users add dora --email dora@example.com", { input: PASSWORD });
      const [one, two] = [await issued("dora"), await issued("dora")];
      const { sessions } = (await done("sessions list dora --json")).json();
      assert.deepEqual(
        sessions.map(({ id }: { id: string }) => id),
        [two.session_id, one.session_id],
      );
      assert.match((await done("sessions list dora")).output, /^ID +CREATED/);
      await done(`sessions end dora ${one.session_id}`);
      await failed(1, /has no live session/, `sessions end dora ${one.session_id}`);
      await done("token verify", { input: two.access_token ?? "" });
      await failed(2, /name a user and a session, or say --all/, "sessions end dora");
      await failed(2, /name a user and a session, or say --all/, "sessions end");
      assert.equal((await done("sessions end dora --all --json")).json().session_count, 1);
      // In a store of its own: it would end what the other tests are about.
      const own = { env: { LATCHKEY_DATA_DIR: join(folder, "everybody") } };
      cpSync(env.LATCHKEY_DATA_DIR, own.env.LATCHKEY_DATA_DIR, { recursive: true });
      const other = (await done("token issue dora --json", own)).json();
      await failed(1, /Everybody will be signed out\. Say --yes/, "sessions end --all", own);
      assert.ok((await done("sessions end --all --yes --json", own)).json().user_count >= 1);
      await failed(1, /refused \(session_ended\)/, "token verify", { input: other.access_token, ...own });
    });
  });

  describe("token", IN_ORDER, () => {
    test("issue, decode, verify, explain; a token is never an argument", async () => {
      const { output } = await done("token issue ada");
      const token = /^access_token +(\S+)$/m.exec(output)?.[1] as string;
      assert.match(output, /^refresh_token +lkr_/m);
      assert.equal(JSON.parse((await done("token decode", { input: token })).output).claims.sub, "1");
      assert.match((await done("token verify -", { input: `${token}\n` })).output, /accepted: user 1, session \d+/);
      assert.equal((await done("token verify --json", { input: token })).json().claims.iss, "latchkey");
      assert.match(
        (await done("token explain", { input: token })).output,
        /^The token is accepted\.\n {2}form: passed/,
      );
      const damaged = `${token.slice(0, -3)}AAA`;
      const explained = await run("token explain --json", { input: damaged });
      assert.equal(explained.code, 1);
      assert.equal(explained.json().isAccepted, false);
      await failed(1, /^latchkey: the token is refused \(token_invalid\): the signature/, "token verify", {
        input: damaged,
      });
      await failed(2, /read from standard input, where no list of processes shows it/, `token verify ${token}`);
      await failed(1, /^latchkey: there is no token/, "token verify");
      await failed(1, /^latchkey: that is no token/, "token decode", { input: "nonsense" });
      await failed(1, /There is no user/, "token issue nobody");
    });

    test("what a token says cannot draw on the terminal", async () => {
      const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
      const token = `${part({ alg: "none" })}.${part({ sub: "\u001b[2J\u202e" })}.x`;
      const { output } = await done("token decode", { input: token });
      assert.ok(/^[\x20-\x7e\n]*$/.test(output));
    });
  });

  describe("keys", IN_ORDER, () => {
    const keyEnv = { LATCHKEY_DATA_DIR: join(folder, "pairs"), LATCHKEY_JWKS_MAX_AGE_SECONDS: "0" };

    test("with a secret there is one key, which the configuration changes", async () => {
      assert.match((await done("keys list")).output, /^HS256 +HS256 +active/m);
      await failed(
        1,
        /^latchkey: HS256 is JWT_SECRET_KEY itself: give it a new secret beside the old one/,
        "keys rotate",
      );
      assert.deepEqual((await done("keys export")).json(), { keys: [] });
    });

    test("list, rotate, compromise and export, and no command changes the algorithm that the server has chosen", async () => {
      // A server has been here.
      const { createAuth, openSqlite } = await import("../../src/index.ts");
      await done("migrate", { env: keyEnv });
      const storage = openSqlite(join(keyEnv.LATCHKEY_DATA_DIR, "latchkey.db"));
      await (await createAuth({ storage, secret: TEST_SECRET, algorithm: "ES256" })).close();

      const keys = async () =>
        (await done("keys list --json", { env: keyEnv })).json().keys as Record<string, string>[];
      const before = await keys();
      assert.deepEqual(before.map(({ alg, state }) => `${alg} ${state}`).sort(), ["ES256 active", "ES256 next"]);
      const next = before.find(({ state }) => state === "next")?.kid as string;
      assert.match(
        (await done("keys rotate", { env: keyEnv })).output,
        new RegExp(`^Key ${next} \\(ES256\\) signs now`),
      );
      await failed(1, /^latchkey: There is no key "nobody"/, "keys compromise nobody", { env: keyEnv });
      const first = before.find(({ state }) => state === "active")?.kid as string;
      await done(`keys compromise ${first} --note leaked`, { env: keyEnv });
      const table = (await done("keys list", { env: keyEnv })).output;
      assert.match(table, new RegExp(`^${first} +ES256 +compromised .* leaked$`, "m"));

      const jwks = (await done("keys export", { env: keyEnv })).json();
      assert.equal(readJwks(jwks, ["ES256"]).length, 2);
      const { output: pem } = await done(`keys export ${next} --format pem`, { env: keyEnv });
      assert.match(pem, /^-----BEGIN PUBLIC KEY-----/);
      await done("users add ada --email ada@example.com", { input: PASSWORD, env: keyEnv });
      const { access_token } = (await done("token issue ada --json", { env: keyEnv })).json();
      const verifier = createVerifier({
        keys: createKeySet([importKey(pem, { alg: "ES256", kid: next })]),
        issuer: "latchkey",
        audience: "latchkey",
      });
      assert.equal(verifier.verify(access_token).sub, "1");
      await failed(1, /no public key "nobody" that verifies/, "keys export nobody", { env: keyEnv });
    });

    test("another root secret is one clear sentence", async () => {
      const other = { ...keyEnv, LATCHKEY_ROOT_SECRET: "Another-Root_0f9e8d7c6b5a4f3e2d1c0b9a8f7e6d5c" };
      await failed(1, /^latchkey: the store's key \S+ was sealed under another root secret/, "keys list", {
        env: other,
      });
    });
  });

  describe("secrets", IN_ORDER, () => {
    test("new prints one that will do; rotate prints three steps, each of which the server takes", async () => {
      const { secret } = (await done("secrets new --json")).json();
      assert.equal(Buffer.from(secret, "base64url").length, 64);
      assert.notEqual((await done("secrets new")).output.trim(), secret);
      const { steps } = (await done("secrets rotate --json")).json();
      assert.equal(steps.length, 3);
      assert.ok(steps[0].startsWith(`1:${TEST_SECRET} 2:`) && steps[1].endsWith(` 1:${TEST_SECRET}`));
      const tokens = await issued("ada");
      for (const step of steps.slice(0, 2)) {
        await done("token verify", { input: tokens.access_token ?? "", env: { JWT_SECRET_KEY: step } });
      }
      await failed(1, /^latchkey: LATCHKEY_ROOT_SECRET is not set here/, "secrets rotate --of LATCHKEY_ROOT_SECRET");
      await failed(2, /Allowed choices are JWT_SECRET_KEY, LATCHKEY_ROOT_SECRET/, "secrets rotate --of HOME");
    });
  });

  describe("init", IN_ORDER, () => {
    test("writes a settings file that only its owner reads, once, and a store that serves with it", async () => {
      const cwd = join(folder, "init");
      mkdirSync(cwd);
      const none = { LATCHKEY_DATA_DIR: "", JWT_SECRET_KEY: "" };
      await done("init", { cwd, env: none });
      assert.equal(statSync(join(cwd, ".env")).mode & 0o777, 0o600);
      const text = readFileSync(join(cwd, ".env"), "utf8");
      assert.match(text, /^JWT_SECRET_KEY=[\w-]{86}$/m);
      assert.match(text, /^# PORT=8000$/m);
      await failed(1, /^latchkey: \.env is there already/, "init", { cwd, env: none });
      const rest = { cwd, input: PASSWORD };
      const added = await runCommand(["--settings", ".env", "users", "add", "ada", "--email", "ada@example.com"], rest);
      assert.equal(added.code, 0, added.errors);
      await done("init --no-store other.env", { cwd, env: { ...none, LATCHKEY_DATA_DIR: "unmade" } });
      assert.ok(existsSync(join(cwd, "other.env")) && !existsSync(join(cwd, "unmade")));
      const missing = await runCommand(["--settings", "none.env", "users", "list"], { cwd });
      assert.equal(missing.code, 1);
      assert.match(missing.errors, /^latchkey: --settings none\.env can't be read \(ENOENT\)/);
    });
  });

  describe("doctor", IN_ORDER, () => {
    const findings = (result: CommandResult) =>
      result.json().findings as { name: string; state: string; message: string; mend?: string }[];

    test("a sound set-up is all ok", async () => {
      const result = await done("doctor --json");
      assert.deepEqual(new Set(findings(result).map(({ state }) => state)), new Set(["ok"]));
      assert.match((await done("doctor")).output, /^ok {4}migrations: all done$/m);
    });

    test("each thing that is wrong is named, with how to mend it", async () => {
      const settings = await run("doctor --json", { env: { JWT_SECRET_KEY: "short", PORT: "x" } });
      assert.equal(settings.code, 1);
      assert.deepEqual(
        findings(settings).map(({ name, state }) => `${name} ${state}`),
        ["settings failure", "settings failure"],
      );

      const secretFile = join(folder, "secret");
      writeFileSync(secretFile, TEST_SECRET, { mode: 0o644 });
      const production = await run("doctor --json", {
        env: { NODE_ENV: "production", JWT_SECRET_KEY: "", JWT_SECRET_KEY_FILE: secretFile, HOST: "0.0.0.0" },
      });
      assert.equal(production.code, 0, "warnings only");
      const warnings = findings(production).filter(({ state }) => state === "warning");
      assert.deepEqual(
        warnings.map(({ name }) => name),
        ["secret", "secret", "proxy"],
      );
      for (const { mend } of warnings) assert.ok(mend && mend.length > 10);

      const store = await run("doctor", { env: { DATABASE_URL: join(folder, "none.db") } });
      assert.equal(store.code, 1);
      assert.match(store.output, /^FAIL {2}store: There is no database/m);
      assert.match(store.output, /^ {6}→ latchkey init/m);

      const old = join(folder, "old.db");
      const { openSqlite } = await import("../../src/index.ts");
      const storage = openSqlite(old);
      await storage.migrate();
      await storage.write([sql`delete from latchkey_migrations where version = 2`]);
      await storage.close();
      const pending = await run("doctor", { env: { DATABASE_URL: old } });
      assert.equal(pending.code, 0);
      assert.match(pending.output, /^warn {2}migrations: "key ring" to come\n {6}→ back up, then: latchkey migrate/m);

      const forged = await run("doctor --json", { env: { HOST: "0.0.0.0", NUMBER_OF_PROXIES: "1" } });
      assert.match(
        findings(forged).find(({ name }) => name === "proxy")?.message ?? "",
        /may be reached without passing the proxy/,
      );

      const open = await run("doctor --json", {
        env: { LATCHKEY_METRICS_PORT: "9464", LATCHKEY_METRICS_HOST: "0.0.0.0", LATCHKEY_MAX_CONNECTIONS: "1000000" },
      });
      const metrics = findings(open).find(({ name }) => name === "metrics");
      assert.equal(metrics?.state, "warning");
      assert.match(metrics.mend ?? "", /LATCHKEY_METRICS_TOKENS/);

      const origins = await run("doctor --json", {
        env: { LATCHKEY_ALLOWED_ORIGINS: "http://app.example.com,http://localhost:3000", NODE_ENV: "production" },
      });
      assert.equal(origins.code, 1);
      const cors = findings(origins).filter(({ name }) => name === "CORS");
      assert.deepEqual(
        cors.map(({ state }) => state),
        ["failure", "warning"],
      );

      const unreachable = await run("doctor --json", {
        env: { DATABASE_URL: "postgres://latchkey:hunter2secret@127.0.0.1:9/latchkey" },
      });
      assert.equal(unreachable.code, 1);
      assert.ok(!unreachable.output.includes("hunter2secret"), "checklist 89");
    });
  });
});

function hasScript(): boolean {
  return spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") ?? false;
}
