/**
 * Measuring things against each other on a machine that is never quiet.
 * A time says little: clocks boost, neighbours work, and the same code is 30 % slower a minute later. So the cases of
 * a group are measured in rounds, each round runs every case once in random order, and what counts is the ratio of two
 * cases inside one round, whose batches lie within a fraction of a second of each other. What is reported is the median
 * of these ratios, with the 10th and 90th percentile as spread.
 */
import { hrtime } from "node:process";

/** One thing to measure. */
export interface Case {
  readonly name: string;
  /** Makes the input of the next `count` operations, outside the clock. */
  prepare?(count: number): void;
  /** Does `count` operations. Whatever it costs is on the clock. */
  run(count: number): void | Promise<void>;
  /** Longer batches for an operation whose own cost varies from call to call. */
  readonly batchFactor?: number;
}

export interface MeasuringOptions {
  readonly rounds: number;
  /** How long one batch of one case should take, in milliseconds. */
  readonly batchMs: number;
  /** How long each case runs before anything counts, in milliseconds: the compiler needs some thousand calls. */
  readonly warmUpMs: number;
}

/** What one case cost, round by round. */
export interface Series {
  readonly name: string;
  readonly operationsPerRound: number;
  /** Wall-clock nanoseconds per operation, one entry a round. */
  readonly wall: readonly number[];
  /** Nanoseconds of CPU per operation over all threads of the process: a thread pool does not hide in it. */
  readonly cpu: readonly number[];
}

export interface Spread {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
}

/** Operations between two looks at the clock: what `prepare` makes has to stay in the processor's cache. */
const PASS_LENGTH = 512;

interface Batch {
  wall: number;
  cpu: number;
}

/** Measures the cases of one group against each other; the result has their order. */
export async function measureInterleaved(cases: readonly Case[], options: MeasuringOptions): Promise<Series[]> {
  const lengths = new Map<Case, number>();
  for (const one of cases) lengths.set(one, await warmUp(one, options));
  const batches = new Map<Case, Batch[]>(cases.map((one) => [one, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const one of shuffled(cases)) {
      await settle();
      batches.get(one)!.push(await runBatch(one, lengths.get(one)!));
    }
  }
  return cases.map((one) => {
    const length = lengths.get(one)!;
    const own = batches.get(one)!;
    return {
      name: one.name,
      operationsPerRound: length,
      wall: own.map((batch) => batch.wall / length),
      cpu: own.map((batch) => batch.cpu / length),
    };
  });
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), p10: quantile(sorted, 0.1), p90: quantile(sorted, 0.9) };
}

/** How many times the cost of `base` one operation of `series` is: the ratio of every round, then their spread. */
export function ratioTo(base: Series, series: Series): Spread {
  return spreadOf(series.wall.map((wall, round) => wall / base.wall[round]!));
}

/** The items in random order, each order equally likely. */
export function shuffled<Item>(items: readonly Item[]): Item[] {
  const result = [...items];
  for (let index = result.length - 1; index > 0; index--) {
    const other = Math.floor(Math.random() * (index + 1));
    [result[index], result[other]] = [result[other]!, result[index]!];
  }
  return result;
}

/** Runs a case until it is warm. @returns how many operations fill one batch. */
async function warmUp(one: Case, options: MeasuringOptions): Promise<number> {
  const wanted = options.batchMs * (one.batchFactor ?? 1) * 1e6;
  let spent = 0;
  let length = 1;
  let perOperation = Number.POSITIVE_INFINITY;
  while (spent < options.warmUpMs * 1e6) {
    const { wall } = await runBatch(one, length);
    spent += wall;
    // The quickest batch so far: the first ones hold compilation, and a pause of the machine must not shorten the batch.
    perOperation = Math.min(perOperation, wall / length);
    length = Math.min(length * 2, PASS_LENGTH);
    await settle();
  }
  return Math.max(1, Math.round(wanted / perOperation));
}

async function runBatch(one: Case, length: number): Promise<Batch> {
  const batch = { wall: 0, cpu: 0 };
  for (let done = 0; done < length; done += PASS_LENGTH) {
    const count = Math.min(PASS_LENGTH, length - done);
    one.prepare?.(count);
    const cpuBefore = process.cpuUsage();
    const before = hrtime.bigint();
    // No await for a synchronous case: a turn of the microtask queue is not part of its cost.
    const running = one.run(count);
    if (running !== undefined) await running;
    batch.wall += Number(hrtime.bigint() - before);
    const cpu = process.cpuUsage(cpuBefore);
    batch.cpu += (cpu.user + cpu.system) * 1000;
  }
  return batch;
}

/** Lets finalizers of native objects run and clears the nursery, so that nobody pays for the garbage of the case before. */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  if (globalThis.gc) await globalThis.gc({ type: "minor", execution: "async" });
}

/** Linear interpolation between the two nearest ranks. */
function quantile(sorted: readonly number[], share: number): number {
  const position = (sorted.length - 1) * share;
  const below = Math.floor(position);
  const low = sorted[below]!;
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return low + (high - low) * (position - below);
}
