import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readId, readSubject } from "../../src/revocations/token-subject.ts";

test("an id is read in the one way that it is written", () => {
  for (const [text, id] of [
    ["1", 1],
    ["42", 42],
    ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ] as const) {
    assert.equal(readId(text), id);
  }
  const others = [
    "",
    "0",
    "042",
    "-1",
    "+1",
    " 1",
    "1 ",
    "1.0",
    "1e3",
    "0x1",
    "１",
    "٣",
    "1\n",
    "NaN",
    "9007199254740992",
  ];
  for (const odd of [...others, "9007199254740993", "9999999999999999", "10000000000000000", "9".repeat(400)]) {
    assert.equal(readId(odd), undefined, JSON.stringify(odd));
  }
  for (const odd of [undefined, null, 1, 1n, ["1"], { toString: () => "1" }]) assert.equal(readId(odd), undefined);
});

test("every id that is written is read, and nothing else is", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (id) => readId(String(id)) === (id === 0 ? undefined : id)));
  fc.assert(fc.property(fc.string(), (text) => readId(text) === undefined || String(readId(text)) === text));
});

test("claims that no token of ours has are no subject", () => {
  const claims = { sub: "7", sid: "9", epoch: 2, iat: 100 };
  assert.deepEqual(readSubject(claims), { userId: 7, sessionId: 9, epoch: 2, issuedAt: 100 });
  assert.equal(readSubject({ ...claims, sub: "07" }), "sub is not a user's id");
  assert.equal(readSubject({ ...claims, sid: undefined }), "sid is not a session's id");
  assert.equal(readSubject({ ...claims, epoch: 0.5 }), "epoch is not a whole number");
});
