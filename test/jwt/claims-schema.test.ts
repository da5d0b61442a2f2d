/** One schema at both ends: what it is shown of a token's claims, what becomes of its answer, and what an issuer is told. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isSchema, ofApplication, refuseMisfit } from "../../src/jwt/claims-schema.ts";
import type { SchemaIssue, SchemaResult, StandardSchema } from "../../src/jwt/standard-schema.ts";

type Validate = (value: unknown) => SchemaResult<unknown> | Promise<SchemaResult<unknown>>;

const schemaOf = (validate: Validate): StandardSchema<unknown> => ({
  "~standard": { version: 1, vendor: "ours", validate },
});
const refusing = (...issues: SchemaIssue[]) => schemaOf(() => ({ issues }));

test("a schema is an object or a function with a validator, and nothing else is", () => {
  const schema = schemaOf((value) => ({ value }));
  assert.equal(isSchema(schema), true);
  assert.equal(isSchema(Object.assign(() => undefined, schema)), true);
  for (const other of [undefined, null, 0, "", "schema", true, {}, [], () => undefined])
    assert.equal(isSchema(other), false);
  const text = Object.assign(Object("text"), schema);
  assert.equal(isSchema(text), true, "an object of whatever kind");
  assert.equal(isSchema({ "~standard": undefined }), false);
  assert.equal(isSchema({ "~standard": {} }), false);
  assert.equal(isSchema({ "~standard": { validate: "yes" } }), false);
  Object.defineProperty(String.prototype, "~standard", { value: schema["~standard"], configurable: true });
  try {
    assert.equal(isSchema("a text that inherits one"), false);
  } finally {
    delete (String.prototype as { "~standard"?: unknown })["~standard"];
  }
});

test("it is shown the application's claims, and sets no others", () => {
  const shown: unknown[] = [];
  const schema = ofApplication(
    schemaOf((value) => {
      shown.push(value);
      return { value: { ...(value as object), level: 2, sub: "else", sid: "else" } };
    }),
    ["sid", "epoch"],
  );
  const { validate, vendor, version } = schema["~standard"];
  assert.deepEqual([vendor, version], ["ours", 1]);
  const claims = { sub: "1", iss: "a", exp: 1, iat: 1, jti: "j", sid: "7", epoch: 0, plan: "pro" };
  assert.deepEqual(validate(claims), { value: { plan: "pro", level: 2 } });
  assert.deepEqual(shown, [{ plan: "pro" }]);
});

test("what it refuses, or makes of them that is no object, is handed on as it is", async () => {
  const validate = (answer: Validate) => ofApplication(schemaOf(answer), [])["~standard"].validate({ plan: "pro" });
  const issues = [{ message: "no" }];
  assert.deepEqual(await validate(() => ({ issues })), { issues });
  for (const value of [null, undefined, "text", 7]) assert.deepEqual(await validate(() => ({ value })), { value });
  const later = validate(async () => ({ value: { sub: "else" } }));
  assert.ok(later instanceof Promise, "a verifier judges what comes later itself");
  assert.deepEqual(await later, { value: { sub: "else" } });
});

test("an issuer is told where its claims do not fit", () => {
  const message = (schema: StandardSchema<unknown>) => {
    try {
      refuseMisfit(schema, { plan: "gold" });
    } catch (error) {
      assert.ok(error instanceof TypeError);
      return error.message;
    }
    return undefined;
  };
  const start = "claimsOf gave claims that do not fit the schema";
  assert.equal(message(schemaOf((value) => ({ value }))), undefined);
  assert.equal(message(refusing({ message: "no such plan", path: ["plan"] })), `${start}, at "plan": no such plan`);
  assert.equal(message(refusing({ message: "x", path: ["a", { key: 0 }, "b"] })), `${start}, at "a.0.b": x`);
  assert.equal(message(refusing({ message: "as a whole" })), `${start}: as a whole`);
  assert.equal(message(refusing({ message: "first" }, { message: "second" })), `${start}: first`);
  assert.equal(message(refusing()), `${start}: no reason given`);
});

test("they are held to it in the form in which they will be read", () => {
  const shown: unknown[] = [];
  refuseMisfit(
    schemaOf((value) => {
      shown.push(value);
      return { value };
    }),
    { since: new Date(0), absent: undefined },
  );
  assert.deepEqual(shown, [{ since: "1970-01-01T00:00:00.000Z" }]);
});

test("a schema that answers later is refused, and its own failure goes nowhere", async () => {
  const unheard: unknown[] = [];
  const listen = (reason: unknown) => unheard.push(reason);
  process.on("unhandledRejection", listen);
  const later = schemaOf(() => Promise.reject(new Error("of the schema")));
  assert.throws(() => refuseMisfit(later, {}), /^TypeError: the schema of the claims is asynchronous/);
  assert.throws(
    () =>
      refuseMisfit(
        schemaOf(async (value) => ({ value })),
        {},
      ),
    /is asynchronous/,
  );
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.off("unhandledRejection", listen);
  assert.deepEqual(unheard, []);
});
