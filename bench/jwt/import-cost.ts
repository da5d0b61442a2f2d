/**
 * What importing a library adds to the start of a process: whole processes, from spawn to exit, one that imports only
 * node:crypto (which every one of the libraries needs) against one that imports the library as well, in turn, in random
 * order. Differences are taken round by round.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Spread, shuffled, spreadOf } from "../measure.ts";

export interface ImportCost {
  readonly name: string;
  /** Milliseconds over a process that imports node:crypto alone. */
  readonly added: Spread;
}

export interface ImportCosts {
  readonly costs: readonly ImportCost[];
  /** Milliseconds of the process that imports node:crypto alone. */
  readonly base: Spread;
}

interface Start {
  readonly name: string;
  readonly specifier: string | undefined;
  readonly folder: string;
}

const BENCH = fileURLToPath(new URL("..", import.meta.url));

/** @param folder where the packed package is installed. */
export function measureImports(folder: string, rounds: number, progress: (text: string) => void): ImportCosts {
  const base: Start = { name: "node:crypto", specifier: undefined, folder: BENCH };
  const starts: Start[] = [
    { name: "latchkey/jwt", specifier: "latchkey/jwt", folder },
    { name: "fast-jwt", specifier: "fast-jwt", folder: BENCH },
    { name: "jsonwebtoken", specifier: "jsonwebtoken", folder: BENCH },
    { name: "jose", specifier: "jose", folder: BENCH },
    { name: "hono/utils/jwt", specifier: "hono/utils/jwt", folder: BENCH },
  ];
  const times = new Map<Start, number[]>([base, ...starts].map((start) => [start, []]));
  // The first start of each reads the files from the disk; it does not count.
  for (const start of times.keys()) timeOf(start);
  for (let round = 0; round < rounds; round++) {
    progress(`imports, round ${round + 1} of ${rounds}`);
    for (const start of shuffled([...times.keys()])) times.get(start)!.push(timeOf(start));
  }
  const baseTimes = times.get(base)!;
  return {
    base: spreadOf(baseTimes),
    costs: starts.map((start) => ({
      name: start.name,
      added: spreadOf(times.get(start)!.map((time, round) => time - baseTimes[round]!)),
    })),
  };
}

function timeOf({ specifier, folder }: Start): number {
  const code = `import "node:crypto";${specifier ? `import "${specifier}";` : ""}`;
  const before = performance.now();
  execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd: folder, stdio: "ignore" });
  return performance.now() - before;
}
