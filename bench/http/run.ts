/** The HTTP part from start to end: what is measured, in which order, and what is written. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toSvg } from "../chart.ts";
import { runInChild } from "../child.ts";
import { installedVersions, ownVersion, thisMachine } from "../machine.ts";
import { startService } from "../service.ts";
import { FRAMEWORKS, type Framework } from "./application.ts";
import { chooseCores } from "./cores.ts";
import { installBesideFrameworks } from "./installed.ts";
import { toPage, verdictTable } from "./page.ts";
import { toChart } from "./picture.ts";
import { type FrameworkResults, type HttpResults, toResults } from "./results.ts";
import { type Effort, measureFramework } from "./rounds.ts";
import type { Bearer, TokensInput } from "./tokens.ts";
import { judge, type Verdict } from "./verdict.ts";

export { FRAMEWORKS, type Framework };

export interface HttpOptions {
  readonly isQuick: boolean;
  /** A package that npm packed earlier. */
  readonly tarball: string | undefined;
  readonly frameworks: readonly Framework[];
  /** Where the results go; undefined: nowhere. */
  readonly resultsFolder: URL | undefined;
  progress(text: string): void;
}

export interface HttpRun {
  readonly results: HttpResults;
  readonly verdicts: readonly Verdict[];
}

const FULL: Effort = { starts: 5, rounds: 4, turns: 30, turnMs: 15, warmUpRequests: 40_000 };
const QUICK: Effort = { starts: 2, rounds: 2, turns: 15, turnMs: 15, warmUpRequests: 20_000 };
const PEERS = [
  ...["fastify", "@fastify/jwt", "fast-jwt", "hono", "@hono/node-server", "express", "express-jwt", "passport-jwt"],
  ...["jsonwebtoken", "koa", "koa-jwt", "@nestjs/core", "@nestjs/jwt"],
];

export async function runHttp(options: HttpOptions): Promise<HttpRun> {
  const { isQuick, tarball, frameworks, resultsFolder, progress } = options;
  progress(tarball ? "starting" : "building and packing latchkey");
  const installed = installBesideFrameworks(tarball);
  const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-http-"));
  const effort = isQuick ? QUICK : FULL;
  const cores = chooseCores();
  const load = await startService(new URL("load.ts", import.meta.url), {});
  try {
    progress("signing tokens");
    const server: TokensInput = {
      folder: installed.folder,
      secret: randomBytes(48).toString("base64"),
      database: join(folder, "http.db"),
    };
    const bearers = await runInChild<Bearer[]>(new URL("tokens.ts", import.meta.url), { input: server });
    if (cores) await load.call("pin", cores.load);
    const measured: FrameworkResults[] = [];
    for (const framework of frameworks) {
      const batches = await measureFramework(framework, { load, bearers, cores, effort, server, progress });
      measured.push(toResults(framework, batches));
    }
    const results: HttpResults = {
      machine: thisMachine(),
      versions: { latchkey: ownVersion(), ...installedVersions(PEERS) },
      isQuick,
      cores,
      effort,
      frameworks: measured,
    };
    const verdicts = judge(results);
    if (resultsFolder) write(resultsFolder, results, verdicts);
    return { results, verdicts };
  } finally {
    await load.stop();
    rmSync(folder, { recursive: true, force: true });
    installed.dispose();
  }
}

/** Every table, unless they were written to a file, and at the end, where a terminal shows it, the verdict. */
export function httpToTerminal({ results, verdicts }: HttpRun, isWritten: boolean): string {
  const page = isWritten ? "All tables are in bench/results/http.md." : toPage(results, verdicts);
  return `${page}\n\n${verdictTable(verdicts)}\n`;
}

function write(folder: URL, results: HttpResults, verdicts: readonly Verdict[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL("http.json", folder), `${JSON.stringify({ ...results, verdicts }, rounded, 1)}\n`);
  writeFileSync(new URL("http.md", folder), toPage(results, verdicts));
  writeFileSync(new URL("http.svg", folder), toSvg(toChart(results)));
}

/** Five significant digits are more than any of it is worth. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
