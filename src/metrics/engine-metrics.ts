/** What is read of the engine's parts: the queue of password hashes, the feed. */
import type { FeedState } from "../revocations/revocation-feed.ts";
import type { PasswordHasher } from "../users/password-hash.ts";
import { createHistogram } from "./histogram.ts";
import { gauge, type MetricSource } from "./metric.ts";
import type { Trace } from "./tracing.ts";

export function observeHashes(
  hasher: PasswordHasher,
  trace: Trace,
): { readonly hasher: PasswordHasher; readonly sources: readonly MetricSource[] } {
  const durations = createHistogram(
    "latchkey_hash_seconds",
    "Time for a password hash to be made or checked, waiting included.",
    "operation",
  );

  async function observe<T>(operation: "make" | "check", work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await trace(`latchkey.password.${operation}`, {}, work);
    durations.observe(operation, (performance.now() - started) / 1000);
    return result;
  }

  return {
    hasher: {
      ...hasher,
      hash: (password) => observe("make", () => hasher.hash(password)),
      verify: (password, stored, pass) => observe("check", () => hasher.verify(password, stored, pass)),
      verifyNobody: (password, pass) => observe("check", () => hasher.verifyNobody(password, pass)),
    },
    sources: [
      gauge("latchkey_hash_running", "Password hashes under way.", () => hasher.gate.running),
      gauge("latchkey_hash_waiting", "Password hashes that wait for a core.", () => hasher.gate.waiting),
      durations,
    ],
  };
}

export const feedMetrics = (state: () => FeedState): readonly MetricSource[] => [
  gauge(
    "latchkey_feed_fresh",
    "1 while guards may believe the index of what was taken back; 0: they ask the store each time.",
    () => Number(state().isFresh),
  ),
  gauge("latchkey_feed_age_seconds", "Time since the last successful read of the feed began.", () => state().age),
  gauge("latchkey_feed_position", "The position of the last entry that was read.", () => state().position),
  gauge("latchkey_feed_entries", "Entries in the index.", () => state().entryCount),
  gauge("latchkey_feed_failures", "Reads of the feed that failed in a row.", () => state().failureCount),
];
