/** A platform for which the addon of bcrypt has no binary, while some user's hash is one: what that is to everybody else's guesses. */
import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { test } from "node:test";
import type { AuthOptions } from "../../src/auth.ts";
import { AuthError } from "../../src/errors.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { sql } from "../../src/storage/storage.ts";
import { createEngine, type Engine, PASSWORD } from "../support/engine.ts";

// Before anything asks for it: what could not be loaded is asked for again, what was loaded is not.
registerHooks({
  resolve(specifier, context, next) {
    if (specifier === "@node-rs/bcrypt") throw new Error("Cannot find native binding");
    return next(specifier, context);
  },
});

const BCRYPT = `bcrypt_sha256$$2b$12$abcdefghijklmnopqrstuv${"0".repeat(31)}`;
const IP = "198.51.100.1";

/** With ada, whose hash is ours, and old, whose hash can't be computed. */
async function createMixed(options: Partial<AuthOptions> = {}): Promise<Engine> {
  const storage = openSqlite(":memory:");
  await storage.migrate();
  await storage.write([
    sql`insert into latchkey_users (username, username_key, email, email_key, password, epoch, created_at)
      values ('old', 'old', 'old@example.com', 'old@example.com', ${BCRYPT}, 0, 1)`,
  ]);
  const engine = await createEngine({ storage, ...options });
  await engine.auth.register({ username: "ada", email: "ada@example.com", password: PASSWORD });
  return engine;
}

async function outcomeOf(engine: Engine, username: string, password: string): Promise<string> {
  try {
    await engine.auth.login({ username, password }, { ip: IP });
    return "ok";
  } catch (error) {
    return error instanceof AuthError ? error.code : String(error);
  }
}

test("a hash that can't be computed leaves everybody's limits as they are, and counts as a wrong password (checklist 72)", async () => {
  const engine = await createMixed();
  for (const username of ["ada", "old", "nobody"]) {
    const outcomes: string[] = [];
    for (let i = 0; i < 6; i++) outcomes.push(await outcomeOf(engine, username, `guess ${i}`));
    assert.deepEqual(outcomes, [...Array(5).fill("invalid_credentials"), "rate_limited"], username);
  }
  engine.system.advance("10s");
  assert.equal(await outcomeOf(engine, "ada", PASSWORD), "ok");
  await engine.auth.close();
});

test("the operator is told once of a kind of hash that can't be computed", async () => {
  const events: unknown[] = [];
  const engine = await createMixed({ onEvent: (event) => void events.push(event) });
  for (const username of ["ada", "old", "old"]) await outcomeOf(engine, username, "a guess");
  assert.deepEqual(events, [{ type: "hash_failed", kind: "bcrypt 12", problem: "Cannot find native binding" }]);
  await engine.auth.close();
});

test("whatever breaks while a password is looked at, the guess counts (checklist 72)", async () => {
  const onEvent = () => {
    throw new Error("a listener of the application's");
  };
  const engine = await createMixed({ onEvent, limits: { failures: 1 } });
  assert.equal(await outcomeOf(engine, "ada", "a guess"), "Error: a listener of the application's");
  assert.equal(await outcomeOf(engine, "ada", PASSWORD), "rate_limited");
  await engine.auth.close();
});
