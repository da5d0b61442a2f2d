/**
 * Sends requests with credentials that are good: refreshed ahead of expiry, and once when they are refused all the same.
 * A 401 means that nothing was done, so the request may be sent again; anything else is the caller's.
 */
import type { Held, Session } from "./session.ts";

/** Milliseconds before expiry at which new tokens are fetched on the side; less where tokens live shortly. */
const AHEAD = 30_000;
const AHEAD_SHARE = 0.1;

export interface Sending<T> {
  readonly send: (held: Held | undefined) => Promise<T>;
  readonly isRefused: (answer: T) => boolean;
  readonly signal?: AbortSignal | null | undefined;
}

export type Authorized = <T>(sending: Sending<T>) => Promise<T>;

export function createAuthorized(session: Session): Authorized {
  /** Refused although it was new when it was sent: who refuses that refuses all, and new ones are no help. */
  let hopeless: Held | undefined;

  return async ({ send, isRefused, signal }) => {
    const { held } = session;
    if (held) {
      const left = held.expiresAt - performance.now();
      if (left <= 0) await unlessAborted(session.refresh(), signal);
      else if (left < Math.min(AHEAD, held.expiresIn * 1000 * AHEAD_SHARE)) session.refresh().catch(() => {});
    }
    let isNew = false;
    for (let tries = 0; ; tries++) {
      const used = session.held;
      const answer = await send(used);
      if (!used || used === hopeless || tries > 2 || !isRefused(answer)) return answer;
      if (isNew) {
        hopeless = used;
        return answer;
      }
      if (session.held === used) isNew = await unlessAborted(session.refresh(), signal);
      // Never sent again in another user's name.
      if (session.held?.sessionId !== used.sessionId) return answer;
    }
  };
}

/** Stops waiting, not what is waited for: others may wait for it too. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
