import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { createKeySet, createSigner, createVerifier, generateKey, type StandardSchema } from "../../src/jwt/index.ts";
import { fakeSystem } from "../support/fake-system.ts";
import { AUDIENCE, ISSUER, refusalOf } from "./support.ts";

const Role = z.object({ role: z.enum(["admin", "user"]), level: z.number().default(1) });

function make<Output>(claims: StandardSchema<Output>, cache = 0) {
  const system = fakeSystem();
  const keys = createKeySet([generateKey("HS256")]);
  const signer = createSigner({ keys, issuer: ISSUER, audience: AUDIENCE, ttl: "15m", system });
  const verifier = createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, claims, cache, system });
  return { sign: (application: object) => signer.sign({ sub: "42", sid: "s1" }, { ...application }), verifier };
}

function schemaOf<Output>(validate: (value: unknown) => unknown): StandardSchema<Output> {
  return {
    "~standard": { version: 1, vendor: "test", validate: validate as StandardSchema<Output>["~standard"]["validate"] },
  };
}

test("a schema gives the application's claims their type and checks them", () => {
  const { sign, verifier } = make(Role);
  const claims = verifier.verify(sign({ role: "admin" }));
  const role: "admin" | "user" = claims.role;
  assert.deepEqual([role, claims.level, claims.sub, claims.sid], ["admin", 1, "42", "s1"]);
  assert.equal(claims.toString, undefined, "and they inherit nothing");
});

test("claims that do not fit are refused, with where it is and not what it is", () => {
  const { sign, verifier } = make(Role);
  const { code, reason } = refusalOf(() => verifier.verify(sign({ role: "private-text" })));
  assert.equal(code, "token_invalid");
  assert.equal(reason, 'the claims do not fit the schema: at "role"');
  const whole = make(schemaOf(() => ({ issues: [{ message: "no" }] })));
  assert.equal(
    refusalOf(() => whole.verifier.verify(whole.sign({}))).reason,
    "the claims do not fit the schema: as a whole",
  );
  const nested = make(schemaOf(() => ({ issues: [{ message: "no", path: ["a", { key: 1 }, Symbol("b")] }] })));
  assert.match(refusalOf(() => nested.verifier.verify(nested.sign({}))).reason, /at "a\.1\.Symbol\(b\)"/);
  const empty = make(schemaOf(() => ({ issues: [] })));
  assert.match(refusalOf(() => empty.verifier.verify(empty.sign({}))).reason, /as a whole/);
});

test("a schema can't change a registered claim, nor put anything on the prototype", () => {
  const { sign, verifier } = make(
    schemaOf<object>((value) => ({
      value: JSON.parse(
        JSON.stringify({ ...(value as object), sub: "1", exp: 9e9, iss: "x", extra: 1 }).replace(
          '"extra"',
          '"__proto__":{"x":1},"extra"',
        ),
      ),
    })),
  );
  const claims = verifier.verify(sign({}));
  assert.deepEqual([claims.sub, claims.iss, claims.extra, claims.x], ["42", ISSUER, 1, undefined]);
});

test("a schema that throws, answers later or gives no object refuses the token, and nothing else escapes (checklist 28)", async () => {
  const cases: [(value: unknown) => unknown, RegExp][] = [
    [
      () => {
        throw new RangeError("boom");
      },
      /threw an exception/,
    ],
    [async () => ({ value: {} }), /asynchronous/],
    [
      async () => {
        throw new Error("boom");
      },
      /asynchronous/,
    ],
    [() => ({ value: null }), /did not give an object/],
    [() => ({ value: 7 }), /did not give an object/],
    [() => undefined, /threw an exception/],
  ];
  for (const [validate, reason] of cases) {
    const { sign, verifier } = make(schemaOf(validate));
    assert.match(refusalOf(() => verifier.verify(sign({}))).reason, reason);
  }
  await new Promise((resolve) => setImmediate(resolve)); // an unhandled rejection would end the process here
});

test("a schema sees an ordinary object, and runs once for a cached token", () => {
  let calls = 0;
  const { sign, verifier } = make(
    schemaOf<{ role: string }>((value) => {
      calls++;
      assert.equal(Object.getPrototypeOf(value), Object.prototype);
      return { value };
    }),
    10,
  );
  const token = sign({ role: "admin" });
  const claims = verifier.verify(token);
  assert.equal(verifier.verify(token), claims);
  assert.equal(calls, 1);
  assert.ok(Object.isFrozen(claims));
});
