/**
 * The process that counts the heap bytes of one verification (HS256) for one contender.
 * V8 counts every byte it ever handed out (`total_allocated_bytes`), so collections in between change nothing: warm up
 * until the optimizing compiler has settled, then take the counter before and after many verifications. The same
 * count over an empty loop is the counter's own grain and is subtracted. Bytes outside the heap (native objects,
 * buffers' memory) are not in it.
 */
import { getHeapStatistics } from "node:v8";
import { answerParent } from "../child.ts";
import { spreadOf } from "../measure.ts";
import { algorithmNamed } from "./algorithms.ts";
import type { Operation } from "./contender.ts";
import { fieldFor } from "./contenders.ts";

export interface HeapInput {
  readonly name: string;
  readonly entry: string;
  readonly isQuick: boolean;
}

const SAMPLES = 7;

await answerParent(async ({ name, entry, isQuick }: HeapInput): Promise<number> => {
  const { contenders, tokens } = await fieldFor(algorithmNamed("HS256"), entry);
  const operation = contenders.find((contender) => contender.name === name)?.verify;
  if (!operation) throw new TypeError(`nobody is called ${name}`);
  const texts = operation.texts ?? tokens;
  const length = (operation.inFlight ? 4_000 : 40_000) * (isQuick ? 0.25 : 1);
  await repeat(operation, texts, length);
  await repeat(operation, texts, length);
  const samples: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample++) {
    const grain = await allocatedBy(operation, texts, 0);
    samples.push(((await allocatedBy(operation, texts, length)) - grain) / length);
  }
  return Math.round(spreadOf(samples).median);
});

async function allocatedBy(operation: Operation, texts: readonly string[], length: number): Promise<number> {
  globalThis.gc?.();
  const before = totalAllocated();
  await repeat(operation, texts, length);
  return totalAllocated() - before;
}

function totalAllocated(): number {
  // Node 26 has it; the types do not know it yet.
  const { total_allocated_bytes: total } = getHeapStatistics() as { total_allocated_bytes?: number };
  if (total === undefined) throw new Error("this Node does not count allocated bytes: Node 26 does");
  return total;
}

async function repeat(operation: Operation, texts: readonly string[], length: number): Promise<void> {
  if (operation.inFlight) {
    for (let turn = 0; turn < length; turn++) await operation.call(texts[turn % texts.length]!, turn % texts.length);
    return;
  }
  for (let turn = 0; turn < length; turn++) operation.call(texts[turn % texts.length]!, turn % texts.length);
}
