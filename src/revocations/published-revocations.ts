/**
 * The feed as it is served to services that hold no database: pages after a cursor, and waiting for the next entry.
 * A cursor names the store and a position in it, and is opaque to its holder.
 */
import type { FeedSource, RevocationFeed } from "./revocation-feed.ts";
import type { Revocation } from "./revocation-index.ts";

export interface RevocationPage {
  readonly entries: readonly Revocation[];
  /** What to ask with next. */
  readonly cursor: string;
  /** True when the cursor was of another store: forget what is known, these entries begin anew. */
  readonly isReset: boolean;
  /** True when there is more already. */
  readonly hasMore: boolean;
}

export interface SinceOptions {
  /** Seconds to wait for an entry when there is none; default 0. */
  readonly wait?: number;
  /** Aborted when the asker has gone. */
  readonly signal?: AbortSignal;
}

export interface PublishedRevocations {
  /** @param cursor from the last page; `undefined` for everything. A cursor that is not ours counts as none. */
  since(cursor: string | undefined, options?: SinceOptions): Promise<RevocationPage>;
  /** Answers everybody who waits, with what there is. */
  answerWaiting(): void;
}

export function createPublishedRevocations(source: FeedSource, feed: RevocationFeed): PublishedRevocations {
  const waiting = new Set<() => void>();

  async function read(cursor: string | undefined): Promise<RevocationPage> {
    const [storeId, position] = parseCursor(cursor);
    const page = await source.readAfter(storeId, position);
    const isReset = cursor !== undefined && (page.storeId !== storeId || page.head < position);
    const {
      entries,
      head,
      position: reached,
    } = isReset && position > 0 ? await source.readAfter(page.storeId, 0) : page;
    return { entries, cursor: `${page.storeId}.${reached}`, isReset, hasMore: reached < head };
  }

  function entryOrTime(seconds: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const finish = () => {
        clearTimeout(timer);
        stopListening();
        waiting.delete(finish);
        signal?.removeEventListener("abort", finish);
        resolve();
      };
      const timer = setTimeout(finish, seconds * 1000);
      const stopListening = feed.onEntries(finish);
      waiting.add(finish);
      signal?.addEventListener("abort", finish);
      if (signal?.aborted) finish();
    });
  }

  return {
    async since(cursor, { wait = 0, signal } = {}) {
      // Listening begins before the read, so that what comes between the two is not slept through.
      const patience = new AbortController();
      const entry =
        wait > 0 ? entryOrTime(wait, AbortSignal.any([patience.signal, ...(signal ? [signal] : [])])) : undefined;
      try {
        const page = await read(cursor);
        if (!entry || page.entries.length > 0 || page.isReset) return page;
        await entry;
        return await read(page.cursor);
      } finally {
        patience.abort();
      }
    },
    answerWaiting() {
      for (const finish of [...waiting]) finish();
    },
  };
}

function parseCursor(cursor: string | undefined): [storeId: string | undefined, position: number] {
  const match = /^([\w-]{1,64})\.(\d{1,15})$/.exec(cursor ?? "");
  return match ? [match[1], Number(match[2])] : [undefined, 0];
}
