/**
 * `npm run mutate`: changes the token core in every small way that `mutants.ts` knows, one at a time, and sees whether a test notices.
 * A mutant is killed when a test that executes it fails or does not end. What survives is listed: either a test is missing, or the change makes no
 * difference (much in the quick ways through verification falls back to the slow way, which gives the same answer).
 *
 *   node test/mutation/run.ts                    all of src/jwt, src/mac.ts, src/buffer-text.ts and src/json.ts
 *   node test/mutation/run.ts src/mac.ts         these files only
 */
import { cpSync, globSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { API } from "typescript/unstable/sync";
import { instrument, type Mutant } from "./instrument.ts";
import type { Survey } from "./tests-in-process.ts";
import type { Task, Trial } from "./worker.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const REPORTS = join(ROOT, "reports", "mutation");
const COPY = join(REPORTS, "copy");
/** A mutant with which a test file takes so much longer than it usually does has come to a loop without an end. */
const PATIENCE = { factor: 5, milliseconds: 5000 };
/** Modules that were loaded are never unloaded, so a thread is replaced after so many tasks. */
const TASKS_PER_THREAD = 300;
/** Starts another program each time, and what it shows is shown by others, too. */
const LEFT_OUT = "interop-pyjwt.test.ts";

/** Copies the repository and puts the mutants into it. */
function makeCopy(files: readonly string[]): Mutant[] {
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(COPY, { recursive: true });
  for (const entry of ["src", "test", "package.json"])
    cpSync(join(ROOT, entry), join(COPY, entry), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(COPY, "node_modules"));
  const api = new API({ cwd: ROOT });
  const project = api.updateSnapshot({ openProjects: [join(ROOT, "tsconfig.json")] }).getProjects()[0];
  const mutants: Mutant[] = [];
  for (const file of files) {
    const sourceFile = project?.program.getSourceFile(join(ROOT, file));
    if (!sourceFile) throw new Error(`${file} is not part of the project`);
    const { text, mutants: more } = instrument(sourceFile, file, mutants.length + 1);
    writeFileSync(join(COPY, file), text);
    mutants.push(...more);
  }
  api.close();
  return mutants;
}

/** Does tasks in a thread; a thread that dies or is too slow is replaced. */
class Lane {
  #worker: Worker | undefined;
  #taskCount = 0;

  /** @returns the answer, or `undefined` when there was none. */
  do<Answer>(task: Task, patience: number): Promise<Answer | undefined> {
    if (this.#taskCount++ % TASKS_PER_THREAD === 0) this.end();
    this.#worker ??= new Worker(new URL("worker.ts", import.meta.url), {
      workerData: COPY,
      stderr: true,
      stdout: true,
    });
    const worker = this.#worker;
    return new Promise((resolve) => {
      const settle = (answer: Answer | undefined): void => {
        clearTimeout(timer);
        worker.off("message", settle).off("error", giveUp).off("exit", giveUp);
        if (answer === undefined) this.end();
        resolve(answer);
      };
      const giveUp = (): void => settle(undefined);
      const timer = setTimeout(giveUp, patience);
      worker.on("message", settle).on("error", giveUp).on("exit", giveUp);
      worker.postMessage(task);
    });
  }

  end(): void {
    // Whatever a mutant left running may still fail; nobody is interested.
    this.#worker?.on("error", () => undefined);
    void this.#worker?.terminate();
    this.#worker = undefined;
  }
}

/** Does the work of a list, as many items at a time as there are cores. */
async function inLanes<Item>(items: readonly Item[], work: (item: Item, lane: Lane) => Promise<void>): Promise<void> {
  let next = 0;
  const runLane = async (): Promise<void> => {
    const lane = new Lane();
    while (next < items.length) await work(items[next++] as Item, lane);
    lane.end();
  };
  await Promise.all(Array.from({ length: availableParallelism() }, runLane));
}

/** The tests that could kill a mutant: first those of the file named after its source, then those of quick files. */
function trialsFor(mutant: Mutant, surveys: readonly Survey[]): { trial: Trial; milliseconds: number }[] {
  const own = basename(mutant.file).replace(/\.ts$/, ".test.ts");
  const cost = (survey: Survey): number => (basename(survey.path) === own ? 0 : survey.milliseconds);
  return [...surveys]
    .sort((a, b) => cost(a) - cost(b))
    .map(({ path, milliseconds, byLoading, byTest }) => {
      const isLoaded = byLoading.includes(mutant.id);
      const tests = [...byTest.keys()].filter((index) => isLoaded || byTest[index]?.includes(mutant.id));
      return { trial: { path, tests }, milliseconds };
    })
    .filter(({ trial }) => trial.tests.length > 0);
}

const asked = process.argv.slice(2);
const ours = globSync("src/jwt/*.ts", { cwd: ROOT }).sort();
const files = asked.length > 0 ? asked : [...ours, "src/mac.ts", "src/buffer-text.ts", "src/json.ts"];
const mutants = makeCopy(files);
console.log(`${mutants.length} mutants in ${files.length} files`);

const surveys: Survey[] = [];
const testFiles = [
  "test/json.test.ts",
  "test/mac.test.ts",
  "test/buffer-text.test.ts",
  ...globSync("test/jwt/*.test.ts", { cwd: ROOT }),
].filter((file) => basename(file) !== LEFT_OUT);
await inLanes(testFiles, async (file, lane) => {
  const answer = await lane.do<Survey>({ kind: "survey", path: join(COPY, file) }, 120_000);
  if (!answer) throw new Error(`${file} fails without any mutant: mend that first`);
  surveys.push(answer);
});

const survivors: Mutant[] = [];
let done = 0;
await inLanes(mutants, async (mutant, lane) => {
  let isKilled = false;
  for (const { trial, milliseconds } of trialsFor(mutant, surveys)) {
    const patience = milliseconds * PATIENCE.factor + PATIENCE.milliseconds;
    isKilled ||= (await lane.do<boolean>({ kind: "mutant", id: mutant.id, trial }, patience)) !== false;
  }
  if (!isKilled) survivors.push(mutant);
  if (++done % 250 === 0) console.log(`${done} of ${mutants.length}, ${survivors.length} survive`);
});

survivors.sort((a, b) => a.id - b.id);
const killed = mutants.length - survivors.length;
const count = (list: readonly Mutant[], file: string): number => list.filter((mutant) => mutant.file === file).length;
const report = [
  ...survivors.map(({ file, line, what, source }) => `${file}:${line}  ${what}  |  ${source}`),
  "",
  ...files
    .filter((file) => count(mutants, file) > 0)
    .map((file) => `${file}: ${count(mutants, file) - count(survivors, file)} of ${count(mutants, file)}`),
  "",
  `${killed} of ${mutants.length} mutants killed: ${((100 * killed) / mutants.length).toFixed(1)} %`,
].join("\n");
rmSync(COPY, { recursive: true, force: true });
writeFileSync(join(REPORTS, "report.txt"), `${report}\n`);
console.log(report);
if (killed / mutants.length < 0.9) process.exitCode = 1;
