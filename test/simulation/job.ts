/**
 * One share of a setting's histories, on a thread of its own with a store of its own: what `npm run simulate` starts for
 * each core.
 */
import { parentPort, workerData } from "node:worker_threads";
import { openPostgres } from "../../src/storage/postgres.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { describeHistory, describeRecord } from "./describe.ts";
import type { History } from "./history.ts";
import { createServer } from "./server.ts";
import { SETTINGS, type SettingName } from "./settings.ts";
import { type Counts, simulate } from "./simulate.ts";
import { prepareBackups } from "./stored-rows.ts";

export interface JobInput {
  readonly setting: SettingName;
  readonly histories: number;
  readonly seed: number;
  /** An empty PostgreSQL database; SQLite in memory without one. */
  readonly databaseUrl: string | undefined;
  readonly onlyCounts: boolean;
}

export type JobMessage =
  | { readonly is: "progress"; readonly done: number }
  | { readonly is: "result"; readonly counts: Counts; readonly counterexample: FoundCounterexample | undefined };

export interface FoundCounterexample {
  readonly history: History;
  /** The events, what came of them, and what is wrong. */
  readonly text: string;
  readonly seed: number;
  readonly histories: number;
  readonly shrinks: number;
}

const { setting, histories, seed, databaseUrl, onlyCounts } = workerData as JobInput;
const tell = (message: JobMessage) => parentPort?.postMessage(message);

const storage = databaseUrl === undefined ? openSqlite(":memory:") : openPostgres(databaseUrl);
await prepareBackups(storage);
const server = createServer({ storage });
const { counts, counterexample } = await simulate({
  setting: SETTINGS[setting],
  server,
  storage,
  histories,
  seed,
  onlyCounts,
  onProgress: (done) => tell({ is: "progress", done }),
});
await server.close();
tell({
  is: "result",
  counts,
  counterexample: counterexample && {
    history: counterexample.history,
    text: `${describeHistory(counterexample.history)}\n\n${describeRecord(counterexample.recording, counterexample.violations)}`,
    seed,
    histories,
    shrinks: counterexample.shrinks,
  },
});
