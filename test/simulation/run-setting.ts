/** Runs one setting on several threads and adds up what they found. */
import { Worker } from "node:worker_threads";
import type { FoundCounterexample, JobInput, JobMessage } from "./job.ts";
import type { SettingName } from "./settings.ts";
import { addCounts, type Counts, noCounts } from "./simulate.ts";

export interface SettingOptions {
  readonly setting: SettingName;
  readonly histories: number;
  readonly seed: number;
  /** One for each thread; `undefined` stands for SQLite in memory. */
  readonly databaseUrls: readonly (string | undefined)[];
  readonly onlyCounts: boolean;
  readonly onProgress: (done: number) => void;
}

export interface SettingResult {
  readonly setting: SettingName;
  readonly counts: Counts;
  readonly seconds: number;
  readonly counterexample: FoundCounterexample | undefined;
}

/** The first broken promise that any thread finds ends it. */
export async function runSetting(options: SettingOptions): Promise<SettingResult> {
  const { setting, histories, seed, databaseUrls, onlyCounts, onProgress } = options;
  const start = performance.now();
  const done = databaseUrls.map(() => 0);
  const counts = noCounts();
  let counterexample: FoundCounterexample | undefined;
  const workers: Worker[] = [];

  function startJob(index: number): Promise<void> {
    const databaseUrl = databaseUrls[index];
    const share = Math.floor((histories + index) / databaseUrls.length);
    const workerData: JobInput = { setting, histories: share, seed: seed + index, databaseUrl, onlyCounts };
    const worker = new Worker(new URL("./job.ts", import.meta.url), { workerData });
    workers.push(worker);
    return new Promise((resolve, reject) => {
      worker.once("error", reject);
      worker.once("exit", () => resolve());
      worker.on("message", (message: JobMessage) => {
        if (message.is === "progress") {
          done[index] = message.done;
          onProgress(done.reduce((sum, one) => sum + one, 0));
          return;
        }
        addCounts(counts, message.counts);
        counterexample ??= message.counterexample;
        if (message.counterexample) for (const one of workers) void one.terminate();
      });
    });
  }

  await Promise.all(databaseUrls.map((_, index) => startJob(index)));
  return { setting, counts, seconds: (performance.now() - start) / 1000, counterexample };
}
