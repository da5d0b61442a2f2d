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
