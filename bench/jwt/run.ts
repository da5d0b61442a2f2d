/** The jwt part from start to end: what is measured, in which order, and what is written. */
import { mkdirSync, writeFileSync } from "node:fs";
import { toSvg } from "../chart.ts";
import { runInChild } from "../child.ts";
import { installedVersions, ownVersion, thisMachine } from "../machine.ts";
import type { MeasuringOptions } from "../measure.ts";
import { ALGORITHMS, type Algorithm, algorithmNamed } from "./algorithms.ts";
import { OURS, OURS_CACHED } from "./contender.ts";
import type { HeapInput } from "./heap.ts";
import type { HostileInput, HostileResult } from "./hostile.ts";
import { measureImports } from "./import-cost.ts";
import { packedSubject, type Subject, sourceSubject } from "./packed.ts";
import { toPage, verdictTable } from "./page.ts";
import { toChart } from "./picture.ts";
import {
  type AlgorithmResults,
  type HeapRow,
  type JwtResults,
  toAlgorithmResults,
  toHostileResults,
} from "./results.ts";
import type { SpeedInput, SpeedResult } from "./speed.ts";
import { judge, type Verdict } from "./verdict.ts";

export type Section = "speed" | "heap" | "hostile" | "imports";
export const SECTIONS: readonly Section[] = ["speed", "heap", "hostile", "imports"];

export interface JwtOptions {
  readonly isQuick: boolean;
  /** Measures src/jwt without building; the imports are then left out. */
  readonly isSource: boolean;
  /** A package that npm packed earlier. */
  readonly tarball: string | undefined;
  readonly algs: readonly string[];
  readonly sections: readonly Section[];
  /** Where the results go; undefined: nowhere. */
  readonly resultsFolder: URL | undefined;
  progress(text: string): void;
}

interface Effort {
  readonly measuring: MeasuringOptions;
  readonly importRounds: number;
}

const FULL: Effort = { measuring: { rounds: 25, batchMs: 25, warmUpMs: 400 }, importRounds: 40 };
const QUICK: Effort = { measuring: { rounds: 5, batchMs: 3, warmUpMs: 20 }, importRounds: 5 };

const PEERS = ["fast-jwt", "jsonwebtoken", "jose", "hono"];
const HEAP_CONTENDERS = [
  OURS,
  OURS_CACHED,
  "fast-jwt",
  "fast-jwt, its cache",
  "fast-jwt, its cache keyed by the whole token",
  "jsonwebtoken, KeyObject",
  "jose",
  "hono/jwt, CryptoKey",
];

export interface JwtRun {
  readonly results: JwtResults;
  readonly verdicts: readonly Verdict[];
}

export async function runJwt(options: JwtOptions): Promise<JwtRun> {
  const { isQuick, isSource, tarball, resultsFolder, progress } = options;
  const algorithms = options.algs.length > 0 ? options.algs.map(algorithmNamed) : ALGORITHMS;
  progress(isSource || tarball ? "starting" : "building and packing latchkey");
  const subject = isSource ? sourceSubject() : packedSubject(tarball);
  try {
    const results = await measure(subject, algorithms, isQuick ? QUICK : FULL, options);
    const verdicts = judge(results);
    if (resultsFolder) write(resultsFolder, results, verdicts);
    return { results, verdicts };
  } finally {
    subject.dispose();
  }
}

/** Every table, unless they were written to a file, and at the end, where a terminal shows it, the verdict. */
export function toTerminal({ results, verdicts }: JwtRun, isWritten: boolean): string {
  const page = isWritten ? "All tables are in bench/results/jwt.md." : toPage(results, verdicts);
  return `${page}\n\n${verdictTable(verdicts)}\n`;
}

async function measure(
  subject: Subject,
  algorithms: readonly Algorithm[],
  { measuring, importRounds }: Effort,
  { isQuick, sections, progress }: JwtOptions,
): Promise<JwtResults> {
  const { entry, form, folder } = subject;
  return {
    machine: thisMachine(),
    versions: { latchkey: ownVersion(), ...installedVersions(PEERS) },
    form,
    isQuick,
    rounds: measuring.rounds,
    batchMs: measuring.batchMs,
    algorithms: sections.includes("speed") ? await measureSpeed(entry, algorithms, measuring, progress) : [],
    heap: sections.includes("heap") ? await measureHeap(entry, isQuick, progress) : [],
    hostile: sections.includes("hostile") ? await measureHostile(entry, measuring, progress) : undefined,
    imports: sections.includes("imports") && folder ? measureImports(folder, importRounds, progress) : undefined,
  };
}

async function measureSpeed(
  entry: string,
  algorithms: readonly Algorithm[],
  measuring: MeasuringOptions,
  progress: (text: string) => void,
): Promise<AlgorithmResults[]> {
  const results: AlgorithmResults[] = [];
  for (const [index, { alg, family }] of algorithms.entries()) {
    const input: SpeedInput = { alg, entry, measuring };
    const onProgress = (text: string): void => progress(`algorithm ${index + 1} of ${algorithms.length}: ${text}`);
    const speed = await runInChild<SpeedResult>(new URL("speed.ts", import.meta.url), { input, onProgress });
    results.push(toAlgorithmResults(alg, family, speed));
  }
  return results;
}

async function measureHeap(entry: string, isQuick: boolean, progress: (text: string) => void): Promise<HeapRow[]> {
  const rows: HeapRow[] = [];
  for (const name of HEAP_CONTENDERS) {
    progress(`heap: ${name}`);
    const input: HeapInput = { name, entry, isQuick };
    rows.push({ name, bytes: await runInChild<number>(new URL("heap.ts", import.meta.url), { input }) });
  }
  return rows;
}

async function measureHostile(entry: string, measuring: MeasuringOptions, onProgress: (text: string) => void) {
  const input: HostileInput = { entry, measuring };
  return toHostileResults(
    await runInChild<HostileResult>(new URL("hostile.ts", import.meta.url), { input, onProgress }),
  );
}

function write(folder: URL, results: JwtResults, verdicts: readonly Verdict[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL("jwt.json", folder), `${JSON.stringify({ ...results, verdicts }, rounded, 1)}\n`);
  writeFileSync(new URL("jwt.md", folder), toPage(results, verdicts));
  writeFileSync(new URL("jwt.svg", folder), toSvg(toChart(results)));
}

/** Five significant digits are more than any of it is worth. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
