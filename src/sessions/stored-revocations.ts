/** The revocation feed as the store keeps it. */
import type { FeedPage, FeedSource } from "../revocations/revocation-feed.ts";
import type { Revocation } from "../revocations/revocation-index.ts";
import * as queries from "../storage/queries.ts";
import type { Row, Storage } from "../storage/storage.ts";

const PAGE_SIZE = 10_000;

export function createStoredRevocations(storage: Storage): FeedSource {
  return {
    async readAfter(_storeId, position): Promise<FeedPage> {
      // The head first: what commits after it is read the next time, and nothing up to it can be missing.
      const head = (await storage.read(queries.feedHead()))[0];
      const newest = head?.head as number;
      const storeId = head?.store_id as string;
      if (newest <= position) return { storeId, head: newest, position: newest, entries: [] };
      const rows = await storage.read(queries.feedSince(position));
      const entries = rows.map(toRevocation);
      const last = entries.at(-1)?.position ?? 0;
      // A page that is not full is the last one. Entries that nobody needs any more are gone from the store.
      const isLast = rows.length < PAGE_SIZE;
      return { storeId, head: Math.max(newest, last), position: isLast ? Math.max(newest, last) : last, entries };
    },
    ...(storage.watch && { watch: (onChange: () => void) => storage.watch?.(onChange) ?? (() => {}) }),
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
