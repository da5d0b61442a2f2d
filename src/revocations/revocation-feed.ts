/**
 * The revocation feed: keeps one process's index in step with a source, be it the store or another service.
 * Every end takes its position from one counter in the same transaction, so position order is commit order without gaps,
 * and a reader that knows its last position misses nothing. The feed is fresh while the last successful read began
 * recently by both clocks: one of them may jump, both do not stand still. A stale feed vouches for nobody.
 */
import type { System } from "../system.ts";
import { createRevocationIndex, type Revocation, type TokenSubject } from "./revocation-index.ts";
import { shareRuns } from "./shared-runs.ts";

/** One read: what came after a position. */
export interface FeedPage {
  /** Names the store; another one means that positions known so far say nothing. */
  readonly storeId: string;
  /** The position up to which the reader knows everything once it has these entries. */
  readonly position: number;
  /** The newest position there is; at least `position`. */
  readonly head: number;
  readonly entries: readonly Revocation[];
}

export interface FeedSource {
  /** Entries after a position of this store, oldest first; a source may answer them in several pages. */
  readAfter(storeId: string | undefined, position: number): Promise<FeedPage>;
  /** Calls back when there may be something new. @returns how to stop. */
  watch?(onChange: () => void): () => void;
}

export interface RevocationFeedOptions {
  readonly source: FeedSource;
  readonly system: Pick<System, "now" | "monotonic">;
  /** Seconds that a successful read is good for. Default 30. */
  readonly freshFor?: number;
  /** Seconds that a token which was taken back may have left to live, by far. Default one hour. */
  readonly longestLife?: number;
  /** Milliseconds between reads when nothing wakes the feed; 0: only `catchUp` reads. Default 1,000. */
  readonly pollInterval?: number;
}

/** For metrics and readiness. */
export interface FeedState {
  readonly isFresh: boolean;
  /** Seconds since the last successful read began; `undefined` before the first. */
  readonly age: number | undefined;
  readonly position: number;
  readonly entryCount: number;
  /** Reads that failed in a row. */
  readonly failureCount: number;
}

/** What the feed says without being called: two numbers that a guard compares. It is the feed that changes them. */
export interface FeedGlance {
  /** The second of the wall clock in which the feed is known to be fresh; in any other, `isFresh` has to be asked. */
  readonly freshIn: number | undefined;
  /** Grows with every entry. A token for which `find` found nothing is not taken back while this stays the same. */
  readonly entryCount: number;
}

export interface RevocationFeed {
  readonly glance: FeedGlance;
  /** Reads what is new. Concurrent calls share reads, but each is answered by a read that began after the call. */
  catchUp(): Promise<void>;
  /** True while the index may be believed. @param wall the time, from a caller that has just read the clock: each reading costs a guard. */
  isFresh(wall?: number): boolean;
  /** Why a token was taken back; `undefined` when it was not. Believe it only while fresh. */
  find(token: TokenSubject): Revocation["reason"] | undefined;
  state(): FeedState;
  /** Calls back whenever entries have come. @returns how to stop. */
  onEntries(listener: () => void): () => void;
  stop(): void;
}

const FRESH_FOR = 30;
const POLL_INTERVAL = 1000;
const LONGEST_LIFE = 60 * 60;
/** Seconds by which the two clocks may drift apart between reads and still count as ticking. */
const DRIFT = 5;
/** Beyond this the index costs more memory than asking the store costs time. */
const MOST_ENTRIES = 1_000_000;

/** Makes a feed that has read nothing yet: `catchUp` once before it is believed. It polls until `stop`. */
export function createRevocationFeed(options: RevocationFeedOptions): RevocationFeed {
  const { source, system, freshFor = FRESH_FOR, pollInterval = POLL_INTERVAL, longestLife = LONGEST_LIFE } = options;
  const index = createRevocationIndex();
  const listeners = new Set<() => void>();
  let storeId: string | undefined;
  let position = 0;
  let readAt: { readonly wall: number; readonly monotonic: number } | undefined;
  // The second in which it was found fresh: until that is over, or the next poll, the other clock is not asked again.
  const glance: { freshIn: number | undefined; entryCount: number } = { freshIn: undefined, entryCount: 0 };
  let failureCount = 0;
  let lastSweep = { wall: system.now(), monotonic: system.monotonic() };
  let steadySince = lastSweep.monotonic;

  /**
   * Drops what has expired, once the clock has been steady for the life of a token: a clock that ran ahead, and is set right, would bring tokens to
   * life whose entry is gone. Nobody knows how the clock was before this process began.
   */
  function sweep(now: { readonly wall: number; readonly monotonic: number }): void {
    const jump = now.wall - lastSweep.wall - (now.monotonic - lastSweep.monotonic) / 1000;
    if (Math.abs(jump) > DRIFT) steadySince = now.monotonic;
    lastSweep = now;
    if (now.monotonic - steadySince >= longestLife * 1000) index.sweep(now.wall);
  }

  async function readAll(): Promise<void> {
    const began = { wall: system.now(), monotonic: system.monotonic() };
    for (let isDone = false; !isDone; ) {
      const page = await source.readAfter(storeId, position);
      if (page.storeId !== storeId || page.head < position) {
        // Another store, or an older one restored in its place: what is known of positions means nothing there.
        const isFirst = storeId === undefined;
        storeId = page.storeId;
        if (!isFirst) {
          readAt = undefined;
          glance.freshIn = undefined;
          index.clear();
          position = 0;
          continue;
        }
      }
      for (const entry of page.entries) index.add(entry);
      glance.entryCount += page.entries.length;
      position = page.position;
      isDone = position >= page.head;
      if (page.entries.length > 0) for (const listener of listeners) listener();
    }
    sweep(began);
    readAt = began;
  }

  const catchUp = shareRuns(async () => {
    glance.freshIn = undefined;
    try {
      await readAll();
      failureCount = 0;
    } catch (error) {
      failureCount++;
      throw error;
    }
  });

  // A failed read leaves `readAt` as it was; the feed goes stale by itself and says so.
  const wake = () => {
    // Here as well: while a read hangs, those who ask for another share it, and none begins.
    glance.freshIn = undefined;
    catchUp().catch(() => {});
  };
  const timer = pollInterval > 0 ? setInterval(wake, pollInterval).unref() : undefined;
  const unwatch = source.watch?.(wake);

  function isFresh(wall = system.now()): boolean {
    if (wall === glance.freshIn) return true;
    const isFreshNow = isFreshBothWays(wall);
    glance.freshIn = isFreshNow ? wall : undefined;
    return isFreshNow;
  }

  function isFreshBothWays(wall: number): boolean {
    if (!readAt || index.size > MOST_ENTRIES) return false;
    const age = wall - readAt.wall;
    return age >= 0 && age <= freshFor && system.monotonic() - readAt.monotonic <= freshFor * 1000;
  }

  return {
    glance,
    catchUp,
    isFresh,
    find: (token) => index.find(token),
    state: () => ({
      isFresh: isFresh(),
      age: readAt && (system.monotonic() - readAt.monotonic) / 1000,
      position,
      entryCount: index.size,
      failureCount,
    }),
    onEntries(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop() {
      clearInterval(timer);
      unwatch?.();
    },
  };
}
