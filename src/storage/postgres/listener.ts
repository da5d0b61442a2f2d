/**
 * Hearing of ends from other instances at once. A notification only wakes: what happened is read from the feed, and the
 * feed is polled as well, so a lost notification, or a server without LISTEN, costs a second and nothing else.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Statement } from "../storage.ts";
import { connect, type PoolOptions } from "./pool.ts";

const CHANNEL = "latchkey_feed";
/** Milliseconds before listening again on a connection that was lost. */
const RETRY_DELAY = 1_000;

/** Sent within a change that advances the feed; delivered when it commits. */
export const NOTIFY: Statement = { strings: [`select pg_notify('${CHANNEL}', '')`], values: [] };

/** @returns how to stop. */
export function watchFeed(options: PoolOptions, onChange: () => void): () => void {
  const stopped = new AbortController();

  async function listen(): Promise<void> {
    let whenLost = () => {};
    const lost = new Promise<void>((resolve) => {
      whenLost = resolve;
    });
    const client = connect(
      { ...options, statementTimeout: 0 },
      { onnotify: onChange, onclose: whenLost, max_lifetime: null },
    );
    stopped.signal.addEventListener("abort", whenLost, { once: true });
    try {
      await client.unsafe(`listen ${CHANNEL}`);
      // What was sent while nobody listened.
      onChange();
      await lost;
    } finally {
      stopped.signal.removeEventListener("abort", whenLost);
      await client.end({ timeout: 0 });
    }
  }

  async function keepListening(): Promise<void> {
    while (!stopped.signal.aborted) {
      await listen().catch(() => {});
      await sleep(RETRY_DELAY, undefined, { signal: stopped.signal, ref: false }).catch(() => {});
    }
  }

  keepListening();
  return () => stopped.abort();
}
