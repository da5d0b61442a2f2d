import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeRefresh, NO_ATTEMPT, type Presented, type SessionState } from "../../src/sessions/refresh-rule.ts";

const NOW = 1_000_000;
const GRACE = 20;
const attempt = (i: number) => String(i).repeat(32);
const session: SessionState = {
  mode: "rotating",
  generation: 10,
  rotatedAt: NOW - 100,
  attempts: [attempt(0), attempt(1), NO_ATTEMPT, attempt(3)],
  userEpoch: 2,
  idleExpiresAt: NOW + 1,
  absoluteExpiresAt: NOW + 1,
  endedAt: undefined,
  user: { epoch: 2, isActive: true },
};
const judge = (presented: Partial<Presented>, changed: Partial<SessionState> = {}) =>
  judgeRefresh(
    { ...session, ...changed },
    { generation: 10, attempt: undefined, now: NOW, grace: GRACE, ...presented },
  );

test("row 2: the newest token advances after the grace, at generation 0, in strict mode, and when the clock went back", () => {
  assert.deepEqual(judge({}), { do: "rotate" });
  assert.deepEqual(judge({}, { rotatedAt: NOW - GRACE - 1 }), { do: "rotate" });
  assert.deepEqual(judge({ generation: 0 }, { generation: 0, rotatedAt: NOW }), { do: "rotate" });
  assert.deepEqual(judge({ grace: 0 }, { rotatedAt: NOW }), { do: "rotate" });
  assert.deepEqual(judge({}, { rotatedAt: NOW + 1 }), { do: "rotate" });
});

test("row 3: ended comes before the user, the user before expiry", () => {
  const code = (changed: Partial<SessionState>) => (judge({}, changed) as { code?: string }).code;
  assert.equal(code({ endedAt: 1, user: undefined, idleExpiresAt: 0 }), "session_ended");
  assert.equal(code({ user: undefined }), "session_ended");
  assert.equal(code({ user: { epoch: 2, isActive: false } }), "session_ended");
  assert.equal(code({ user: { epoch: 3, isActive: true }, idleExpiresAt: 0 }), "session_ended");
  assert.equal(code({ idleExpiresAt: NOW }), "refresh_token_expired");
  assert.equal(code({ absoluteExpiresAt: NOW }), "refresh_token_expired");
  assert.equal(code({ idleExpiresAt: NOW + 1 }), undefined);
  // Even for a token that would be theft: a dead session has nothing to protect.
  assert.equal((judge({ generation: 1 }, { endedAt: 1 }) as { code?: string }).code, "session_ended");
});

test("row 4: a fixed session answers the same token, and knows no other", () => {
  assert.deepEqual(judge({ generation: 0 }, { mode: "fixed", generation: 0 }), { do: "repeat", generation: 0 });
  assert.deepEqual(judge({ generation: 1 }, { mode: "fixed", generation: 0 }), { do: "reuse" });
});

test("row 5: within the grace of its birth the newest token comes back unchanged, to the second", () => {
  for (const age of [0, 1, GRACE])
    assert.deepEqual(judge({}, { rotatedAt: NOW - age }), { do: "repeat", generation: 10 });
  assert.deepEqual(judge({}, { rotatedAt: NOW - GRACE - 1 }), { do: "rotate" });
});

test("row 6: the parent leads to its successor within the grace, or at any time with the attempt's id", () => {
  for (const age of [-3600, 0, GRACE])
    assert.deepEqual(judge({ generation: 9 }, { rotatedAt: NOW - age }), { do: "repeat", generation: 10 });
  assert.deepEqual(judge({ generation: 9 }, { rotatedAt: NOW - GRACE - 1 }), { do: "reuse" });
  assert.deepEqual(judge({ generation: 9, attempt: attempt(0) }, { rotatedAt: NOW - 86_400 }), {
    do: "repeat",
    generation: 10,
  });
  assert.deepEqual(judge({ generation: 9, attempt: attempt(1) }), { do: "reuse" });
  assert.deepEqual(judge({ generation: 9, grace: 0 }, { rotatedAt: NOW }), { do: "reuse" }, "strict");
  assert.deepEqual(judge({ generation: 9, grace: 0, attempt: attempt(0) }), { do: "repeat", generation: 10 });
});

test("row 7: a generation ahead of the row is a store that was restored", () => {
  assert.deepEqual(judge({ generation: 11 }), { do: "restore" });
  assert.deepEqual(judge({ generation: 99 }), { do: "restore" });
});

test("row 8: late duplicates of the three rotations before the last are superseded; the grace is not theirs", () => {
  assert.deepEqual(judge({ generation: 8, attempt: attempt(1) }), { do: "superseded" });
  assert.deepEqual(judge({ generation: 6, attempt: attempt(3) }), { do: "superseded" });
  assert.deepEqual(judge({ generation: 8 }, { rotatedAt: NOW }), { do: "reuse" });
  assert.deepEqual(judge({ generation: 7, attempt: NO_ATTEMPT.replaceAll("-", "0") }), { do: "reuse" });
  assert.deepEqual(judge({ generation: 5, attempt: attempt(3) }), { do: "reuse" });
});

test("row 10: anything else is somebody who should not have the token", () => {
  for (const generation of [0, 5, 8, 9]) assert.deepEqual(judge({ generation }), { do: "reuse" });
});
