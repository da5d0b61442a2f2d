import assert from "node:assert/strict";
import { test } from "node:test";
import { createStoreClock } from "../../src/storage/postgres/store-clock.ts";

test("the offset is how far the server's clock is ahead, in whole seconds (checklist 101)", async () => {
  for (const ahead of [0, 3600, -86_400, 2]) {
    const clock = createStoreClock(async () => Date.now() + ahead * 1000);
    assert.equal(clock.offset(), 0);
    await clock.sample();
    assert.equal(clock.offset(), ahead);
  }
});

test("a wall clock that is set moves the offset at once, so that the sum stays (checklist 101)", async (t) => {
  const clock = createStoreClock(async () => Date.now());
  await clock.sample();
  const real = Date.now;
  t.mock.method(Date, "now", () => real() + 3_600_000);
  assert.equal(clock.offset(), -3600);
});

test("a sample that failed, or took too long to mean anything, leaves the last one standing", async (t) => {
  let answer = async () => Date.now() + 5_000;
  const clock = createStoreClock(() => answer());
  await clock.sample();
  answer = () => Promise.reject(new Error("down"));
  await assert.rejects(clock.sample());
  let now = performance.now();
  t.mock.method(performance, "now", () => now);
  answer = async () => {
    now += 1_500;
    return 0;
  };
  await clock.sample();
  now -= 1_500;
  assert.equal(clock.offset(), 5);
});

test("keeping it up asks at most once a second", async (t) => {
  let asked = 0;
  const clock = createStoreClock(async () => {
    asked++;
    return Date.now();
  });
  let now = performance.now();
  t.mock.method(performance, "now", () => now);
  for (let i = 0; i < 5; i++) clock.keep();
  assert.equal(asked, 1);
  now += 1_001;
  for (let i = 0; i < 5; i++) clock.keep();
  assert.equal(asked, 2);
});
