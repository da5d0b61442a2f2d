/** The sessions part from start to end: what is measured, in which order, and what is written. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInChild } from "../child.ts";
import { installLatchkey } from "../latchkey.ts";
import { installedVersions, ownVersion, thisMachine } from "../machine.ts";
import type { MeasuringOptions } from "../measure.ts";
import { startService } from "../service.ts";
import type { EntryKind, IndexMemoryInput } from "./index-memory.ts";
import type { GuardCounts, LatchkeyServerInput } from "./latchkey-server.ts";
import { toPage, verdictTable } from "./page.ts";
import { type PostgresServer, startPostgres } from "./postgres.ts";
import { measureRequests, type RequestsEffort } from "./requests.ts";
import {
  type IndexMemoryRow,
  type RevocationRow,
  type SessionsResults,
  type StoreName,
  type StoreRotations,
  toRevocationRow,
  toStoreRotations,
} from "./results.ts";
import type { RevocationInput, RevocationResult } from "./revocation.ts";
import type { RotationsInput, RotationsResult } from "./rotations.ts";
import { judge, type Verdict } from "./verdict.ts";

export type SessionsSection = "rotations" | "requests" | "revocation" | "memory";
export const SESSIONS_SECTIONS: readonly SessionsSection[] = ["rotations", "requests", "revocation", "memory"];

export interface SessionsOptions {
  readonly isQuick: boolean;
  /** A package that npm packed earlier. */
  readonly tarball: string | undefined;
  readonly sections: readonly SessionsSection[];
  /** Where the results go; undefined: nowhere. */
  readonly resultsFolder: URL | undefined;
  progress(text: string): void;
}

interface Effort {
  readonly sizes: readonly [small: number, large: number];
  readonly rotations: MeasuringOptions;
  readonly requests: RequestsEffort;
  /** Sessions ended on each store. */
  readonly ends: number;
}

const FULL: Effort = {
  sizes: [10_000, 2_000_000],
  rotations: { rounds: 21, batchMs: 400, warmUpMs: 3000 },
  requests: {
    rounds: 15,
    warmUpRounds: 4,
    counts: { refresh: 2000, guarded: 5000, me: 2000, login: 40, "lonely login": 40 },
  },
  ends: 500,
};
const QUICK: Effort = {
  sizes: [10_000, 100_000],
  rotations: { rounds: 5, batchMs: 150, warmUpMs: 600 },
  requests: {
    rounds: 3,
    warmUpRounds: 3,
    counts: { refresh: 300, guarded: 800, me: 300, login: 16, "lonely login": 12 },
  },
  ends: 40,
};

/** Rotations in one operation of the rotations part. */
const GROUP = 64;
const ENTRY_COUNT = 100_000;
const ENTRY_KINDS: readonly EntryKind[] = ["sessions", "users", "users, one session spared"];
const PEERS = ["better-auth", "express", "jsonwebtoken", "@node-rs/argon2"];

export interface SessionsRun {
  readonly results: SessionsResults;
  readonly verdicts: readonly Verdict[];
}

/** What every section has at hand. */
interface Bench {
  readonly dist: string;
  readonly secret: string;
  readonly effort: Effort;
  progress(text: string): void;
  /** A new folder that is gone at the end. */
  folder(): string;
  postgres(): Promise<PostgresServer>;
}

export async function runSessions(options: SessionsOptions): Promise<SessionsRun> {
  const { isQuick, tarball, sections, resultsFolder, progress } = options;
  progress(tarball ? "starting" : "building and packing latchkey");
  const installed = installLatchkey(tarball);
  const root = mkdtempSync(join(tmpdir(), "latchkey-bench-sessions-"));
  let server: Promise<PostgresServer> | undefined;
  const bench: Bench = {
    dist: installed.dist,
    secret: randomBytes(48).toString("base64"),
    effort: isQuick ? QUICK : FULL,
    progress,
    folder: () => mkdtempSync(join(root, "part-")),
    postgres() {
      progress("starting PostgreSQL");
      server ??= startPostgres();
      return server;
    },
  };
  try {
    const measured = {
      rotations: sections.includes("rotations") ? await measureRotations(bench) : [],
      requests: sections.includes("requests")
        ? await measureRequests({ ...bench, folder: bench.folder(), effort: bench.effort.requests })
        : undefined,
      revocation: sections.includes("revocation") ? await measureRevocation(bench) : [],
      indexMemory: sections.includes("memory")
        ? { entryCount: ENTRY_COUNT, rows: await measureMemory(bench) }
        : undefined,
    };
    const results: SessionsResults = {
      machine: thisMachine(),
      versions: {
        latchkey: ownVersion(),
        ...installedVersions(PEERS),
        SQLite: process.versions.sqlite ?? "unknown",
        "postgres.js": postgresClientVersion(),
        ...(server && { PostgreSQL: (await server).version }),
      },
      isQuick,
      ...measured,
    };
    const verdicts = judge(results);
    if (resultsFolder) write(resultsFolder, results, verdicts);
    return { results, verdicts };
  } finally {
    await (await server?.catch(() => undefined))?.stop();
    rmSync(root, { recursive: true, force: true });
    installed.dispose();
  }
}

/** Every table, unless they were written to a file, and at the end, where a terminal shows it, the verdict. */
export function sessionsToTerminal({ results, verdicts }: SessionsRun, isWritten: boolean): string {
  const page = isWritten ? "All tables are in bench/results/sessions.md." : toPage(results, verdicts);
  return `${page}\n\n${verdictTable(verdicts)}\n`;
}

async function measureRotations(bench: Bench): Promise<StoreRotations[]> {
  const { dist, secret, effort } = bench;
  const rows: StoreRotations[] = [];
  for (const store of ["sqlite", "postgres"] as const) {
    const urls: string[] = [];
    if (store === "postgres") {
      const server = await bench.postgres();
      while (urls.length < 2 * effort.sizes.length) urls.push(await server.createDatabase());
    }
    const folder = bench.folder();
    const input: RotationsInput = {
      ...{ dist, secret, store, folder, urls, sizes: effort.sizes, measuring: effort.rotations },
    };
    const script = new URL("rotations.ts", import.meta.url);
    const result = await runInChild<RotationsResult>(script, { input, onProgress: bench.progress });
    // Two million sessions are a gigabyte, four times.
    rmSync(folder, { recursive: true, force: true });
    const { rounds } = effort.rotations;
    rows.push(toStoreRotations(nameOf(store), result, { sizes: effort.sizes, rounds, group: GROUP }));
  }
  return rows;
}

async function measureRevocation(bench: Bench): Promise<RevocationRow[]> {
  const rows: RevocationRow[] = [];
  for (const store of ["sqlite", "postgres"] as const) {
    const database =
      store === "sqlite" ? join(bench.folder(), "revocation.db") : await (await bench.postgres()).createDatabase();
    rows.push(await measureRevocationOn(nameOf(store), database, bench));
  }
  return rows;
}

async function measureRevocationOn(
  store: StoreName,
  database: string,
  { dist, secret, effort, progress }: Bench,
): Promise<RevocationRow> {
  progress(`revocation: starting two servers on ${store}`);
  const script = new URL("latchkey-server.ts", import.meta.url);
  const input: LatchkeyServerInput = { dist, secret, database, sessionCount: effort.ends };
  type Ports = { readonly port: number; readonly applicationPort: number };
  const ending = await startService(script, input);
  try {
    const guarded = await startService(script, { ...input, sessionCount: 0 });
    try {
      const { port } = await ending.call<Ports>("ports");
      const { applicationPort } = await guarded.call<Ports>("ports");
      const measured: RevocationInput = {
        ...{ secret, endingPort: port, guardedPort: applicationPort, samples: effort.ends },
        label: `revocation on ${store}`,
      };
      const { delays } = await runInChild<RevocationResult>(new URL("revocation.ts", import.meta.url), {
        input: measured,
        onProgress: progress,
      });
      return toRevocationRow(store, delays, await guarded.call<GuardCounts>("guardCounts"));
    } finally {
      await guarded.stop();
    }
  } finally {
    await ending.stop();
  }
}

async function measureMemory({ progress }: Bench): Promise<IndexMemoryRow[]> {
  const rows: IndexMemoryRow[] = [];
  for (const kind of ENTRY_KINDS) {
    progress(`memory: ${kind}`);
    const input: IndexMemoryInput = { kind, entryCount: ENTRY_COUNT };
    rows.push({ kind, bytes: await runInChild<number>(new URL("index-memory.ts", import.meta.url), { input }) });
  }
  return rows;
}

const nameOf = (store: "sqlite" | "postgres"): StoreName => (store === "sqlite" ? "SQLite" : "PostgreSQL");

function postgresClientVersion(): string {
  const path = new URL("../../node_modules/postgres/package.json", import.meta.url);
  return (JSON.parse(readFileSync(path, "utf8")) as { version: string }).version;
}

function write(folder: URL, results: SessionsResults, verdicts: readonly Verdict[]): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL("sessions.json", folder), `${JSON.stringify({ ...results, verdicts }, rounded, 1)}\n`);
  writeFileSync(new URL("sessions.md", folder), toPage(results, verdicts));
}

/** Five significant digits are more than any of it is worth. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
