/**
 * The figures that the token core promises, each held against what was measured. A figure is met when the median meets
 * it; a figure over several algorithms is met when each of them meets it.
 */
import type { Spread } from "../measure.ts";
import type { Family } from "./algorithms.ts";
import { OURS, OURS_CACHED } from "./contender.ts";
import type { HostileSize } from "./hostile.ts";
import { type HostileResults, type HostileRow, type JwtResults, type Row, rowNamed } from "./results.ts";

export interface Verdict {
  readonly figure: string;
  readonly target: string;
  /** The worst first. */
  readonly measured: readonly Measured[];
  /** Undefined: not measured in this run, or without a target. */
  readonly isMet: boolean | undefined;
}

export interface Measured {
  /** Which of several; empty where there is one. */
  readonly label: string;
  readonly value: number;
  readonly spread: Spread | undefined;
  readonly unit: Unit;
  readonly isMet: boolean;
}

export type Unit = "times" | "bytes" | "ms" | "µs";

interface Figure {
  readonly figure: string;
  readonly unit: Unit;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly under?: number;
  measure(results: JwtResults): { readonly label?: string; readonly of: Spread | number }[];
}

const FASTER_THAN: readonly [peer: string, times: number][] = [
  ["fast-jwt", 2.5],
  ["jsonwebtoken, KeyObject", 3.5],
  ["jose", 25],
  ["jose, 32 in flight", 5],
];

const FIGURES: readonly Figure[] = [
  {
    figure: "HS256 verify over a bare createHmac",
    unit: "times",
    atMost: 1.2,
    measure: (results) => macRow(results, "verify", OURS).map(({ toRaw }) => ({ of: toRaw })),
  },
  ...FASTER_THAN.map(
    ([peer, times]): Figure => ({
      figure: `HS256 verify, faster than ${peer}`,
      unit: "times",
      atLeast: times,
      measure: (results) => macRow(results, "verify", peer).map(({ toOurs }) => ({ of: toOurs })),
    }),
  ),
  {
    figure: "HS256 verify, heap",
    unit: "bytes",
    atMost: 1300,
    measure: ({ heap }) => heap.filter(({ name }) => name === OURS).map(({ bytes }) => ({ of: bytes })),
  },
  {
    figure: "HS256 verify, cache hit, faster than fast-jwt's cache hit",
    unit: "times",
    atLeast: 5,
    measure: (results) =>
      macRow(results, "verify", "fast-jwt, its cache").map(({ toOursCached }) => ({ of: toOursCached! })),
  },
  {
    figure: "HS256 sign, faster than fast-jwt",
    unit: "times",
    atLeast: 2,
    measure: (results) => macRow(results, "sign", "fast-jwt").map(({ toOurs }) => ({ of: toOurs })),
  },
  overRaw("verify", ["RS", "PS"], 1.3),
  overRaw("verify", ["ES", "EdDSA", "ML-DSA"], 1.2),
  overRaw("sign", ["RS", "PS"], 1.1),
  overRaw("sign", ["ES", "EdDSA"], 1.25),
  overRaw("sign", ["ML-DSA"], 1.15),
  {
    figure: "Refusing a hostile 8 KiB token, over verifying a good one",
    unit: "times",
    atMost: 1.5,
    measure: ({ hostile }) =>
      byOurs(hostile, "limit").map(({ label, name, row }) => ({
        label,
        of: row.toGood[name]!,
      })),
  },
  {
    // Not promised, but what a flood would send once it knows the limits.
    figure: "Refusing the costliest forgery, 4 KiB of claims, over verifying a good one",
    unit: "times",
    measure: ({ hostile }) =>
      byOurs(hostile, "checked").map(({ label, name, row }) => ({ label, of: row.toGood[name]! })),
  },
  {
    figure: "Refusing a longer one",
    unit: "µs",
    under: 1,
    measure: ({ hostile }) =>
      byOurs(hostile, "longer").map(({ label, name, row }) => ({
        label,
        of: row.micros[name]!,
      })),
  },
  {
    figure: "Importing latchkey/jwt, over node:crypto alone",
    unit: "ms",
    under: 15,
    measure: ({ imports }) =>
      (imports?.costs ?? []).filter(({ name }) => name === "latchkey/jwt").map(({ added }) => ({ of: added })),
  },
];

export function judge(results: JwtResults): Verdict[] {
  return FIGURES.map((figure) => {
    const measured = measuredFor(figure, results).sort((a, b) => severity(figure, b) - severity(figure, a));
    return {
      figure: figure.figure,
      target: targetText(figure),
      measured,
      isMet: measured.length === 0 || !hasTarget(figure) ? undefined : measured.every(({ isMet }) => isMet),
    };
  });
}

function overRaw(what: "sign" | "verify", families: readonly Family[], atMost: number): Figure {
  return {
    figure: `${families.join(", ")} ${what} over raw crypto.${what}`,
    unit: "times",
    atMost,
    measure: ({ algorithms }) =>
      algorithms
        .filter(({ family }) => families.includes(family))
        .map((algorithm) => ({ label: algorithm.alg, of: rowNamed(algorithm[what], OURS).toRaw })),
  };
}

function measuredFor(figure: Figure, results: JwtResults): Measured[] {
  return figure.measure(results).map(({ label = "", of }) => {
    const value = typeof of === "number" ? of : of.median;
    const spread = typeof of === "number" ? undefined : of;
    return { label, value, spread, unit: figure.unit, isMet: meets(figure, value) };
  });
}

function severity({ atLeast }: Figure, { value }: Measured): number {
  return atLeast === undefined ? value : -value;
}

/** One row of HS256, or none where this run left HS256 out. */
function macRow({ algorithms }: JwtResults, what: "sign" | "verify", name: string): Row[] {
  return algorithms.filter(({ alg }) => alg === "HS256").map((algorithm) => rowNamed(algorithm[what], name));
}

/** Every form twice: a verifier with a cache has one more place where a long token could hurt. */
function byOurs(
  hostile: HostileResults | undefined,
  size: HostileSize,
): { label: string; name: string; row: HostileRow }[] {
  const rows = (hostile?.rows ?? []).filter((row) => row.size === size);
  return rows.flatMap((row) => [
    { label: row.form, name: OURS, row },
    { label: `${row.form} (with the cache)`, name: OURS_CACHED, row },
  ]);
}

function hasTarget({ atMost, atLeast, under }: Figure): boolean {
  return atMost !== undefined || atLeast !== undefined || under !== undefined;
}

function meets({ atMost, atLeast, under }: Figure, value: number): boolean {
  if (atMost !== undefined && value > atMost) return false;
  if (atLeast !== undefined && value < atLeast) return false;
  return under === undefined || value < under;
}

function targetText({ atMost, atLeast, under, unit }: Figure): string {
  const suffix = unit === "times" ? "×" : ` ${unit}`;
  if (atMost !== undefined) return `at most ${atMost}${suffix}`;
  if (atLeast !== undefined) return `at least ${atLeast}${suffix}`;
  return under === undefined ? "no promise" : `under ${under}${suffix}`;
}
