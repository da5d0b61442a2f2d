/**
 * What is common to everything that is measured: a contender signs and verifies with one algorithm, and a case of the
 * measuring engine is made of one of its operations and the texts that the operation meets in turn.
 */
import type { Case } from "../measure.ts";

/**
 * One operation on the text at `index` of the pool.
 * @returns a promise where `inFlight` is set, anything else where it is not.
 */
export interface Operation {
  call(text: string, index: number): unknown;
  /** Absent: synchronous. Otherwise how many promises are open at any moment. */
  readonly inFlight?: number;
  /** What the operation meets in turn, where it is not the tokens. */
  readonly texts?: readonly string[];
  readonly batchFactor?: number;
  /** It remembers what it verified: every token is shown to it once before anything is measured, so that all are hits. */
  readonly isCached?: boolean;
}

export interface Contender {
  readonly name: string;
  readonly sign?: Operation | undefined;
  readonly verify?: Operation | undefined;
}

export const RAW = "raw node:crypto";
export const OURS = "latchkey";
export const OURS_CACHED = "latchkey, its cache";

/** Distinct tokens in turn; few enough that every cache that is measured holds them all. */
export const POOL_SIZE = 512;

/** Results go here, so that nothing is optimized away for want of a reader. */
export let lastResult: unknown;

export function toCase(name: string, operation: Operation, tokens: readonly string[]): Case {
  const feed = createFeed(operation.texts ?? tokens);
  const common = {
    name,
    prepare: feed.prepare,
    ...(operation.batchFactor === undefined ? {} : { batchFactor: operation.batchFactor }),
  };
  const { inFlight } = operation;
  if (inFlight === undefined) return { ...common, run: (count) => runSync(operation, feed, count) };
  if (inFlight === 1) return { ...common, run: (count) => runInTurn(operation, feed, count) };
  return { ...common, run: (count) => runInFlight(operation, feed, count, inFlight) };
}

interface Feed {
  readonly texts: string[];
  readonly indices: number[];
  prepare(count: number): void;
}

/**
 * Hands out texts as a server meets them: every one a new string cut from an Authorization header that just arrived.
 * The same string object over and over would carry its hash with it and compare by its address, which flatters every
 * cache; no server gets that. Only texts of 64 KiB and more, which no server gets at all, are made once: hundreds of them
 * anew for every batch would measure the memory.
 */
function createFeed(pool: readonly string[]): Feed {
  const headers = pool.map((text) => Buffer.from(`Bearer ${text}`, "latin1"));
  const cut = (header: Buffer): string => header.toString("latin1").slice("Bearer ".length);
  const isLong = headers[0]!.length >= 64 * 1024;
  const made = isLong ? headers.map(cut) : [];
  const texts: string[] = [];
  const indices: number[] = [];
  let position = 0;
  return {
    texts,
    indices,
    prepare(count) {
      for (let slot = 0; slot < count; slot++) {
        indices[slot] = position;
        texts[slot] = made[position] ?? cut(headers[position]!);
        position = (position + 1) % headers.length;
      }
    },
  };
}

function runSync(operation: Operation, feed: Feed, count: number): void {
  for (let slot = 0; slot < count; slot++) lastResult = operation.call(feed.texts[slot]!, feed.indices[slot]!);
}

async function runInTurn(operation: Operation, feed: Feed, count: number): Promise<void> {
  for (let slot = 0; slot < count; slot++) lastResult = await operation.call(feed.texts[slot]!, feed.indices[slot]!);
}

/** A steady number in flight: each lane starts its next operation as soon as its last one is done. */
async function runInFlight(operation: Operation, feed: Feed, count: number, inFlight: number): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const slot = next++;
      lastResult = await operation.call(feed.texts[slot]!, feed.indices[slot]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, lane));
}
