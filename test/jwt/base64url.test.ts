import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { characterCount, decodeBase64url, decodeBase64urlInto, encodeBase64url } from "../../src/jwt/base64url.ts";

const target = Buffer.alloc(4096);

/** What the fast decoder says, given its precondition that "+" and "/" have been looked for. */
function decodeFast(text: string): Buffer | undefined {
  if (text.includes("+") || text.includes("/")) return undefined;
  const length = decodeBase64urlInto(text, target);
  return length === -1 ? undefined : Buffer.from(target.subarray(0, length));
}

test("base64url has one spelling: what is decoded is written back the same (checklist 14)", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
      const text = encodeBase64url(bytes);
      assert.equal(text.length, characterCount(bytes.length));
      assert.deepEqual(decodeBase64url(text), Buffer.from(bytes));
      assert.deepEqual(decodeFast(text), Buffer.from(bytes));
    }),
  );
});

test("padding, white space, the other alphabet, stray bits and impossible lengths are refused (checklist 14)", () => {
  const wrong = [
    "",
    "A",
    "AAAAA",
    "QQ=",
    "QQ==",
    "QQ==\n",
    " QQ",
    "Q Q",
    "QQ\n",
    "Q+",
    "Q/",
    "QR",
    "QS",
    "QB",
    "QUJ",
    "QUF",
    "Q.",
    "Qé",
    "Q\0",
    "QQ\u2028",
    "QŁ",
    "=",
    "====",
    "QU-=",
    "Q%3D",
  ];
  for (const text of wrong) {
    assert.equal(decodeBase64url(text), undefined, JSON.stringify(text));
    assert.equal(decodeFast(text), undefined, JSON.stringify(text));
  }
});

test("the fast decoder and the plain one agree on every ASCII text", () => {
  const ascii = fc.string({ unit: "binary-ascii", maxLength: 40 });
  const near = fc.string({ unit: fc.constantFrom(..."AQgw019-_+/=. \n"), maxLength: 12 });
  fc.assert(
    fc.property(fc.oneof(ascii, near), (text) => assert.deepEqual(decodeFast(text), decodeBase64url(text))),
    { numRuns: 3000 },
  );
});

test("each two-character and three-character ending is taken exactly when the encoder would write it", () => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (const start of ["Q", "QU", "QUJDR", "QUJDRE"]) {
    for (const last of alphabet) {
      const text = start + last;
      const isCanonical = Buffer.from(text, "base64url").toString("base64url") === text;
      assert.equal(decodeBase64url(text) !== undefined, isCanonical, text);
      assert.equal(decodeFast(text) !== undefined, isCanonical, text);
    }
  }
});
