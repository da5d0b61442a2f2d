/** What an application hands on from a body or a cookie without looking: anything may be in it, and the answer is a refusal that names the field. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AuthError } from "../src/errors.ts";
import { createEngine, type Engine, PASSWORD, signIn } from "./support/engine.ts";

let engine: Engine;
before(async () => {
  engine = await createEngine();
});
after(() => engine.auth.close());

const ODD: readonly unknown[] = [undefined, null, 7, true, Number.NaN, {}, [], ["ada"], () => "ada", Symbol("ada"), 7n];

async function refusalOf(work: () => unknown): Promise<AuthError> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof AuthError, `${error}`);
    return error;
  }
  assert.fail("it was accepted");
}

const fieldsOf = ({ errors }: AuthError) => errors?.map(({ field, message }) => `${field} ${message}`);
const saidOf = (odd: unknown) => (odd === undefined ? "is required" : "must be a text");

test("a registration names every field that is no text", async () => {
  const fields = { username: "ada", email: "ada@example.com", password: PASSWORD };
  for (const odd of ODD) {
    for (const name of Object.keys(fields)) {
      const error = await refusalOf(() => engine.auth.register({ ...fields, [name]: odd }));
      assert.equal(error.code, "input_invalid");
      assert.deepEqual(fieldsOf(error), [`${name} ${saidOf(odd)}`]);
    }
    if (odd === undefined) continue;
    for (const [name, field] of Object.entries({ firstName: "first_name", lastName: "last_name" })) {
      const error = await refusalOf(() => engine.auth.register({ ...fields, [name]: odd } as never));
      assert.deepEqual(fieldsOf(error), [`${field} must be a text`]);
    }
    const error = await refusalOf(() => engine.auth.register({ username: odd, email: odd, password: odd } as never));
    assert.deepEqual(fieldsOf(error)?.length, 3);
  }
});

test("a login names what is no text, is missing, or is there twice", async () => {
  await signIn(engine, "ada");
  for (const odd of ODD) {
    const login = (fields: object) => refusalOf(() => engine.auth.login(fields as never));
    assert.deepEqual(fieldsOf(await login({ username: odd, password: PASSWORD })), [`username ${saidOf(odd)}`]);
    assert.deepEqual(fieldsOf(await login({ username: "ada", password: odd })), [`password ${saidOf(odd)}`]);
    if (odd !== undefined)
      assert.deepEqual(fieldsOf(await login({ email: odd, password: PASSWORD })), ["email must be a text"]);
  }
  const both = { username: "ada", email: "ada@example.com", password: PASSWORD };
  const error = await refusalOf(() => engine.auth.login(both as never));
  assert.deepEqual(fieldsOf(error), ["username must not come beside an email"]);
});

test("a change of password names what is no text", async () => {
  const { tokens } = await signIn(engine, "grace");
  const identity = await engine.auth.authenticate(tokens.accessToken);
  for (const odd of ODD) {
    const change = (fields: object) => refusalOf(() => engine.auth.changePassword(identity, fields as never));
    const current = await change({ currentPassword: odd, newPassword: "another good one" });
    assert.deepEqual(fieldsOf(current), [`current_password ${saidOf(odd)}`]);
    const next = await change({ currentPassword: PASSWORD, newPassword: odd });
    assert.deepEqual(fieldsOf(next), [`new_password ${saidOf(odd)}`]);
    assert.deepEqual(fieldsOf(await refusalOf(() => engine.auth.users.setPassword(identity.userId, odd as string))), [
      `password ${saidOf(odd)}`,
    ]);
  }
});

test("what is no token at all is refused as one that is not good", async () => {
  for (const odd of ODD) {
    const token = odd as string;
    assert.equal((await refusalOf(() => engine.auth.refresh(token))).code, "refresh_token_invalid");
    assert.equal((await refusalOf(() => engine.auth.logout(token))).code, "refresh_token_invalid");
    assert.equal((await refusalOf(() => engine.auth.authenticate(token))).code, "token_invalid");
    assert.equal((await refusalOf(() => engine.auth.authenticate(token, { freshness: "live" }))).code, "token_invalid");
    const { reason } = engine.auth.watch(token);
    assert.ok(reason instanceof AuthError && reason.code === "token_invalid");
  }
});
