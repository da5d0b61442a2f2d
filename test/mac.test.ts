import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { type HmacRow, rowOf } from "../src/jwt/algorithms.ts";
import { MAX_TOKEN_LENGTH } from "../src/jwt/limits.ts";
import { prepareMac } from "../src/mac.ts";

/** As the token core prepares it. */
const JWS = { maxLength: MAX_TOKEN_LENGTH, separatorLength: 1 };
const HASHES = ["HS256", "HS384", "HS512"] as const;
const row = (alg: (typeof HASHES)[number]) => rowOf(alg) as HmacRow;

/** RFC 4231 §4.2–4.8: key, message and the codes by hash; those of test case 5 are cut to 128 bits. */
const RFC_4231: readonly { name: string; key: Buffer; text: Buffer; codes: readonly [string, string, string] }[] = [
  {
    name: "test case 1",
    key: Buffer.alloc(20, 0x0b),
    text: Buffer.from("Hi There"),
    codes: [
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
      "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
      "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
    ],
  },
  {
    name: "test case 2, a key shorter than the code",
    key: Buffer.from("Jefe"),
    text: Buffer.from("what do ya want for nothing?"),
    codes: [
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    ],
  },
  {
    name: "test case 6, a key longer than the block",
    key: Buffer.alloc(131, 0xaa),
    text: Buffer.from("Test Using Larger Than Block-Size Key - Hash Key First"),
    codes: [
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
      "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
    ],
  },
];

for (const { name, key, text, codes } of RFC_4231) {
  test(`the MAC gives the codes of RFC 4231 ${name}`, () => {
    for (const [i, alg] of HASHES.entries()) {
      const { compute } = prepareMac(row(alg), key, JWS);
      assert.equal(Buffer.from(compute("", text.toString("latin1")), "base64url").toString("hex"), codes[i]);
    }
  });
}

test("the MAC equals createHmac for every key length from 0 to 200 and all three hashes", () => {
  for (const alg of HASHES) {
    for (let length = 0; length <= 200; length++) {
      const key = Buffer.from(Array.from({ length }, (_, i) => (i * 31 + length * 7) & 0xff));
      const text = "x".repeat(length * 3);
      const expected = createHmac(row(alg).hash, key).update(`head.${text}`).digest("base64url");
      const mac = prepareMac(row(alg), key, JWS);
      assert.equal(mac.compute("head.", text), expected, `${alg}, ${length} bytes`);
      assert.ok(mac.matches(`head.${text}.${expected}`, 5 + text.length));
    }
  }
});

test("the MAC equals createHmac for texts of any length, in any order of lengths", () => {
  const mac = prepareMac(row("HS256"), Buffer.alloc(32, 7), JWS);
  const text = fc.string({ unit: fc.constantFrom(..."abcXYZ019-_."), maxLength: 600 });
  fc.assert(
    fc.property(text, text, (header, payload) => {
      const expected = createHmac("sha256", Buffer.alloc(32, 7))
        .update(header + payload)
        .digest("base64url");
      assert.equal(mac.compute(header, payload), expected);
      assert.ok(mac.matches(`${header}${payload}.${expected}`, header.length + payload.length));
    }),
    { numRuns: 300 },
  );
});

test("the first text that a key is asked for may be empty", () => {
  const key = Buffer.alloc(32, 7);
  const code = createHmac("sha256", key).digest("base64url");
  assert.ok(prepareMac(row("HS256"), key, JWS).matches(`.${code}`, 0));
  assert.ok(!prepareMac(row("HS256"), key, JWS).matches(`.${code.slice(1)}A`, 0));
});

test("the longest token there can be is hashed to its end", () => {
  const key = Buffer.alloc(32, 7);
  const mac = prepareMac(row("HS256"), key, JWS);
  const input = "a".repeat(MAX_TOKEN_LENGTH - 44);
  const code = createHmac("sha256", key).update(input).digest("base64url");
  assert.equal(`${input}.${code}`.length, MAX_TOKEN_LENGTH);
  assert.ok(mac.matches(`${input}.${code}`, input.length));
  assert.ok(!mac.matches(`${input.slice(0, -1)}b.${code}`, input.length));
});

test("a code is compared over its full length: no part of it is enough, nor is more of it (checklist 9)", () => {
  for (const alg of HASHES) {
    const mac = prepareMac(row(alg), Buffer.alloc(64, 1), JWS);
    const code = mac.compute("a.", "b");
    assert.ok(mac.matches(`a.b.${code}`, 3));
    for (let at = 0; at < code.length; at++) {
      const wrong = code[at] === "A" ? "B" : "A";
      assert.ok(!mac.matches(`a.b.${code.slice(0, at)}${wrong}${code.slice(at + 1)}`, 3), `${alg}, character ${at}`);
      assert.ok(!mac.matches(`a.b.${code.slice(0, at)}`, 3));
    }
    assert.ok(!mac.matches(`a.b.${code}A`, 3));
    assert.ok(!mac.matches(`a.b.${code}=`, 3));
  }
});
