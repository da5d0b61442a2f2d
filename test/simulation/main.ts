/**
 * `npm run simulate`: thousands of generated histories against the real engine, or the table of scenarios.
 * Exit code 1 when a promise was broken; what led to it is shown, shrunk to as few events as it takes.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startPostgres } from "../support/postgres.ts";
import { runSetting, type SettingResult } from "./run-setting.ts";
import { createScenarioTable, putIntoPage } from "./scenarios/table.ts";
import { SETTINGS, type SettingName } from "./settings.ts";

const HELP = `Usage: npm run simulate -- [options]

Runs generated histories of honest clients, bad networks, crashes, clocks that are
set and thieves against the real engine, and checks the promises of docs/sessions.md.

  --histories N     histories for each setting (default 5000)
  --seed S          a whole number; the same seed makes the same histories (default: the time)
  --setting NAME    only this one: ${Object.keys(SETTINGS).join(", ")}
  --database KIND   sqlite (in memory, default) or postgres (the server of DATABASE_URL, or one of its own)
  --jobs N          threads (default: one for each core)
  --json            the result as JSON
  --table           only the table of scenarios under six refresh rules, as markdown
  --write           with --table: into docs/sessions.md
  --help            this

Exit code 0: every promise was kept. 1: one was broken, and is shown. 2: wrong usage.`;

const PAGE = join(import.meta.dirname, "../../docs/sessions.md");

interface Options {
  readonly histories: number;
  readonly seed: number;
  readonly settings: readonly SettingName[];
  /** The setting was asked for by name, be it sound or not. */
  readonly isChosen: boolean;
  readonly database: "sqlite" | "postgres";
  readonly jobs: number;
  readonly asJson: boolean;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      histories: { type: "string", default: "5000" },
      seed: { type: "string", default: String(Math.floor(Date.now() / 1000)) },
      setting: { type: "string" },
      database: { type: "string", default: "sqlite" },
      jobs: { type: "string", default: String(availableParallelism()) },
      json: { type: "boolean", default: false },
      table: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  if (values.table) return showTable(values.write);
  const { setting, database } = values;
  if (setting !== undefined && !isSettingName(setting)) throw new TypeError(`there is no setting ${setting}`);
  if (database !== "sqlite" && database !== "postgres") throw new TypeError("--database is sqlite or postgres");
  return run({
    histories: readCount(values.histories, "--histories"),
    seed: readCount(values.seed, "--seed"),
    settings: setting ? [setting] : (Object.keys(SETTINGS) as SettingName[]),
    isChosen: setting !== undefined,
    database,
    jobs: readCount(values.jobs, "--jobs"),
    asJson: values.json,
  });
}

async function showTable(writes: boolean): Promise<number> {
  const table = await createScenarioTable();
  if (writes) writeFileSync(PAGE, putIntoPage(readFileSync(PAGE, "utf8"), table));
  console.log(table);
  return 0;
}

async function run({ histories, seed, settings, isChosen, database, jobs, asJson }: Options): Promise<number> {
  const postgres = database === "postgres" ? await startPostgres() : undefined;
  const results: SettingResult[] = [];
  try {
    console.error(`seed ${seed}, ${histories} histories a setting, on ${database}`);
    for (const setting of settings) {
      const databaseUrls: (string | undefined)[] = [];
      for (let i = 0; i < jobs; i++) databaseUrls.push(await postgres?.createDatabase());
      const onProgress = createProgress(setting, histories);
      const onlyCounts = !SETTINGS[setting].isSound && !isChosen;
      const result = await runSetting({ setting, histories, seed, databaseUrls, onlyCounts, onProgress });
      onProgress(histories, "is over");
      results.push(result);
      if (result.counterexample) break;
    }
  } finally {
    await postgres?.stop();
  }
  console.log(asJson ? JSON.stringify({ seed, database, results }, undefined, 2) : describeResults(results));
  return results.some(({ counterexample }) => counterexample) ? 1 : 0;
}

/** Says on stderr how far it is: on a terminal all the time, elsewhere every ten seconds. */
function createProgress(setting: SettingName, histories: number) {
  const { isTTY } = process.stderr;
  const start = performance.now();
  let saidAt = 0;
  return (done: number, state?: "is over"): void => {
    const now = performance.now();
    const isDue = now - saidAt > (isTTY ? 100 : 10_000);
    if (state && isTTY) process.stderr.write("\r\u001b[K");
    if (state || !isDue) return;
    saidAt = now;
    const rate = Math.round(done / ((now - start) / 1000));
    process.stderr.write(
      `${isTTY ? "\r\u001b[K" : ""}${setting}: ${done} of ${histories}, ${rate}/s${isTTY ? "" : "\n"}`,
    );
  };
}

function describeResults(results: readonly SettingResult[]): string {
  const rows: (string | number)[][] = [
    [
      "setting",
      "histories",
      "requests",
      "honest sessions",
      "lost",
      "without attempt ids",
      "lost, after the grace",
      "thieves",
      "caught",
      "shut out",
      "histories/s",
    ],
    ["---", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:"],
  ];
  for (const { setting, counts, seconds } of results) {
    const { thieves } = counts;
    const compared = thieves.caught + thieves["shut out"] + thieves["at large"];
    rows.push([
      SETTINGS[setting].title,
      counts.histories,
      counts.requests,
      counts.honest,
      counts.lost,
      counts.plain,
      counts.plainLost,
      compared,
      thieves.caught,
      thieves["shut out"],
      Math.round(counts.histories / seconds),
    ]);
  }
  const parts = [rows.map((row) => `| ${row.join(" | ")} |`).join("\n")];
  for (const { setting, counterexample } of results) {
    if (!counterexample) continue;
    const { seed, histories, shrinks, text } = counterexample;
    parts.push(
      `A promise was broken in the setting "${setting}". Shrunk ${shrinks} times:\n\n${text}`,
      `Again: npm run simulate -- --setting ${setting} --seed ${seed} --histories ${histories} --jobs 1`,
    );
  }
  return parts.join("\n\n");
}

const isSettingName = (name: string): name is SettingName => Object.hasOwn(SETTINGS, name);

function readCount(text: string, name: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new TypeError(`${name} is a whole number from 1 on`);
  return number;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  console.error(`${error.message}\n\n${HELP}`);
  process.exitCode = 2;
}
