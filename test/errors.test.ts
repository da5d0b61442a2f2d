/** What an AuthError carries for whoever reads logs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthError } from "../src/errors.ts";

test("a failure of ours has a stack, and its first line says what failed; a refusal has none", () => {
  const cause = new Error("below");
  for (const options of [{}, { cause }]) {
    const failure = new AuthError("internal", options);
    assert.match(failure.stack ?? "", /^AuthError: Something went wrong on our side\.\n +at /);
    assert.equal(failure.cause, options.cause);
    const refusal = new AuthError("token_invalid", options);
    assert.doesNotMatch(refusal.stack ?? "", / at /);
    assert.equal(refusal.message, "Invalid token");
    assert.equal(refusal.cause, options.cause);
    assert.equal(String(refusal), "AuthError: Invalid token");
    assert.equal(structuredClone(refusal).message, "Invalid token");
  }
});

test("a refusal of another copy of the package is one all the same; a subclass knows its own alone", async () => {
  const copy = "../src/errors.ts?copy";
  const { AuthError: Other } = (await import(copy)) as { AuthError: typeof AuthError };
  assert.notEqual(Other, AuthError);
  assert.ok(new Other("busy") instanceof AuthError);
  assert.ok(new AuthError("busy") instanceof Other);
  class Worded extends AuthError {}
  assert.ok(new Worded("busy") instanceof AuthError);
  assert.ok(new Worded("busy") instanceof Worded);
  assert.ok(new Worded("busy") instanceof Other);
  assert.ok(!(new AuthError("busy") instanceof Worded));
  assert.ok(!(new Other("busy") instanceof Worded));
  for (const value of [new Error("busy"), { code: "busy", name: "AuthError" }, null, undefined, "busy", 1])
    assert.ok(!(value instanceof AuthError), String(value));
});
