import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_TOKEN_LENGTH } from "../../src/jwt/limits.ts";
import { quote } from "../../src/jwt/refusal.ts";
import { charactersProblem, partsProblem } from "../../src/jwt/shape.ts";

test("a value from a token is quoted in one short line of printable ASCII (checklist 89)", () => {
  const quoted: readonly [value: unknown, text: string][] = [
    ["plain", '"plain"'],
    ["x".repeat(40), `"${"x".repeat(40)}"`],
    ["x".repeat(41), `"${"x".repeat(40)}..."`],
    ["two\nlines", '"two\\nlines"'],
    ["é\u001b[31m\u202e", '"\\u00e9\\u001b[31m\\u202e"'],
    [7, "7"],
    [true, "true"],
    [undefined, "undefined"],
    [null, "null"],
    [[1, 2], "an array"],
    [{ a: 1 }, "a object"],
  ];
  for (const [value, text] of quoted) assert.equal(quote(value), text);
});

test("characters that no token has are told apart (checklist 14, 16)", () => {
  assert.equal(charactersProblem("a.b-c_D.9"), undefined);
  assert.equal(charactersProblem("a".repeat(MAX_TOKEN_LENGTH)), undefined);
  assert.match(charactersProblem("a".repeat(MAX_TOKEN_LENGTH + 1)) ?? "", /longer than 8192 characters/);
  assert.match(charactersProblem("a.b.\u0141") ?? "", /not ASCII/);
  for (const text of ["a+b.c.d", "a/b.c.d", "a.b.c+d/"])
    assert.equal(charactersProblem(text), "the token is not base64url");
});

test("a scheme before a token, and a refresh token in its place, are named and never quoted", () => {
  for (const token of ["Bearer a.b.c", "bearer a.b.c", "BEARER  a", "Bearer lkr_abc"])
    assert.equal(partsProblem(token), 'the token begins with "Bearer": take the scheme off', token);
  assert.equal(partsProblem("lkr_abc"), "it is a refresh token: the access token is wanted here");
  for (const token of ["bearer.b.c", "Lkr_.b.c", "xlkr_.b.c"]) assert.equal(partsProblem(token), undefined, token);
});

test("three parts are three, none of them empty (checklist 13)", () => {
  for (const token of ["a.b.c", "aa.bb.cc", "a.b.cc"]) assert.equal(partsProblem(token), undefined, token);
  for (const token of [
    "",
    "a",
    "a.b",
    ".b.c",
    "a..c",
    "a.b.",
    "..",
    "...",
    "a.b.c.d",
    "a.b.c.",
    "a.b..c",
    "a.b.c.d.e",
    ".a.b.c",
  ]) {
    assert.equal(partsProblem(token), "the token is not three parts with dots between them", token);
  }
});
