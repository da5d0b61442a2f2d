/**
 * Runs test files again and again in one process, each time with all modules of this repository loaded afresh.
 * Hooks give every module of a round an address of its own (`…/mac.ts?round=7`) and put a small stand-in in the place of `node:test`, which collects the
 * tests instead of running them. A round costs a tenth of what a process would, and can stop at the first test that fails.
 */
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

interface CollectedTest {
  readonly name: string;
  readonly run: (context: { after(cleanUp: () => unknown): void }) => unknown;
}

/** What a test file has registered. */
interface CollectedFile {
  readonly tests: CollectedTest[];
  readonly before: (() => unknown)[];
  readonly after: (() => unknown)[];
}

/** Where the switches of the instrumented files and the stand-in find what they need. */
interface Globals {
  __mutant: (id: number) => boolean;
  __file: CollectedFile;
}

const globals = globalThis as unknown as Globals;
const STAND_IN = `
export const test = (name, options, run = options) => options.skip || globalThis.__file.tests.push({ name, run });
export const before = (run) => globalThis.__file.before.push(run);
export const after = (run) => globalThis.__file.after.push(run);
`;

/** @param directory where the copy of the repository is. */
export function installHooks(directory: string): void {
  const root = pathToFileURL(directory).href;
  const stripped = new Map<string, string>();
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier === "node:test") return { url: "stand-in:test", shortCircuit: true };
      const resolved = next(specifier, context);
      const round = /\?round=\d+$/.exec(context.parentURL ?? "")?.[0];
      const isOurs = resolved.url.startsWith(root) && !resolved.url.includes("/node_modules/");
      return round && isOurs && !resolved.url.includes("?") ? { ...resolved, url: resolved.url + round } : resolved;
    },
    load(url, context, next) {
      if (url === "stand-in:test") return { format: "module", source: STAND_IN, shortCircuit: true };
      if (!url.startsWith(root) || !url.includes("?round=")) return next(url, context);
      const path = fileURLToPath(url.slice(0, url.indexOf("?")));
      let source = stripped.get(path);
      if (source === undefined) {
        source = stripTypeScriptTypes(readFileSync(path, "utf8"));
        stripped.set(path, source);
      }
      return { format: "module", source, shortCircuit: true };
    },
  });
}

let round = 0;

/** Loads a test file afresh. `mutant` answers the switches, while loading and later. */
async function load(path: string, mutant: (id: number) => boolean): Promise<CollectedFile> {
  const file: CollectedFile = { tests: [], before: [], after: [] };
  globals.__mutant = mutant;
  globals.__file = file;
  await import(`${pathToFileURL(path).href}?round=${++round}`);
  return file;
}

/** Runs tests of a file, and what the file does before and after them. */
async function runTests({ tests, before, after }: CollectedFile, between: () => void): Promise<void> {
  try {
    for (const prepare of before) await prepare();
    for (const test of tests) {
      await runOne(test);
      between();
    }
  } finally {
    for (const cleanUp of after) await cleanUp();
  }
}

async function runOne({ run }: CollectedTest): Promise<void> {
  const cleanUps: (() => unknown)[] = [];
  try {
    await run({ after: (cleanUp) => cleanUps.push(cleanUp) });
  } finally {
    for (const cleanUp of cleanUps) await cleanUp();
  }
}

/** Which mutants were executed while a file was loaded, and by each of its tests. */
export interface Survey {
  readonly path: string;
  readonly milliseconds: number;
  readonly byLoading: readonly number[];
  readonly byTest: readonly (readonly number[])[];
}

/** @throws whatever a test throws: without mutants none may. */
export async function survey(path: string): Promise<Survey> {
  let seen = new Set<number>();
  const start = performance.now();
  const file = await load(path, (id) => {
    seen.add(id);
    return false;
  });
  const byLoading = [...seen];
  seen = new Set();
  const byTest: number[][] = [];
  await runTests(file, () => {
    byTest.push([...seen]);
    seen = new Set();
  });
  return { path, milliseconds: performance.now() - start, byLoading, byTest };
}

/** True when one of the chosen tests of a file fails with a mutant alive. */
export async function fails(path: string, id: number, chosen: ReadonlySet<number>): Promise<boolean> {
  try {
    const file = await load(path, (other) => other === id);
    await runTests({ ...file, tests: file.tests.filter((_, index) => chosen.has(index)) }, () => undefined);
    return false;
  } catch {
    return true;
  }
}
