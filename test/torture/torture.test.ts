/** A little of every scenario that needs no minutes, and proof that the checker can fail. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { check, type Operation, type Outcome } from "./history.ts";
import { runScenarios, type Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";

/** With the checklist lines that each shows a little of. */
const SHORT = {
  killed: "42, 43, 48, 49, 93",
  thieves: "42, 44",
  "one-token-4": "43",
  interleaved: "48, 50",
  starts: "102",
  "clock-jumps": "49, 101",
  stopped: "91",
  "slow-sockets": "86",
  "mutated-requests": "28, 89",
  "guesses-4": "72, 73, 74",
  "login-flood": "73, 75",
} as const;

for (const [name, lines] of Object.entries(SHORT)) {
  const scenario = SCENARIOS[name] as Scenario;
  test(`${scenario.title}: no promise is broken (checklist ${lines})`, async () => {
    const [report] = (await runScenarios([scenario], { isShort: true, progress: () => {} })).values();
    assert.deepEqual(report?.violations, []);
    assert.ok((report?.requests ?? 0) > 0);
  });
}

describe("the checker finds", () => {
  const at = (started: number, one: Partial<Operation> & { readonly outcome: Outcome }): Operation => ({
    ...{ kind: "refresh", session: 1, started, ended: started + 1 },
    ...one,
  });
  const granted = (generation: number, refreshToken = `token ${generation}`): Outcome => ({
    is: "granted",
    generation,
    refreshToken,
  });
  const refused = (code: string, status = 401): Outcome => ({ is: "refused", status, code });
  const done: Outcome = { is: "done" };
  const broken = (...operations: Operation[]) => check(operations).map(({ promise }) => promise);

  test("nothing in a history that is as it should be", () => {
    assert.deepEqual(
      broken(
        at(1, { presented: 0, outcome: { is: "unknown", what: "cut" } }),
        at(2, { presented: 0, outcome: granted(1) }),
        at(3, { presented: 1, outcome: granted(2) }),
        at(4, { kind: "end", outcome: done }),
        at(6, { presented: 2, outcome: refused("session_ended") }),
        at(7, { kind: "guard", outcome: refused("session_ended") }),
      ),
      [],
    );
  });

  test("an honest client that is signed out", () => {
    assert.deepEqual(broken(at(1, { presented: 0, outcome: refused("refresh_token_reused") })), ["honest"]);
    const superseded = at(3, { presented: 0, outcome: refused("refresh_superseded", 409) });
    assert.deepEqual(broken(superseded), ["honest"]);
    assert.deepEqual(broken(at(1, { presented: 0, outcome: granted(1) }), superseded), [], "there is a newer one");
  });

  test("a fork that is not caught", () => {
    const reuse = at(3, { presented: 0, isThief: true, outcome: refused("refresh_token_reused") });
    assert.deepEqual(broken(reuse, at(9, { presented: 1, outcome: granted(2) })), ["fork"]);
    const owner = at(1, { presented: 0, attempt: "owner's", outcome: granted(1) });
    const thief = at(30, { presented: 0, attempt: "thief's", outcome: granted(1) });
    assert.deepEqual(broken(owner, thief), ["fork"], "a spent token, another attempt");
    assert.deepEqual(broken(owner, { ...thief, attempt: "owner's" }), [], "its own retry");
    assert.deepEqual(check([owner, thief], { grace: 60 }), [], "inside the grace");
    assert.deepEqual(
      broken(at(1, { presented: 0, isThief: true, attempt: "thief's", outcome: granted(1) })),
      ["fork"],
      "nobody notices",
    );
  });

  test("two children of one parent", () => {
    assert.deepEqual(
      broken(at(1, { presented: 0, outcome: granted(1) }), at(2, { presented: 0, outcome: granted(1, "other") })),
      ["child"],
    );
    assert.deepEqual(broken(at(1, { presented: 0, outcome: granted(2) })), ["child"]);
  });

  test("an end that does not last", () => {
    const end = at(1, { kind: "end", outcome: done });
    assert.deepEqual(broken(end, at(5, { presented: 0, outcome: granted(1) })), ["end"]);
    assert.deepEqual(broken(end, at(5, { kind: "guard", outcome: done })), ["end"]);
    assert.deepEqual(broken(at(0, { kind: "guard", outcome: done }), end), [], "before it, and while it was under way");
  });

  test("a client that is never answered again, and answers that are no verdicts", () => {
    const lost = at(2, { presented: 1, outcome: { is: "unknown", what: "503" } });
    assert.deepEqual(broken(at(1, { presented: 0, outcome: granted(1) }), lost), ["works"]);
    assert.deepEqual(broken(at(1, { kind: "guard", outcome: refused("internal", 500) })), ["answer"]);
  });
});
