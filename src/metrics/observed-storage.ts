/** A store that is watched: what it is asked, how long it takes, how often it does not answer. */
import type { Storage } from "../storage/storage.ts";
import { createHistogram } from "./histogram.ts";
import { gauge, type MetricSource } from "./metric.ts";
import { createTally } from "./tally.ts";
import type { Trace } from "./tracing.ts";

export interface ObservedStorage {
  readonly storage: Storage;
  readonly sources: readonly MetricSource[];
}

export function observeStorage(inner: Storage, trace: Trace): ObservedStorage {
  const failures = createTally(
    "latchkey_store_failures_total",
    "Reads and writes that the store did not answer, by operation.",
    ["operation"],
  );
  const durations = createHistogram(
    "latchkey_store_seconds",
    "Time that the store takes for a read or a write, waiting included.",
    "operation",
  );

  /** Looks on, and changes nothing of the answer. */
  function observe<T>(operation: "read" | "write", run: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const answer = trace(`latchkey.store.${operation}`, { "db.system.name": inner.kind }, run);
    answer.then(
      () => durations.observe(operation, (performance.now() - started) / 1000),
      () => failures.add(operation),
    );
    return answer;
  }

  const storage: Storage = {
    kind: inner.kind,
    get clockOffset() {
      return inner.clockOffset;
    },
    migrate: () => inner.migrate(),
    read: (statement) => observe("read", () => inner.read(statement)),
    write: (statements) => observe("write", () => inner.write(statements)),
    ...(inner.watch && { watch: (onChange) => (inner.watch as NonNullable<Storage["watch"]>)(onChange) }),
    close: () => inner.close(),
  };

  return {
    storage,
    sources: [
      failures,
      durations,
      gauge("latchkey_store_running", "Reads and writes that the store is at work on.", () => inner.load?.().running),
      gauge("latchkey_store_waiting", "Those that wait for a connection or the writer.", () => inner.load?.().waiting),
      gauge("latchkey_store_connections", "Connections that may be open at once.", () => inner.load?.().connections),
    ],
  };
}
