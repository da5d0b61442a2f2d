/** The gate in front of password hashes. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AuthError } from "../../src/errors.ts";
import { createGate } from "../../src/users/gate.ts";

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("the gate", () => {
  /** Fills a gate of one place with work that is let go one by one. */
  function filled(queueLimit: number) {
    const gate = createGate({ concurrency: 1, queueLimit });
    const started: string[] = [];
    const release: (() => void)[] = [];
    const enter = (name: string, isFavoured = false) =>
      gate.run(
        () => {
          started.push(name);
          return new Promise<void>((resolve) => release.push(resolve));
        },
        { isFavoured },
      );
    async function leave(): Promise<void> {
      release.shift()?.();
      await settled();
    }
    return { gate, started, enter, leave };
  }

  test("lets those wait who find a place, and refuses the rest at once with Retry-After (checklist 75)", async () => {
    const { gate, started, enter, leave } = filled(2);
    const all = ["first", "second", "third"].map((name) => enter(name));
    assert.ok(gate.isBusy && gate.isFull);
    await assert.rejects(enter("fourth"), (error) => {
      assert.ok(error instanceof AuthError);
      assert.deepEqual([error.code, error.status], ["busy", 503]);
      assert.ok((error.retryAfter ?? 0) >= 1);
      return true;
    });
    for (let i = 0; i < 3; i++) await leave();
    await Promise.all(all);
    assert.deepEqual(started, ["first", "second", "third"]);
    assert.deepEqual([gate.running, gate.waiting], [0, 0]);
  });

  test("has a queue for the favoured, which goes first three times of four (checklist 73, 75)", async () => {
    const { gate, started, enter, leave } = filled(8);
    const all = [enter("running")];
    for (let i = 1; i <= 8; i++) all.push(enter(`other ${i}`));
    assert.ok(gate.isFull);
    for (let i = 1; i <= 6; i++) all.push(enter(`favoured ${i}`, true));
    for (let i = 0; i < 15; i++) await leave();
    await Promise.all(all);
    assert.deepEqual(started.slice(1, 10), [
      "favoured 1",
      "favoured 2",
      "favoured 3",
      "other 1",
      "favoured 4",
      "favoured 5",
      "favoured 6",
      "other 2",
      "other 3",
    ]);
    assert.deepEqual([gate.running, gate.waiting], [0, 0]);
  });

  test("is left by work that fails", async () => {
    const gate = createGate({ concurrency: 1, queueLimit: 1 });
    await assert.rejects(gate.run(() => Promise.reject(new Error("failed"))));
    assert.equal(await gate.run(async () => "next"), "next");
  });
});
