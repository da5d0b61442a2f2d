/** What one run of the jwt part found: the shape of results/jwt.json, and how the rounds become rows. */
import type { Machine } from "../machine.ts";
import { ratioTo, type Series, type Spread, spreadOf } from "../measure.ts";
import type { Family } from "./algorithms.ts";
import { OURS, OURS_CACHED, RAW } from "./contender.ts";
import type { HostileForm, HostileResult } from "./hostile.ts";
import type { ImportCosts } from "./import-cost.ts";
import type { SpeedResult } from "./speed.ts";

export interface Row {
  readonly name: string;
  readonly micros: Spread;
  /** Median microseconds of CPU over all threads. */
  readonly cpuMicros: number;
  /** Times the raw signature. */
  readonly toRaw: Spread;
  /** Times ours: how much faster we are, round by round. */
  readonly toOurs: Spread;
  /** Times ours with a hit in its cache. */
  readonly toOursCached?: Spread | undefined;
}

export interface AlgorithmResults {
  readonly alg: string;
  readonly family: Family;
  readonly tokenLength: number;
  readonly payloadLength: number;
  readonly sign: readonly Row[];
  readonly verify: readonly Row[];
}

export interface HeapRow {
  readonly name: string;
  readonly bytes: number;
}

export interface HostileRow extends HostileForm {
  /** Times verifying a good token, by contender. */
  readonly toGood: Readonly<Record<string, Spread>>;
  /** Median microseconds, by contender. */
  readonly micros: Readonly<Record<string, number>>;
  /** Times one HMAC over a good token's input, for ours. */
  readonly toRaw: Spread;
}

export interface HostileResults {
  readonly rows: readonly HostileRow[];
  /** One HMAC over 8 KiB, times verifying a good token: what a forgery of that length costs at the very least. */
  readonly macAtLimit: Spread;
}

export interface JwtResults {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly form: string;
  readonly isQuick: boolean;
  readonly rounds: number;
  readonly batchMs: number;
  readonly algorithms: readonly AlgorithmResults[];
  readonly heap: readonly HeapRow[];
  readonly hostile: HostileResults | undefined;
  readonly imports: ImportCosts | undefined;
}

export function toAlgorithmResults(alg: string, family: Family, speed: SpeedResult): AlgorithmResults {
  const { tokenLength, payloadLength } = speed;
  return { alg, family, tokenLength, payloadLength, sign: toRows(speed.sign), verify: toRows(speed.verify) };
}

export function toHostileResults({ forms, contenders, raw, rawAtLimit }: HostileResult): HostileResults {
  const contenderNamed = (name: string): HostileResult["contenders"][number] =>
    contenders.find((one) => one.name === name)!;
  // A cache can't help against forgeries, so a hit in it is no yardstick for refusing them.
  const goodBy = (name: string): Series => contenderNamed(name === OURS_CACHED ? OURS : name).good;
  const rows = forms.map((form, index) => {
    const refusedBy = (name: string): Series => contenderNamed(name).refused[index]!;
    return {
      ...form,
      toGood: Object.fromEntries(contenders.map(({ name }) => [name, ratioTo(goodBy(name), refusedBy(name))])),
      micros: Object.fromEntries(contenders.map(({ name }) => [name, toMicros(refusedBy(name).wall).median])),
      toRaw: ratioTo(raw, refusedBy(OURS)),
    };
  });
  return { rows, macAtLimit: ratioTo(goodBy(OURS), rawAtLimit) };
}

/** @throws TypeError when nobody of that name was measured. */
export function rowNamed(rows: readonly Row[], name: string): Row {
  const found = rows.find((row) => row.name === name);
  if (!found) throw new TypeError(`no row is called ${name}`);
  return found;
}

function toRows(series: readonly Series[]): Row[] {
  const seriesNamed = (name: string): Series | undefined => series.find((one) => one.name === name);
  const raw = seriesNamed(RAW)!;
  const ours = seriesNamed(OURS)!;
  const oursCached = seriesNamed(OURS_CACHED);
  return series.map((one) => ({
    name: one.name,
    micros: toMicros(one.wall),
    cpuMicros: toMicros(one.cpu).median,
    toRaw: ratioTo(raw, one),
    toOurs: ratioTo(ours, one),
    toOursCached: oursCached && ratioTo(oursCached, one),
  }));
}

function toMicros(nanoseconds: readonly number[]): Spread {
  return spreadOf(nanoseconds.map((value) => value / 1000));
}
