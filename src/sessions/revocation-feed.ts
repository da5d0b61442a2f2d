/**
 * The revocation feed: keeps the index of one process in step with the store.
 * Every end takes its position from one counter row in the same transaction, so position order is commit order without
 * gaps, and a reader that knows its last position misses nothing. The feed is fresh while the last successful read
 * began recently by both clocks; a stale feed vouches for nobody.
 */
import * as queries from "../storage/queries.ts";
import type { Row, Storage } from "../storage/storage.ts";
import type { System } from "../system.ts";
import { createRevocationIndex, type Revocation, type TokenSubject } from "./revocation-index.ts";

export interface RevocationFeedOptions {
  readonly storage: Storage;
  readonly system: System;
  /** Seconds that a successful read is good for. Default 30. */
  readonly freshFor?: number;
  /** Milliseconds between reads. Default 1,000. */
  readonly pollInterval?: number;
}

export interface RevocationFeed {
  /** Reads what is new. Concurrent calls share reads, but each read began after the call. */
  catchUp(): Promise<void>;
  /** True while the index may be believed. */
  isFresh(): boolean;
  /** Why the token was taken back; `undefined` when it was not. Only while fresh. */
  find(token: TokenSubject): Revocation["reason"] | undefined;
  stop(): void;
  readonly size: number;
}

const FRESH_FOR = 30;
const POLL_INTERVAL = 1000;
/** Beyond this the index costs more memory than asking the store costs time. */
const MOST_ENTRIES = 1_000_000;

/** Loads the index and keeps it up to date until `stop`. Rejects when the store does not answer. */
export async function startRevocationFeed(options: RevocationFeedOptions): Promise<RevocationFeed> {
  const { storage, system, freshFor = FRESH_FOR, pollInterval = POLL_INTERVAL } = options;
  const index = createRevocationIndex();
  let storeId: string | undefined;
  let cursor = 0;
  let readAt: { readonly wall: number; readonly monotonic: number } | undefined;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  async function read(): Promise<void> {
    const began = { wall: system.now(), monotonic: system.monotonic() };
    const head = (await storage.read(queries.feedHead()))[0];
    const headPosition = head?.head as number;
    if (head?.store_id !== storeId || headPosition < cursor) {
      // Another store, or an older one restored in its place: what is known of positions means nothing there.
      index.clear();
      storeId = head?.store_id as string;
      cursor = 0;
    }
    if (headPosition > cursor) {
      for (const row of await storage.read(queries.feedSince(cursor, began.wall))) {
        const revocation = toRevocation(row);
        index.add(revocation);
        cursor = Math.max(cursor, revocation.position);
      }
      // Entries that had expired were passed over; the head that was read before is safe to continue from.
      cursor = Math.max(cursor, headPosition);
    }
    index.sweep(began.wall);
    readAt = began;
  }

  /** A read under way may have begun before the change that the caller means, so it waits for the one after. */
  function catchUp(): Promise<void> {
    if (!running) {
      running = read().finally(() => {
        running = undefined;
      });
      return running;
    }
    next ??= running
      .catch(() => {})
      .then(() => {
        next = undefined;
        return catchUp();
      });
    return next;
  }

  await catchUp();
  // A failed read leaves `readAt` as it was; the feed goes stale by itself and says so.
  const timer = setInterval(() => catchUp().catch(() => {}), pollInterval);
  timer.unref();

  return {
    catchUp,
    isFresh() {
      if (!readAt || index.size > MOST_ENTRIES) return false;
      const wall = system.now() - readAt.wall;
      return wall >= 0 && wall <= freshFor && system.monotonic() - readAt.monotonic <= freshFor * 1000;
    },
    find: (token) => index.find(token),
    stop: () => clearInterval(timer),
    get size() {
      return index.size;
    },
  };
}

function toRevocation(row: Row): Revocation {
  return {
    position: row.position as number,
    sessionId: (row.session_id as number | null) ?? undefined,
    userId: (row.user_id as number | null) ?? undefined,
    epoch: (row.epoch as number | null) ?? undefined,
    exceptSessionId: (row.except_session_id as number | null) ?? undefined,
    issuedBefore: (row.issued_before as number | null) ?? undefined,
    reason: row.reason === "inactive" ? "inactive" : "ended",
    expiresAt: row.expires_at as number,
  };
}
