/** What the HTTP part measures, as it is kept in results/http.json. */
import type { Machine } from "../machine.ts";
import { type Spread, spreadOf } from "../measure.ts";
import { ALL_OURS, ANONYMOUS, type Framework, NO_AUTH, NO_OP, OURS_CACHED } from "./application.ts";
import type { Cores } from "./cores.ts";
import type { Batch, Batches, Effort } from "./rounds.ts";

export interface HttpResults {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly isQuick: boolean;
  readonly cores: Cores | undefined;
  readonly effort: Effort;
  readonly frameworks: readonly FrameworkResults[];
}

export interface FrameworkResults {
  readonly framework: Framework;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly guard: string;
  readonly requestsPerSecond: Spread;
  readonly cpuMicros: Spread;
  /** Milliseconds. */
  readonly p99: Spread;
  readonly utilization: Spread;
  readonly loadCpuMicros: Spread;
  /** Requests for a second of CPU, over those of the same framework without a guard. */
  readonly toNoAuth: Spread;
  /** Requests in a second of the clock, the same way. */
  readonly rateToNoAuth: Spread;
  /** Bytes beyond what the framework itself allocates for a guarded request: one behind a guard that does nothing, where that is measured. */
  readonly allocatedBeyond: Spread;
  /** Requests for a second of CPU: latchkey's, with its cache, over those of this row; absent before there is one. */
  readonly oursOver?: Spread | undefined;
}

export function toResults(framework: Framework, batches: Batches): FrameworkResults {
  const bare = batches.get(NO_AUTH)!;
  const leastGuarded = batches.get(NO_OP) ?? bare;
  const ours = batches.get(OURS_CACHED);
  const rows = [...batches].map(([guard, own]): Row => {
    const over = (value: (one: Batch, other: Batch) => number, others: readonly Batch[]): Spread =>
      spreadOf(own.map((batch, round) => value(batch, others[round]!)));
    const spread = (value: (batch: Batch) => number): Spread => spreadOf(own.map(value));
    return {
      guard,
      requestsPerSecond: spread((batch) => batch.requestsPerSecond),
      cpuMicros: spread((batch) => batch.cpuMicros),
      p99: spread((batch) => batch.p99),
      utilization: spread((batch) => batch.utilization),
      loadCpuMicros: spread((batch) => batch.loadCpuMicros),
      toNoAuth: over((batch, other) => other.cpuMicros / batch.cpuMicros, bare),
      rateToNoAuth: over((batch, other) => batch.requestsPerSecond / other.requestsPerSecond, bare),
      allocatedBeyond: over((batch, other) => batch.allocatedBytes - other.allocatedBytes, leastGuarded),
      ...(ours && { oursOver: over((batch, other) => batch.cpuMicros / other.cpuMicros, ours) }),
    };
  });
  return { framework, rows };
}

export const isPlugin = ({ guard }: Row): boolean => ![...ANONYMOUS, ...ALL_OURS].includes(guard);

/** The plugin that costs least, of a framework that has several or one that can be set up in several ways. */
export function bestPlugin({ rows }: FrameworkResults): Row | undefined {
  return rows.filter(isPlugin).sort((a, b) => a.cpuMicros.median - b.cpuMicros.median)[0];
}
