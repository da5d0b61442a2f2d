import assert from "node:assert/strict";
import { test } from "node:test";
import { createRevocationFeed, type FeedPage, type FeedSource } from "../../src/revocations/revocation-feed.ts";
import type { Revocation } from "../../src/revocations/revocation-index.ts";
import { fakeSystem } from "../support/fake-system.ts";

/** A store of entries in memory, two to a page. */
function scriptedSource() {
  const source = {
    storeId: "a",
    entries: [] as Revocation[],
    reads: 0,
    isDown: false,
    end(sessionId: number, expiresAt = Number.MAX_SAFE_INTEGER) {
      source.entries.push({
        position: source.entries.length + 1,
        sessionId,
        userId: undefined,
        epoch: undefined,
        exceptSessionId: undefined,
        issuedBefore: undefined,
        reason: "ended",
        expiresAt,
      });
    },
    async readAfter(_storeId: string | undefined, position: number): Promise<FeedPage> {
      source.reads++;
      if (source.isDown) throw new Error("down");
      const entries = source.entries.filter((entry) => entry.position > position).slice(0, 2);
      const head = source.entries.length;
      return { storeId: source.storeId, head, position: entries.at(-1)?.position ?? head, entries };
    },
  };
  return source satisfies FeedSource;
}

const token = (sessionId: number) => ({ userId: 1, sessionId, epoch: 0, issuedAt: 0 });

async function withFeed(
  body: (given: {
    source: ReturnType<typeof scriptedSource>;
    system: ReturnType<typeof fakeSystem>;
    feed: ReturnType<typeof createRevocationFeed>;
  }) => Promise<void>,
) {
  const system = fakeSystem();
  const source = scriptedSource();
  const feed = createRevocationFeed({ source, system, pollInterval: 1_000_000 });
  await body({ source, system, feed });
  feed.stop();
}

test("is not fresh before it has read, and is for 30 seconds after", () =>
  withFeed(async ({ feed, system }) => {
    assert.equal(feed.isFresh(), false);
    await feed.catchUp();
    assert.equal(feed.isFresh(), true);
    system.advance("30s");
    assert.equal(feed.isFresh(), true);
    system.advance("1s");
    assert.equal(feed.isFresh(), false);
    await feed.catchUp();
    assert.equal(feed.isFresh(), true);
  }));

test("a clock that jumps, either way, makes it stale (checklist 101)", () =>
  withFeed(async ({ feed, system }) => {
    await feed.catchUp();
    system.jump(31);
    assert.equal(feed.isFresh(), false);
    system.jump(-32);
    assert.equal(feed.isFresh(), false);
  }));

test("a wall clock that stands still does not keep it fresh", () =>
  withFeed(async ({ feed, system }) => {
    await feed.catchUp();
    system.advance("31s");
    system.jump(-31);
    assert.equal(feed.isFresh(), false);
  }));

test("what was found fresh is believed within one second of the wall clock, and no longer than to the next read", () =>
  withFeed(async ({ feed, source, system }) => {
    await feed.catchUp();
    assert.equal(feed.isFresh(), true);
    // A process that was stopped for so long: the next second is another, and both clocks are asked.
    system.advance("31s");
    assert.equal(feed.isFresh(), false);
    await feed.catchUp();
    assert.equal(feed.isFresh(), true);
    // The wall clock comes back to the same second; a read that fails is enough to look at the other clock.
    system.advance("31s");
    system.jump(-31);
    source.isDown = true;
    await assert.rejects(feed.catchUp());
    assert.equal(feed.isFresh(), false);
  }));

test("reads every page, each entry once, and continues where it was", () =>
  withFeed(async ({ feed, source }) => {
    for (let id = 1; id <= 5; id++) source.end(id);
    await feed.catchUp();
    assert.equal(source.reads, 3);
    for (let id = 1; id <= 5; id++) assert.equal(feed.find(token(id)), "ended");
    assert.equal(feed.find(token(6)), undefined);
    source.end(6);
    await feed.catchUp();
    assert.equal(source.reads, 4);
    assert.equal(feed.find(token(6)), "ended");
    assert.equal(feed.state().position, 6);
  }));

test("another store, or one that went back, is read from the beginning", () =>
  withFeed(async ({ feed, source }) => {
    for (let id = 1; id <= 4; id++) source.end(id);
    await feed.catchUp();
    source.entries.length = 0;
    source.end(9);
    await feed.catchUp();
    assert.deepEqual([feed.find(token(1)), feed.find(token(9))], [undefined, "ended"]);
    source.storeId = "b";
    source.entries.length = 0;
    for (let id = 11; id <= 15; id++) source.end(id);
    await feed.catchUp();
    assert.deepEqual([feed.find(token(9)), feed.find(token(11)), feed.find(token(15))], [undefined, "ended", "ended"]);
  }));

test("while another store is read from the beginning the feed is not fresh, whatever was found a moment ago", () =>
  withFeed(async ({ feed, source }) => {
    source.end(1);
    await feed.catchUp();
    const { readAfter } = source;
    const found: boolean[] = [];
    let isSecondRead = false;
    source.readAfter = async (...position) => {
      if (isSecondRead) found.push(feed.isFresh());
      // Somebody asks in the same second, before it is known that the store is another.
      else feed.isFresh();
      isSecondRead = true;
      return readAfter(...position);
    };
    source.storeId = "b";
    await feed.catchUp();
    assert.deepEqual(found, [false]);
    assert.equal(feed.isFresh(), true);
  }));

test("a failed read is counted, keeps what is known and makes nothing fresh", () =>
  withFeed(async ({ feed, source, system }) => {
    source.end(1);
    await feed.catchUp();
    source.isDown = true;
    system.advance("20s");
    await assert.rejects(feed.catchUp());
    await assert.rejects(feed.catchUp());
    assert.equal(feed.state().failureCount, 2);
    assert.equal(feed.state().age, 20);
    system.advance("11s");
    assert.equal(feed.isFresh(), false);
    assert.equal(feed.find(token(1)), "ended");
    source.isDown = false;
    await feed.catchUp();
    assert.equal(feed.isFresh(), true);
    assert.equal(feed.state().failureCount, 0);
  }));

test("who asks while a read is under way is answered by one that began afterwards", () =>
  withFeed(async ({ feed, source }) => {
    const first = feed.catchUp();
    source.end(1);
    await Promise.all([feed.catchUp(), feed.catchUp(), feed.catchUp()]);
    await first;
    assert.equal(feed.find(token(1)), "ended");
    assert.equal(source.reads, 2);
  }));

test("entries are dropped when the last token that they could match has died", () =>
  withFeed(async ({ feed, source, system }) => {
    system.advance("1h");
    source.end(1, system.now() + 60);
    await feed.catchUp();
    assert.equal(feed.state().entryCount, 1);
    system.advance("61s");
    await feed.catchUp();
    assert.equal(feed.state().entryCount, 0);
  }));

test("an entry outlives its time while the clock may be wrong: at first, and after a jump (checklist 49, 101)", () =>
  withFeed(async ({ feed, source, system }) => {
    source.end(7, system.now() + 600);
    await feed.catchUp();
    system.jump(24 * 60 * 60);
    await feed.catchUp();
    system.jump(-24 * 60 * 60);
    await feed.catchUp();
    assert.equal(feed.find(token(7)), "ended", "the clock is right again, and so is the token's");
    system.advance("59m");
    await feed.catchUp();
    assert.equal(feed.find(token(7)), "ended");
    system.advance("1m");
    await feed.catchUp();
    assert.equal(feed.find(token(7)), undefined, "steady for an hour: no token lives that long");
    assert.equal(feed.state().entryCount, 0);
  }));
