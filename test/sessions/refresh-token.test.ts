import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AuthError } from "../../src/errors.ts";
import { deriveKeys } from "../../src/secrets.ts";
import { createRefreshTokenCodec, hashAttempt, hashHandle } from "../../src/sessions/refresh-token.ts";

const SECRET = "Zx8Kq2Vw5Lt9Rb3Ny7Hm1Jd6Gf4Ps0QaEi";
const codec = createRefreshTokenCodec(deriveKeys(SECRET, "refresh-token"));
const tokens = fc.record({
  sessionId: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  generation: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  handle: fc.uint8Array({ minLength: 16, maxLength: 16 }),
});

test("what is encoded is decoded, in a form that scanners find and clients need not read", () => {
  fc.assert(
    fc.property(tokens, (token) => {
      const text = codec.encode(token);
      assert.match(text, /^lkr_[A-Za-z0-9_-]{83}$/);
      assert.deepEqual(codec.decode(text), { ...token });
    }),
  );
});

test("no character can be changed, added or taken away (checklist 103)", () => {
  fc.assert(
    fc.property(tokens, fc.nat(86), fc.constantFrom(..."ABCxyz019-_=.~ é\0"), (token, at, character) => {
      const text = codec.encode(token);
      fc.pre(text[at] !== character);
      for (const changed of [
        text.slice(0, at) + character + text.slice(at + 1),
        text.slice(0, at) + text.slice(at + 1),
        text + character,
      ]) {
        assert.throws(
          () => codec.decode(changed),
          (error) => error instanceof AuthError && ["refresh_token_invalid", "secret_unknown"].includes(error.code),
        );
      }
    }),
    { numRuns: 500 },
  );
});

test("any text at all is refused with an AuthError and nothing else", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string({ unit: "binary" }),
        fc.base64String().map((text) => `lkr_${text}`),
      ),
      (text) => {
        assert.throws(() => codec.decode(text), AuthError);
      },
    ),
  );
});

test("a token of another secret, or made under another label, is refused", () => {
  const token = { sessionId: 1, generation: 0, handle: new Uint8Array(16) };
  const others = [deriveKeys(SECRET, "adopt"), deriveKeys(`${SECRET}!`, "refresh-token")];
  for (const keys of others)
    assert.throws(() => codec.decode(createRefreshTokenCodec(keys).encode(token)), { code: "refresh_token_invalid" });
});

test("what the store keeps of a handle and of an attempt gives neither away", () => {
  assert.match(hashHandle(new Uint8Array(16)), /^[A-Za-z0-9_-]{43}$/);
  assert.match(hashAttempt("attempt-0123456789abcdef"), /^[0-9a-f]{32}$/);
  assert.notEqual(hashAttempt("a".repeat(22)), hashAttempt("a".repeat(23)));
});
