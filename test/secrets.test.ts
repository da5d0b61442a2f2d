import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { deriveKeys, secretProblem } from "../src/secrets.ts";

/** The same secrets at every run. */
const bytes = (i: number, size: number) => {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, block) =>
    createHash("sha256").update(`${i}/${block}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, size);
};

test("ten thousand random secrets, as hex, base64 and base64url, are accepted", () => {
  for (let i = 0; i < 10_000; i++) {
    const encoding = (["hex", "base64", "base64url"] as const)[i % 3] as "hex";
    const secret = bytes(i, 24 + (i % 40)).toString(encoding);
    assert.equal(secretProblem(secret), undefined, secret);
  }
  assert.equal(secretProblem(bytes(1, 32)), undefined, "bytes as they are");
  assert.equal(secretProblem("latchkey-interop-secret-of-64-bytes-for-HS256-HS384-and-HS512!!!"), undefined);
  assert.equal(secretProblem("ünïcödé passphrases äre fïne töö"), undefined);
});

test("secrets out of documents are refused as placeholders (checklist 100)", () => {
  for (const secret of [
    "your-secret-key-your-secret-key-your-secret-key",
    "a-string-secret-at-least-256-bits-long",
    "changeme-changeme-changeme-changeme-changeme",
    "your-256-bit-secret-your-256-bit-secret",
    "super_secret_jwt_key_please_change_in_production",
    "CHANGE THIS TO A LONG RANDOM STRING IN PRODUCTION!!",
    "replace.me.with.a.secure.random.value.123456789",
    "--------------------------------------------",
  ]) {
    assert.match(
      secretProblem(secret) ?? "accepted",
      /^is a placeholder; make one with: openssl rand -base64 48$/,
      secret,
    );
  }
});

test("short, empty, repeated and sequential secrets are refused (checklist 4)", () => {
  assert.match(secretProblem("") ?? "", /^is empty; /);
  assert.match(secretProblem(bytes(1, 31)) ?? "", /^has 31 bytes and needs at least 32; /);
  assert.match(secretProblem("ü".repeat(15)) ?? "", /^has 30 bytes/);
  for (const easy of [
    "q".repeat(40),
    "qwZ!".repeat(12),
    "kjhgfedcba".repeat(4),
    "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRS",
    Buffer.alloc(64),
  ]) {
    assert.match(secretProblem(easy) ?? "accepted", /^is (?:easy to guess|a placeholder); /);
  }
  assert.match(secretProblem(7 as never) ?? "", /^must be a text or bytes; /);
  assert.match(secretProblem("x1!".repeat(2000)) ?? "", /^has 6000 bytes, more than 4096; /);
});

test("every label and every secret gives another key; the secret itself is none of them", () => {
  const [one, two] = [bytes(1, 32), bytes(2, 32)];
  const keys = [deriveKeys(one, "a"), deriveKeys(one, "b"), deriveKeys(two, "a")].map(({ byNumber }) =>
    Buffer.from(byNumber.get(1) as Uint8Array).toString("hex"),
  );
  assert.equal(new Set([...keys, one.toString("hex")]).size, 4);
  assert.deepEqual(deriveKeys(one, "a").byNumber.get(1), deriveKeys(one, "a").byNumber.get(1));
});

test("the first of several secrets is current, the highest number is the newest", () => {
  const keys = deriveKeys(
    [
      { number: 2, secret: bytes(2, 32) },
      { number: 7, secret: bytes(7, 32) },
    ],
    "x",
  );
  assert.deepEqual([keys.current, keys.newest, keys.byNumber.size], [2, 7, 2]);
});

test("numbers that are repeated or out of range, weak secrets and none at all are a TypeError", () => {
  const secret = bytes(1, 32);
  for (const root of [
    [],
    [{ number: 0, secret }],
    [{ number: 65_536, secret }],
    [{ number: 1.5, secret }],
    [
      { number: 1, secret },
      { number: 1, secret: bytes(2, 32) },
    ],
    [{ number: 1, secret: "short" }],
    "short",
  ]) {
    assert.throws(() => deriveKeys(root as never, "x"), TypeError);
  }
});
