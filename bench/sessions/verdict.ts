/** The figures that sessions promise, each held against what was measured. A figure is met when the median meets it. */
import type { Spread } from "../measure.ts";
import type { RequestKind } from "./request-plan.ts";
import { COOKIE_CACHE, HOME_MADE, SESSION_WRITE, type ServerName } from "./requests.ts";
import type { SessionsResults, StoreName, StoreRotations } from "./results.ts";

export interface Verdict {
  readonly figure: string;
  readonly target: string;
  readonly value: number | undefined;
  readonly spread: Spread | undefined;
  readonly unit: Unit;
  /** Undefined: not measured in this run. */
  readonly isMet: boolean | undefined;
}

export type Unit = "times" | "ms" | "MB" | "statements";

interface Figure {
  readonly figure: string;
  readonly unit: Unit;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly under?: number;
  measure(results: SessionsResults): Spread | number | undefined;
}

const FIGURES: readonly Figure[] = [
  rotationRate("SQLite", "the bare statement committed in groups of 64", 0.6),
  rotationRate("PostgreSQL", "the bare statement through postgres.js", 0.8),
  cpuOver("refresh", HOME_MADE, 0.5, "Refresh over HTTP, CPU over the home-made server's"),
  cpuOver("refresh", SESSION_WRITE, 0.2, "Refresh over HTTP, CPU over better-auth's session write"),
  cpuOver("guarded", COOKIE_CACHE, 0.2, "Guarded GET of an application, CPU over better-auth's cookie cache"),
  cpuOver("me", COOKIE_CACHE, 0.2, "GET of the signed-in user, CPU over better-auth's cookie cache"),
  cpuOver("login", HOME_MADE, 1.05, "Login over HTTP, four in flight, CPU over the home-made server's"),
  cpuOver("lonely login", HOME_MADE, 1.05, "Login over HTTP, one at a time, CPU over the home-made server's"),
  ...(["SQLite", "PostgreSQL"] as const).flatMap((store): Figure[] => [
    {
      figure: `${store}, a rotation in the large table over one in the small, over the bare statement's own ratio`,
      unit: "times",
      atMost: 1.2,
      measure: (results) => rotationsOn(store, results)?.growth.oursOverBare,
    },
    {
      figure: `${store}, event loop delay p99 meanwhile`,
      unit: "ms",
      under: 10,
      measure: (results) => rotationsOn(store, results)?.loopDelay,
    },
  ]),
  revocationDelay("PostgreSQL", 100),
  revocationDelay("SQLite", 300),
  {
    figure: "Statements for the guard while the feed is fresh",
    unit: "statements",
    atMost: 0,
    measure({ revocation, requests }) {
      const counts = [...revocation.map(({ guard }) => guard), ...(requests ? [requests.guard] : [])];
      return counts.length === 0 ? undefined : counts.reduce((sum, { guardStatements }) => sum + guardStatements, 0);
    },
  },
  {
    figure: "The revocation index with 100,000 live entries, the costliest kind",
    unit: "MB",
    under: 20,
    measure: ({ indexMemory }) => indexMemory && Math.max(...indexMemory.rows.map(({ bytes }) => bytes)) / 1e6,
  },
];

export function judge(results: SessionsResults): Verdict[] {
  return FIGURES.map((figure) => {
    const measured = figure.measure(results);
    const value = typeof measured === "object" ? measured.median : measured;
    return {
      figure: figure.figure,
      target: targetText(figure),
      value,
      spread: typeof measured === "object" ? measured : undefined,
      unit: figure.unit,
      isMet: value === undefined ? undefined : meets(figure, value),
    };
  });
}

function rotationRate(store: StoreName, against: string, atLeast: number): Figure {
  return {
    figure: `${store}, rotations through auth.refresh over ${against}`,
    unit: "times",
    atLeast,
    measure: (results) => rotationsOn(store, results)?.tables[0]?.oursToBare,
  };
}

function cpuOver(kind: RequestKind, server: ServerName, atMost: number, figure: string): Figure {
  return {
    figure,
    unit: "times",
    atMost,
    measure: ({ requests }) => requests?.rows.find((row) => row.kind === kind && row.server === server)?.oursOver,
  };
}

function revocationDelay(store: StoreName, under: number): Figure {
  return {
    figure: `${store}, from an acknowledged end to the 401 of another process, p99`,
    unit: "ms",
    under,
    measure: ({ revocation }) => revocation.find((row) => row.store === store)?.p99,
  };
}

function rotationsOn(store: StoreName, { rotations }: SessionsResults): StoreRotations | undefined {
  return rotations.find((one) => one.store === store);
}

function meets({ atMost, atLeast, under }: Figure, value: number): boolean {
  if (atMost !== undefined && value > atMost) return false;
  if (atLeast !== undefined && value < atLeast) return false;
  return under === undefined || value < under;
}

function targetText({ atMost, atLeast, under, unit }: Figure): string {
  if (atMost !== undefined) return `at most ${withUnit(String(atMost), unit)}`;
  if (atLeast !== undefined) return `at least ${withUnit(String(atLeast), unit)}`;
  return `under ${withUnit(String(under), unit)}`;
}

export function withUnit(text: string, unit: Unit): string {
  if (unit === "statements") return text;
  return unit === "times" ? `${text}×` : `${text} ${unit}`;
}
