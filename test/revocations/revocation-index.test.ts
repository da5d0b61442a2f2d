import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createRevocationIndex, type Revocation, type TokenSubject } from "../../src/revocations/revocation-index.ts";

const NONE = {
  position: 1,
  sessionId: undefined,
  userId: undefined,
  epoch: undefined,
  exceptSessionId: undefined,
  issuedBefore: undefined,
};
const small = (max: number) => fc.integer({ min: 1, max });

const revocations: fc.Arbitrary<Revocation> = fc.oneof(
  fc.record({ sessionId: small(6) }).map((entry) => ({ ...NONE, ...entry, reason: "ended" as const, expiresAt: 100 })),
  fc
    .record({
      userId: small(3),
      epoch: small(5),
      exceptSessionId: fc.option(small(6), { nil: undefined }),
      reason: fc.constantFrom("ended" as const, "inactive" as const),
    })
    .map((entry) => ({ ...NONE, ...entry, expiresAt: 100 })),
  fc
    .record({ issuedBefore: small(10) })
    .map((entry) => ({ ...NONE, ...entry, reason: "ended" as const, expiresAt: 100 })),
);
const subjects: fc.Arbitrary<TokenSubject> = fc.record({
  userId: small(3),
  sessionId: fc.option(small(6), { nil: undefined }),
  epoch: fc.integer({ min: 0, max: 5 }),
  issuedAt: small(10),
});

/** The definition, entry by entry. */
const matches = (entry: Revocation, token: TokenSubject) =>
  (entry.sessionId !== undefined && entry.sessionId === token.sessionId) ||
  (entry.userId === token.userId &&
    token.epoch < (entry.epoch as number) &&
    (entry.exceptSessionId === undefined || entry.exceptSessionId !== token.sessionId)) ||
  (entry.issuedBefore !== undefined && token.sessionId === undefined && token.issuedAt < entry.issuedBefore);

test("finds exactly the tokens that some entry matches, whatever was folded together", () => {
  fc.assert(
    fc.property(
      fc.array(revocations, { maxLength: 20 }),
      fc.array(subjects, { minLength: 20, maxLength: 20 }),
      (entries, tokens) => {
        const index = createRevocationIndex();
        for (const entry of entries) index.add(entry);
        for (const token of tokens) {
          assert.equal(
            index.find(token) !== undefined,
            entries.some((entry) => matches(entry, token)),
          );
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test("an inactive user is told from an ended session", () => {
  const index = createRevocationIndex();
  index.add({ ...NONE, userId: 1, epoch: 1, reason: "inactive", expiresAt: 100 });
  assert.equal(index.find({ userId: 1, sessionId: 5, epoch: 0, issuedAt: 0 }), "inactive");
  assert.equal(index.find({ userId: 1, sessionId: 5, epoch: 1, issuedAt: 0 }), undefined);
});

test("a user who ends all other sessions again and again costs one entry", () => {
  const index = createRevocationIndex();
  for (let epoch = 1; epoch <= 1000; epoch++)
    index.add({ ...NONE, userId: 1, epoch, exceptSessionId: 7, reason: "ended", expiresAt: 100 });
  assert.equal(index.size, 1);
});

test("entries go when they have expired, and not before", () => {
  const index = createRevocationIndex();
  index.add({ ...NONE, sessionId: 1, reason: "ended", expiresAt: 10 });
  index.add({ ...NONE, userId: 1, epoch: 1, reason: "ended", expiresAt: 20 });
  index.add({ ...NONE, issuedBefore: 5, reason: "ended", expiresAt: 30 });
  const found = () => [
    index.find({ userId: 9, sessionId: 1, epoch: 9, issuedAt: 9 }),
    index.find({ userId: 1, sessionId: 9, epoch: 0, issuedAt: 9 }),
    index.find({ userId: 9, sessionId: undefined, epoch: 9, issuedAt: 4 }),
  ];
  index.sweep(9);
  assert.deepEqual(found(), ["ended", "ended", "ended"]);
  index.sweep(10);
  assert.deepEqual(found(), [undefined, "ended", "ended"]);
  index.sweep(20);
  assert.deepEqual(found(), [undefined, undefined, "ended"]);
  index.sweep(30);
  assert.deepEqual(found(), [undefined, undefined, undefined]);
  assert.equal(index.size, 0);
});

test("an entry that covers another lasts as long as the longer of the two", () => {
  const index = createRevocationIndex();
  index.add({ ...NONE, userId: 2, epoch: 1, reason: "ended", expiresAt: 114 });
  index.add({ ...NONE, userId: 2, epoch: 2, reason: "ended", expiresAt: 105 });
  index.sweep(106);
  assert.equal(index.find({ userId: 2, sessionId: 1, epoch: 0, issuedAt: 0 }), "ended");
  index.sweep(114);
  assert.equal(index.size, 0);
});
