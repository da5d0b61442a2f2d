/**
 * How a session stands, asked of the store: what a guard does when it wants to know "live", or when the feed is stale.
 * One question per session at a time, a bounded number of sessions, and a deadline: a guard answers 503 rather than wait or
 * wave through.
 */
import { AuthError } from "../errors.ts";
import type { Revocation, TokenSubject } from "../revocations/revocation-index.ts";
import { shareRuns } from "../revocations/shared-runs.ts";
import * as queries from "../storage/queries.ts";
import type { Row, Storage } from "../storage/storage.ts";

/** Why the token is taken back; `undefined` when it is good. Rejects with `store_unavailable`. */
export type AskStanding = (token: TokenSubject) => Promise<Revocation["reason"] | undefined>;

/** Milliseconds. */
const DEADLINE = 1000;
/** Sessions that are asked about at once. */
const MOST_SESSIONS = 1000;

export function createStandingCheck(storage: Storage, deadline: number = DEADLINE): AskStanding {
  const askers = new Map<number, { ask(): Promise<Row | undefined>; count: number }>();

  async function ask(sessionId: number): Promise<Row | undefined> {
    let asker = askers.get(sessionId);
    if (!asker) {
      if (askers.size >= MOST_SESSIONS) {
        throw new AuthError("store_unavailable", { reason: "too many questions to the store at once" });
      }
      const read = async () => (await withDeadline(storage.read(queries.sessionStanding(sessionId)), deadline))[0];
      asker = { ask: shareRuns(read), count: 0 };
      askers.set(sessionId, asker);
    }
    asker.count++;
    try {
      return await asker.ask();
    } finally {
      asker.count--;
      if (asker.count === 0) askers.delete(sessionId);
    }
  }

  return async ({ sessionId, userId, epoch }) => {
    const row = sessionId === undefined ? undefined : await ask(sessionId);
    if (!row || row.user_id !== userId) return "ended";
    if (row.current_epoch === null || row.deactivated_at !== null) return "inactive";
    // A session that was carried past a bump of the epoch keeps the access tokens it had.
    const isLive = row.ended_at === null && row.user_epoch === row.current_epoch && epoch <= (row.user_epoch as number);
    return isLive ? undefined : "ended";
  };
}

function withDeadline<T>(answer: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new AuthError("store_unavailable", { reason: `no answer within ${milliseconds} ms` })),
      milliseconds,
    );
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
