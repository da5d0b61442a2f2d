import assert from "node:assert/strict";
import { test } from "node:test";
import { isFaithful, readLatin1, writeBase64url, writeLatin1 } from "../src/buffer-text.ts";

const ours = { writeLatin1, readLatin1, writeBase64url };

test("the methods in use do what is promised of them", () => {
  assert.equal(isFaithful(ours), true);
});

test("methods that are missing or do something else are noticed, and not used", () => {
  const missing = (): never => {
    throw new TypeError("latin1Write is not a function");
  };
  assert.equal(isFaithful({ ...ours, writeLatin1: missing }), false);
  assert.equal(
    isFaithful({ ...ours, writeLatin1: (target, text, offset) => target.write(text, offset, "utf8") }),
    false,
  );
  assert.equal(isFaithful({ ...ours, readLatin1: (source, start) => source.toString("latin1", start) }), false);
  assert.equal(isFaithful({ ...ours, writeBase64url: (target, text) => target.write(text, 0, "latin1") }), false);
});

test("a text that is written overlong stops at the end of its buffer", () => {
  const target = Buffer.alloc(4);
  assert.equal(writeLatin1(target, "abcdef", 2), 2);
  assert.equal(target.toString("latin1"), "\0\0ab");
});
