/** Options of an engine that can't be meant are refused by name, before anything is opened or passed over. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AuthOptions, createAuth } from "../src/auth.ts";
import { openSqlite } from "../src/storage/sqlite.ts";
import { TEST_SECRET } from "./support/engine.ts";

const refusal = async (options: object | undefined) => {
  const storage = openSqlite(":memory:");
  const given = options && { secret: TEST_SECRET, storage, ...options };
  const error: unknown = await createAuth(given as unknown as AuthOptions).then(
    (auth) => auth.close(),
    (thrown: unknown) => thrown,
  );
  await storage.close();
  assert.ok(error instanceof TypeError, String(error));
  return error.message;
};

test("an option that there is not is named, with those that there are", async () => {
  assert.match(
    await refusal({ accesTtl: "5m" }),
    /^createAuth has no option "accesTtl": there are secret, storage, .*\baccessTtl\b/,
  );
  assert.match(await refusal({ keys: { rotateEvry: "1d" } }), /^keys of createAuth has no option "rotateEvry"/);
  assert.match(await refusal({ passwordQueue: { size: 1 } }), /^passwordQueue of createAuth has no option "size"/);
  assert.match(await refusal(undefined), /^createAuth takes an object of options: secret, storage, /);
});

test("a store is what the drivers open: where it is missing, or a path, they are named", async () => {
  for (const storage of [undefined, null, "auth.db", {}]) {
    assert.equal(
      await refusal({ storage }),
      'storage is what openSqlite("auth.db") or openPostgres(url) gives',
      String(storage),
    );
  }
});

test("an algorithm that there is not is named, with those that there are", async () => {
  for (const algorithm of ["HS255", "none", null, 256]) {
    const message = await refusal({ algorithm });
    assert.ok(message.startsWith("algorithm is one of HS256, "), message);
    assert.ok(message.endsWith(`, not ${JSON.stringify(algorithm)}`), message);
  }
});

test("a secret that is missing is asked for", async () => {
  for (const secret of [undefined, null]) assert.match(await refusal({ secret }), /^secret is missing/);
});
