/** Guessing passwords, over both stores. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AuthOptions } from "../../src/auth.ts";
import { drfContract } from "../../src/contracts/drf.ts";
import { simplejwtContract } from "../../src/contracts/simplejwt.ts";
import { AuthError } from "../../src/errors.ts";
import { createHandler } from "../../src/handler.ts";
import { sql } from "../../src/storage/storage.ts";
import { createEngine, type Engine, PASSWORD } from "../support/engine.ts";
import { bothStores } from "../support/stores.ts";

const OWNER = "198.51.100.7";
const STRANGER = "203.0.113.9";
const WRONG = "not the password";

for (const [name, open] of bothStores()) {
  describe(`limits over a store on ${name}`, () => {
    async function withEngine(options: Partial<AuthOptions>, body: (engine: Engine) => Promise<void>) {
      const engine = await createEngine({ storage: await open(), ...options });
      try {
        for (const username of ["ada", "bea"]) {
          await engine.auth.register({ username, email: `${username}@example.com`, password: PASSWORD });
        }
        await body(engine);
      } finally {
        await engine.auth.close();
      }
    }

    /** "ok", the code of the refusal, or with it the seconds to wait. */
    async function tryLogin(engine: Engine, password: string, ip?: string, username = "ada"): Promise<string> {
      try {
        const name = username.includes("@") ? { email: username } : { username };
        await engine.auth.login({ ...name, password }, ip === undefined ? {} : { ip });
        return "ok";
      } catch (error) {
        assert.ok(error instanceof AuthError, String(error));
        return error.code === "rate_limited" ? `rate_limited ${error.retryAfter}` : error.code;
      }
    }

    test("after five wrong passwords the delays double, and a sign-in ends them (checklist 72, 73)", () =>
      withEngine({}, async (engine) => {
        for (let i = 0; i < 5; i++) assert.equal(await tryLogin(engine, WRONG, STRANGER), "invalid_credentials");
        for (const delay of [10, 20, 40, 80, 160, 320, 640, 900, 900]) {
          assert.equal(await tryLogin(engine, PASSWORD, STRANGER), `rate_limited ${delay}`);
          engine.system.advance(`${delay - 1}s`);
          assert.equal(await tryLogin(engine, WRONG, STRANGER), "rate_limited 1");
          engine.system.advance("1s");
          assert.equal(await tryLogin(engine, WRONG, STRANGER), "invalid_credentials");
        }
        engine.system.advance("15m");
        assert.equal(await tryLogin(engine, PASSWORD), "ok");
        for (let i = 0; i < 5; i++) assert.equal(await tryLogin(engine, WRONG), "invalid_credentials");
        assert.equal(await tryLogin(engine, WRONG), "rate_limited 10");
        engine.system.advance("25h");
        for (let i = 0; i < 5; i++) assert.equal(await tryLogin(engine, WRONG), "invalid_credentials");
      }));

    test("an account that there is not is limited as one that there is, by whatever name (checklist 71, 72)", () =>
      withEngine({ limits: { failures: 2 } }, async (engine) => {
        const outcomes: string[][] = [];
        for (const username of ["ada", "nobody", "n".repeat(300)]) {
          const one: string[] = [];
          for (let i = 0; i < 4; i++) one.push(await tryLogin(engine, WRONG, STRANGER, username));
          outcomes.push(one);
        }
        assert.deepEqual(outcomes[0], [
          "invalid_credentials",
          "invalid_credentials",
          "rate_limited 10",
          "rate_limited 10",
        ]);
        assert.deepEqual(outcomes[1], outcomes[0]);
        assert.deepEqual(outcomes[2], outcomes[0]);
        // Spelled otherwise it is the same name.
        for (const username of ["ADA", "NOBODY"])
          assert.equal(await tryLogin(engine, WRONG, STRANGER, username), "rate_limited 10");
        assert.equal(await tryLogin(engine, PASSWORD, STRANGER, "bea"), "ok");
      }));

    test("no count tells whose email belongs to which username, or that somebody has it (checklist 71)", () =>
      withEngine({ limits: { failures: 2 } }, async (engine) => {
        for (let i = 0; i < 3; i++) await tryLogin(engine, WRONG, STRANGER, "ada");
        const outcomes: string[][] = [];
        for (const email of ["ada@example.com", "bea@example.com", "nobody@example.com"]) {
          const one: string[] = [];
          for (let i = 0; i < 3; i++) one.push(await tryLogin(engine, WRONG, STRANGER, email));
          outcomes.push(one);
        }
        assert.deepEqual(outcomes[0], ["invalid_credentials", "invalid_credentials", "rate_limited 10"]);
        assert.deepEqual(outcomes[1], outcomes[0]);
        assert.deepEqual(outcomes[2], outcomes[0]);
      }));

    test("a sign-in that takes names in their very case counts guesses alike at those that there are and are not (checklist 71)", () =>
      withEngine({ limits: { failures: 2 } }, async (engine) => {
        const { auth } = engine;
        const handle = createHandler(auth, { contracts: [drfContract(auth), simplejwtContract(auth)] });
        const statusOf = async (path: string, body: object) => {
          const headers = { "content-type": "application/json" };
          const request = new Request(`http://x${path}`, { method: "POST", headers, body: JSON.stringify(body) });
          return (await handle(request, { ip: STRANGER })).status;
        };
        for (const name of ["ada", "nobody"]) {
          const guess = (username: string) => statusOf("/api/token/", { username, password: WRONG });
          const outcomes = [await guess(name.toUpperCase()), await guess(name.toUpperCase()), await guess(name)];
          assert.deepEqual(outcomes, [401, 401, 429], name);
        }
        for (const email of ["ada@example.com", "nobody@example.com"]) {
          const guess = (typed: string) => statusOf("/api/auth/login/", { email: typed, password: WRONG });
          const outcomes = [await guess(email.toUpperCase()), await guess(email.toUpperCase()), await guess(email)];
          assert.deepEqual(outcomes, [401, 401, 429], email);
        }
      }));

    test("strangers who keep an account busy do not shut its owner out of a network that was signed in from (checklist 73)", () =>
      withEngine({}, async (engine) => {
        assert.equal(await tryLogin(engine, PASSWORD, OWNER), "ok");
        for (let i = 0; i < 40; i++) await tryLogin(engine, WRONG, `203.0.113.${i}`);
        assert.match(await tryLogin(engine, PASSWORD, STRANGER), /^rate_limited/);
        assert.equal(await tryLogin(engine, PASSWORD), "rate_limited 10", "an address that nobody knows");
        for (let i = 0; i < 3; i++) assert.equal(await tryLogin(engine, WRONG, OWNER), "invalid_credentials");
        assert.equal(await tryLogin(engine, PASSWORD, OWNER), "ok");
        // There, too, guesses have an end; what a stranger sees does not change by it.
        for (let i = 0; i < 5; i++) assert.equal(await tryLogin(engine, WRONG, OWNER), "invalid_credentials");
        assert.equal(await tryLogin(engine, PASSWORD, OWNER), "rate_limited 10");
        engine.system.advance("10s");
        assert.equal(await tryLogin(engine, PASSWORD, OWNER), "ok");
        engine.system.advance("91d");
        for (let i = 0; i < 5; i++) await tryLogin(engine, WRONG, STRANGER);
        assert.equal(await tryLogin(engine, PASSWORD, OWNER), "rate_limited 10", "known no longer");
      }));

    test("one network is limited over all accounts, sign-ins of its own do not lift that, and others go on (checklist 72)", () =>
      withEngine({ limits: { failuresPerAddress: 6 } }, async (engine) => {
        for (let i = 0; i < 6; i++) {
          assert.equal(await tryLogin(engine, WRONG, `2001:db8:1:2::${i}`, `user${i}`), "invalid_credentials");
          if (i < 5) assert.equal(await tryLogin(engine, PASSWORD, `2001:db8:1:2::${i}`, "bea"), "ok");
        }
        assert.equal(await tryLogin(engine, PASSWORD, "2001:db8:1:2:ffff::", "bea"), "rate_limited 10");
        assert.equal(await tryLogin(engine, PASSWORD, "2001:db8:1:3::1", "bea"), "ok");
        engine.system.advance("10s");
        assert.equal(await tryLogin(engine, PASSWORD, "2001:db8:1:2:ffff::", "bea"), "ok");
        assert.equal(await tryLogin(engine, WRONG, "2001:db8:1:2:ffff::", "user9"), "invalid_credentials");
        assert.equal(await tryLogin(engine, WRONG, "2001:db8:1:2:ffff::", "user9"), "rate_limited 20");
      }));

    test("of a hundred guesses at once five are looked at, by two instances together (checklist 74)", () =>
      withEngine({ passwordQueue: { limit: 1000 } }, async (engine) => {
        const other = await createEngine({
          storage: engine.storage,
          system: engine.system,
          passwordQueue: { limit: 1000 },
        });
        const outcomes = await Promise.all(
          Array.from({ length: 100 }, (_, i) => tryLogin(i % 2 === 0 ? engine : other, WRONG, `203.0.113.${i}`)),
        );
        assert.equal(outcomes.filter((one) => one === "invalid_credentials").length, 5);
        assert.equal(outcomes.filter((one) => one === "rate_limited 10").length, 95);
      }));

    test("honest sign-ins at the same moment wait for each other, and all get in", () =>
      withEngine({ limits: { failures: 2 } }, async (engine) => {
        const outcomes = await Promise.all(Array.from({ length: 12 }, () => tryLogin(engine, PASSWORD, OWNER)));
        assert.deepEqual(new Set(outcomes), new Set(["ok"]));
        assert.equal(await tryLogin(engine, WRONG, STRANGER), "invalid_credentials");
        assert.equal(await tryLogin(engine, WRONG, STRANGER), "invalid_credentials");
        assert.match(await tryLogin(engine, WRONG, STRANGER), /^rate_limited/);
      }));

    test("an attempt that nobody looked at is none (checklist 75)", () =>
      withEngine(
        { passwordQueue: { concurrency: 1, limit: 1 }, limits: { failures: 100, failuresPerAddress: 100 } },
        async (engine) => {
          const outcomes = await Promise.all(Array.from({ length: 60 }, () => tryLogin(engine, WRONG, STRANGER)));
          const looked = outcomes.filter((one) => one === "invalid_credentials").length;
          assert.equal(outcomes.filter((one) => one === "busy").length, 60 - looked);
          const rows = await engine.storage.read(sql`select failures from latchkey_limits`);
          assert.deepEqual(
            rows.map((row) => row.failures),
            [looked, looked],
          );
        },
      ));

    test("guesses at the current password are limited, and leave the login alone (checklist 76)", () =>
      withEngine({}, async (engine) => {
        const { accessToken } = await engine.auth.login({ username: "ada", password: PASSWORD });
        const identity = await engine.auth.authenticate(accessToken);
        const change = (currentPassword: string) =>
          engine.auth.changePassword(identity, { currentPassword, newPassword: "a new one, and better" });
        for (let i = 0; i < 5; i++) await assert.rejects(change(WRONG), { code: "wrong_password" });
        await assert.rejects(change(PASSWORD), { code: "rate_limited", retryAfter: 10 });
        assert.equal(await tryLogin(engine, PASSWORD, STRANGER), "ok");
        engine.system.advance("10s");
        await change(PASSWORD);
      }));

    test("a clock that is set back makes nobody wait for the time that it lost (checklist 101)", () =>
      withEngine({}, async (engine) => {
        for (let i = 0; i < 5; i++) await tryLogin(engine, WRONG, STRANGER);
        engine.system.jump(-24 * 60 * 60);
        assert.equal(await tryLogin(engine, PASSWORD, STRANGER), "ok");
      }));
  });
}

test("limits can be switched off, and a limit that is none is refused by name", async () => {
  const engine = await createEngine({ limits: false });
  await engine.auth.register({ username: "ada", email: "ada@example.com", password: PASSWORD });
  for (let i = 0; i < 12; i++) {
    await assert.rejects(engine.auth.login({ username: "ada", password: WRONG }), { code: "invalid_credentials" });
  }
  await engine.auth.close();
  for (const limits of [
    { failures: 0 },
    { failuresPerAddress: 1.5 },
    { firstDelay: 0 },
    { firstDelay: "2h" },
  ] as const) {
    await assert.rejects(createEngine({ limits }), TypeError);
  }
});
