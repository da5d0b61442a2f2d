import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeHeader, readHeader } from "../../src/jwt/header.ts";
import { createKeySet } from "../../src/jwt/index.ts";
import { createKeyFinder } from "../../src/jwt/key-finder.ts";
import { readPolicy } from "../../src/jwt/policy.ts";
import { AUDIENCE, encode, ISSUER, keyFor } from "./support.ts";

const problemOf = (encoded: string) => readHeader(encoded).problem;

test("a header that can't be read is refused for what is wrong with it (checklist 12, 14, 15)", () => {
  assert.equal(problemOf("A".repeat(1025)), "is longer than 1024 characters");
  assert.notEqual(problemOf("A".repeat(1024)), "is longer than 1024 characters");
  assert.equal(problemOf("YR"), "is not canonical base64url");
  assert.equal(problemOf(encode(Uint8Array.of(0x22, 0xff, 0x22))), "is not valid UTF-8");
  assert.equal(problemOf(encode("{")), "is not JSON");
  for (const text of ["[]", "7", "null", '"text"']) assert.equal(problemOf(encode(text)), "is not a JSON object", text);
  assert.equal(problemOf(encode({ alg: "HS256", typ: 7 })), "has a typ that is 7");
  assert.equal(problemOf(encode({ alg: "HS256", typ: null })), "has a typ that is null");
  assert.equal(problemOf(encode({ typ: "at+jwt" })), "has no alg that is a text");
  assert.deepEqual(readHeader(encodeHeader("HS256", "at+jwt", "k")), { alg: "HS256", kid: "k", typ: "at+jwt" });
  assert.deepEqual(readHeader(encode({ alg: "HS256" })), { alg: "HS256", kid: undefined, typ: undefined });
});

test("headers of tokens that were good are known by sight, sixteen of them and no more", () => {
  const key = keyFor("HS256");
  const keys = createKeySet([key]);
  const finder = createKeyFinder(keys, readPolicy({ issuer: ISSUER, audience: AUDIENCE }));
  const ours = `${encodeHeader("HS256", "at+jwt", key.kid)}.`;
  assert.equal(finder.bySight(`${ours}claims.mac`)?.text, ours, "as our signer writes it");
  assert.equal(finder.bySight(ours.slice(0, -1)), undefined);
  const others = Array.from(
    { length: 20 },
    (_, i) => `${encode({ alg: "HS256", typ: "at+jwt", kid: key.kid, n: i })}.`,
  );
  for (const header of others) {
    assert.equal(finder.bySight(`${header}claims.mac`), undefined);
    finder.remember(header, key);
  }
  assert.equal(others.filter((header) => finder.bySight(`${header}claims.mac`)?.key === key).length, 15);
  assert.equal(finder.version, keys.version);
});
