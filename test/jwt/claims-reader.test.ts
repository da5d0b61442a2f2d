import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createClaimsReader } from "../../src/jwt/claims-reader.ts";
import { createClaimsTemplates } from "../../src/jwt/claims-template.ts";
import { NO_AUDIENCE, NO_ISSUER } from "../../src/jwt/index.ts";
import { AUDIENCE, encode, ISSUER } from "./support.ts";

const POLICIES = [
  { issuer: NO_ISSUER, audience: NO_AUDIENCE },
  { issuer: ISSUER, audience: [AUDIENCE] },
  { issuer: "é", audience: ["a", "b"] },
  { issuer: "x", audience: ["yy"] },
  { issuer: "xx", audience: ["yy"] },
] as const;

function read(reader: ReturnType<typeof createClaimsReader>, text: string | Uint8Array) {
  const encoded = encode(text);
  return reader(`head.${encoded}.signature`, 5, 5 + encoded.length);
}

test("a reader that has learned gives what JSON.parse gives, for claims of any shape in any order", () => {
  const name = fc.constantFrom("iss", "aud", "sub", "exp", "roles", "admin", "é", '"', "1", "toString", "");
  const text = fc.oneof(
    fc.constantFrom(ISSUER, AUDIENCE, "a", "x", "yy", "", "true", "\\", '"', "\u0000", "\u2028", "\ufffd", "é🗝"),
    fc.string({ unit: "binary-ascii", maxLength: 6 }),
  );
  const number = fc.oneof(
    fc.constantFrom(0, -0, 1, 12, -1, 1.5, 1e21, 123456789012345, 1234567890123456, 999999999999999),
    fc.integer(),
  );
  const value = fc.oneof(
    text,
    number,
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.oneof({ weight: 5, arbitrary: text }, number), { maxLength: 3 }),
    fc.dictionary(name, text, { maxKeys: 2 }),
  );
  const claims = fc
    .uniqueArray(fc.tuple(name, value), { selector: ([member]) => member, maxLength: 5 })
    .map(Object.fromEntries);
  const opened = fc.tuple(fc.constantFrom(...POLICIES), claims).map(([{ issuer, audience }, rest]) => {
    if (issuer === NO_ISSUER) return rest;
    const { iss: _, aud: __, ...others } = rest;
    return { iss: issuer, aud: audience[0], ...others };
  });
  fc.assert(
    fc.property(
      fc.constantFrom(...POLICIES),
      fc.array(fc.oneof(claims, opened), { minLength: 1, maxLength: 8 }),
      (policy, sequence) => {
        const reader = createClaimsReader(policy);
        for (const expected of [...sequence, ...sequence]) {
          const json = JSON.stringify(expected);
          const found = read(reader, json);
          assert.equal(typeof found, "object", json);
          assert.deepEqual(Object.entries(found), Object.entries(JSON.parse(json)), json);
        }
      },
    ),
    { numRuns: 600 },
  );
});

test("a reader that has learned refuses what a fresh one refuses", () => {
  const good = JSON.stringify({ iss: ISSUER, aud: AUDIENCE, sub: "42", exp: 1, roles: ["a", "b"], admin: true });
  const edits = fc.array(
    fc.tuple(
      fc.nat(good.length),
      fc.constantFrom(
        "",
        '"',
        ",",
        ":",
        "{",
        "}",
        "[",
        "]",
        "\\",
        "\n",
        "0",
        "1",
        "-",
        "e",
        ".",
        "t",
        "\u0001",
        "é",
        " ",
        '"sub":',
        '"sub":"1",',
      ),
    ),
    { minLength: 1, maxLength: 3 },
  );
  fc.assert(
    fc.property(edits, fc.boolean(), (changes, replaces) => {
      let text = good;
      for (const [at, piece] of changes) text = text.slice(0, at) + piece + text.slice(at + (replaces ? 1 : 0));
      for (const policy of POLICIES.slice(0, 2)) {
        const learned = createClaimsReader(policy);
        read(learned, good);
        assert.deepEqual(read(learned, text), read(createClaimsReader(policy), text), text);
      }
    }),
    { numRuns: 4000 },
  );
});

test("bytes that an earlier, longer token left behind are never read", () => {
  for (const policy of POLICIES) {
    const reader = createClaimsReader(policy);
    const opening = { iss: ISSUER, aud: AUDIENCE };
    for (const long of ['"x"', "12345678", '["aaaaaaaaaa","bbbbbbb"]', "true"]) {
      const longText = `${JSON.stringify(opening).slice(0, -1)},"sub":${long}}`;
      assert.equal(typeof read(reader, longText), "object");
      for (let length = 1; length < longText.length; length++) {
        assert.equal(typeof read(reader, longText.slice(0, length)), "string", longText.slice(0, length));
        assert.equal(typeof read(reader, longText), "object");
      }
    }
  }
});

test("only so many shapes are learned, and more of them are read all the same", () => {
  const reader = createClaimsReader(POLICIES[0]);
  for (let round = 0; round < 3; round++) {
    for (let shape = 0; shape < 20; shape++) {
      const claims = Object.fromEntries(Array.from({ length: shape + 1 }, (_, i) => [`n${shape}_${i}`, i]));
      assert.deepEqual({ ...(read(reader, JSON.stringify(claims)) as object) }, claims);
    }
  }
  const wide = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`n${i}`, i]));
  for (let round = 0; round < 3; round++) assert.deepEqual({ ...(read(reader, JSON.stringify(wide)) as object) }, wide);
});

test("the quick way is taken for a text of known names, and only for that", () => {
  const templates = createClaimsTemplates();
  const bytes = Buffer.alloc(1000);
  const quick = (text: string) =>
    templates.read({ bytes, length: bytes.write(text, "latin1"), known: [], knownLength: 0 });
  assert.equal(quick('{"a":1}'), undefined, "nothing is known yet");
  templates.learn(["a"]);
  templates.learn([]);
  const taken = [
    "0",
    "1",
    "10",
    "999999999999999",
    '""',
    '"x"',
    '"\x7f"',
    "true",
    "false",
    "[]",
    '["x"]',
    '["x","y",""]',
  ];
  for (const value of taken) assert.deepEqual({ ...quick(`{"a":${value}}`) }, JSON.parse(`{"a":${value}}`), value);
  const left = [
    "00",
    "01",
    "-1",
    "1.5",
    "1e3",
    "1000000000000000",
    '"\x80"',
    '"\\u0041"',
    '"\x1f"',
    '"x',
    "tru",
    "True",
    "null",
    "[",
    "[1]",
    '["x",]',
    '["x"',
    '["x" ]',
    '["x";"y"]',
    "{}",
    "",
    " 1",
    "1 ",
  ];
  for (const value of left) assert.equal(quick(`{"a":${value}}`), undefined, value);
  for (const text of [
    '{"b":1}',
    '{"a":1,"b":2}',
    '{ "a":1}',
    '{"a":1',
    '{"a":1}}',
    '{"a":1} ',
    '{"a" :1}',
    '["a":1}',
    '{"a":1]',
    "{}",
    "",
  ])
    assert.equal(quick(text), undefined, text);
});
