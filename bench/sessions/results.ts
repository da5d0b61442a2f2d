/** What the sessions part measures, as it is kept in results/sessions.json. */
import type { Machine } from "../machine.ts";
import { type Series, type Spread, spreadOf } from "../measure.ts";
import type { EntryKind } from "./index-memory.ts";
import type { GuardCounts } from "./latchkey-server.ts";
import type { RequestsResult } from "./requests.ts";
import type { RotationsResult } from "./rotations.ts";

export interface SessionsResults {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly isQuick: boolean;
  readonly rotations: readonly StoreRotations[];
  readonly requests: RequestsResult | undefined;
  readonly revocation: readonly RevocationRow[];
  readonly indexMemory: { readonly entryCount: number; readonly rows: readonly IndexMemoryRow[] } | undefined;
}

export type StoreName = "SQLite" | "PostgreSQL";

export interface StoreRotations {
  readonly store: StoreName;
  readonly rounds: number;
  readonly tables: readonly TableRotations[];
  /** Cost of one rotation in the large table over that in the small one: ours, the bare statement's, and theirs over each other. */
  readonly growth: { readonly ours: Spread; readonly bare: Spread; readonly oursOverBare: Spread };
  /** Milliseconds, p99 of each batch of ours. */
  readonly loopDelay: Spread;
}

export interface TableRotations {
  readonly sessionCount: number;
  readonly oursPerSecond: Spread;
  readonly barePerSecond: Spread;
  /** Our rate over the bare statement's, round by round. */
  readonly oursToBare: Spread;
  /** Microseconds of CPU of a rotation, all threads of the process; the database server's are not in it. */
  readonly oursCpuMicros: number;
  readonly bareCpuMicros: number;
}

export interface RevocationRow {
  readonly store: StoreName;
  readonly samples: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly guard: GuardCounts;
}

export interface IndexMemoryRow {
  readonly kind: EntryKind;
  readonly bytes: number;
}

/** @param group rotations in one operation. */
export function toStoreRotations(
  store: StoreName,
  { series, loopDelay }: RotationsResult,
  { sizes, rounds, group }: { sizes: readonly [number, number]; rounds: number; group: number },
): StoreRotations {
  const [smallOurs, smallBare, largeOurs, largeBare] = series as [Series, Series, Series, Series];
  const growth = (of: (round: number) => number): Spread => spreadOf(smallOurs.wall.map((_, round) => of(round)));
  const ours = (round: number): number => largeOurs.wall[round]! / smallOurs.wall[round]!;
  const bare = (round: number): number => largeBare.wall[round]! / smallBare.wall[round]!;
  return {
    store,
    rounds,
    tables: [toTable(sizes[0], smallOurs, smallBare, group), toTable(sizes[1], largeOurs, largeBare, group)],
    growth: { ours: growth(ours), bare: growth(bare), oursOverBare: growth((round) => ours(round) / bare(round)) },
    loopDelay,
  };
}

function toTable(sessionCount: number, ours: Series, bare: Series, group: number): TableRotations {
  const rate = ({ wall }: Series): Spread => spreadOf(wall.map((nanos) => (group * 1e9) / nanos));
  const cpu = (series: Series): number => spreadOf(series.cpu).median / group / 1000;
  return {
    sessionCount,
    oursPerSecond: rate(ours),
    barePerSecond: rate(bare),
    oursToBare: spreadOf(ours.wall.map((nanos, round) => bare.wall[round]! / nanos)),
    oursCpuMicros: cpu(ours),
    bareCpuMicros: cpu(bare),
  };
}

export function toRevocationRow(store: StoreName, delays: readonly number[], guard: GuardCounts): RevocationRow {
  const at = (share: number): number => delays[Math.min(delays.length - 1, Math.ceil(delays.length * share) - 1)]!;
  return { store, samples: delays.length, p50: at(0.5), p99: at(0.99), max: delays.at(-1)!, guard };
}
