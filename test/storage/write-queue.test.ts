import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Group, GroupAnswer } from "../../src/storage/sqlite/group-runner.ts";
import { createStatementTexts } from "../../src/storage/sqlite/statement-texts.ts";
import { createWriteQueue } from "../../src/storage/sqlite/write-queue.ts";
import { createThreadWriters, type Writer } from "../../src/storage/sqlite/writer-thread.ts";
import { sql } from "../../src/storage/storage.ts";
import { isUnavailable } from "./contract.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-queue-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A writer that takes a while for each group and notes how many changes it held. */
function timedWriter(milliseconds: number) {
  const sizes: number[] = [];
  let running = 0;
  let mostRunning = 0;
  let turn = Promise.resolve();
  const writer: Writer = {
    textCount: 0,
    run({ changes }: Group) {
      // Each change of these tests is "1 statement, its number, no values".
      const size = changes.length / 3;
      sizes.push(size);
      mostRunning = Math.max(mostRunning, ++running);
      const answer = turn.then(async (): Promise<GroupAnswer> => {
        await sleep(milliseconds);
        running--;
        const results = Array.from({ length: size * 2 }, (_, i) => (i % 2 === 0 ? 1 : 0));
        return { outcome: "committed", columns: [], results, commitTime: milliseconds };
      });
      turn = answer.then(() => {});
      return answer;
    },
    close: () => Promise.resolve(),
  };
  return { writer, sizes, mostRunning: () => mostRunning };
}

async function drive(writer: Writer, inFlight: number, rounds: number) {
  const queue = createWriteQueue({ texts: createStatementTexts(), writer: () => writer, timeout: 5_000 });
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (let i = 0; i < rounds; i++) assert.deepEqual(await queue.write([sql`change`]), [[]]);
    }),
  );
  await queue.drain();
}

test("on a slow disk everything in flight shares a commit", async () => {
  const { writer, sizes } = timedWriter(5);
  await drive(writer, 64, 10);
  assert.deepEqual(sizes, Array(10).fill(64));
});

test("on a fast disk the next group is on its way while one commits, and never more than that", async () => {
  const { writer, sizes, mostRunning } = timedWriter(0);
  await drive(writer, 64, 10);
  assert.equal(mostRunning(), 2);
  assert.equal(
    sizes.reduce((sum, size) => sum + size),
    640,
  );
});

test("a group holds at most 256 changes", async () => {
  const { writer, sizes } = timedWriter(5);
  await drive(writer, 1000, 1);
  assert.ok(Math.max(...sizes) <= 256, String(sizes));
});

test("a queue that only grows is 503 for those who come too late", async () => {
  const { writer } = timedWriter(1);
  const queue = createWriteQueue({ texts: createStatementTexts(), writer: () => writer, timeout: 5_000 });
  const settled = await Promise.allSettled(Array.from({ length: 10_001 }, () => queue.write([sql`change`])));
  assert.equal(settled.filter(({ status }) => status === "fulfilled").length, 10_000);
  const last = settled.at(-1);
  assert.ok(last?.status === "rejected" && isUnavailable(last.reason));
});

test("a disk that hangs is 503 after the time-out, for what it holds and for what waits, and the queue can be closed", async () => {
  let answer = (_: GroupAnswer) => {};
  const writer: Writer = {
    textCount: 0,
    run: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
    close: () => Promise.resolve(),
  };
  const queue = createWriteQueue({ texts: createStatementTexts(), writer: () => writer, timeout: 100 });
  const start = performance.now();
  const writes: Promise<unknown>[] = [];
  for (let i = 0; i < 5; i++) {
    writes.push(assert.rejects(queue.write([sql`change`]), isUnavailable));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.all(writes);
  assert.ok(performance.now() - start < 400);
  await queue.drain();
  answer({ outcome: "committed", columns: [], results: [1, 0], commitTime: 10_000 });
  await sleep(10);
});

test("a writing thread that dies fails what it held with 503, and another takes over", async () => {
  const writers = createThreadWriters(join(folder, "crash.db"), 0);
  const queue = createWriteQueue({ texts: createStatementTexts(), writer: writers.current, timeout: 5_000 });
  const count = () => queue.write([sql`update t set x = x + ${1} returning x`]);
  await queue.write([sql`create table t (x integer) strict`]);
  await queue.write([sql`insert into t values (${0})`]);
  assert.equal((await count())?.[0]?.[0]?.x, 1);

  const lost = Promise.allSettled([count(), count()]);
  await new Promise((resolve) => setImmediate(resolve));
  await writers.current().terminate();
  for (const one of await lost) {
    // An answer may have been on its way already.
    if (one.status === "rejected") assert.ok(isUnavailable(one.reason), String(one.reason));
  }
  // The texts of statements are told to the new thread again.
  const after = (await count())?.[0]?.[0]?.x as number;
  assert.ok(after >= 2 && after <= 4);
  await queue.drain();
  await writers.close();
});

test("a writing thread that dies at once is not started again in a loop", async () => {
  const writers = createThreadWriters(join(folder, "loop.db"), 60_000);
  const queue = createWriteQueue({ texts: createStatementTexts(), writer: writers.current, timeout: 5_000 });
  await writers.current().terminate();
  await assert.rejects(queue.write([sql`select 1`]), isUnavailable);
  await assert.rejects(queue.write([sql`select 1`]), isUnavailable);
  await writers.close();
});
