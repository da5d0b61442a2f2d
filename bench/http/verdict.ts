/**
 * The figures that guards promise, each held against what was measured. A figure is met when the median meets it; a
 * figure over several frameworks is met when each of them meets it.
 */
import type { Spread } from "../measure.ts";
import {
  ALL_OURS,
  type Framework,
  NO_OP,
  OURS,
  OURS_AROUND,
  OURS_AROUND_UNCACHED,
  OURS_CACHED,
} from "./application.ts";
import { bestPlugin, type FrameworkResults, type HttpResults, isPlugin, type Row } from "./results.ts";

export interface Verdict {
  readonly figure: string;
  readonly target: string;
  /** The worst first. */
  readonly measured: readonly Measured[];
  /** Undefined: not measured in this run, or without a target. */
  readonly isMet: boolean | undefined;
}

export interface Measured {
  /** The framework, and which guard where that is not said. */
  readonly label: string;
  readonly spread: Spread;
  readonly unit: Unit;
  readonly isMet: boolean;
}

export type Unit = "times" | "bytes";

interface Figure {
  readonly figure: string;
  readonly unit: Unit;
  readonly atLeast?: number;
  readonly under?: number;
  measure(results: FrameworkResults): { readonly label: string; readonly of: Spread }[];
}

const LIGHT: readonly Framework[] = ["node:http", "Fastify", "Hono"];
const HEAVY: readonly Framework[] = ["Express", "Koa", "NestJS"];

const FIGURES: readonly Figure[] = [
  overNoAuth("with its cache hitting", { guard: OURS_CACHED, frameworks: LIGHT, atLeast: 0.93 }),
  overNoAuth("with its cache hitting", { guard: OURS_CACHED, frameworks: HEAVY, atLeast: 0.97 }),
  overNoAuth("without a cache", { guard: OURS, frameworks: LIGHT, atLeast: 0.72 }),
  overNoAuth("without a cache", { guard: OURS, frameworks: HEAVY, atLeast: 0.9 }),
  {
    // What the figures above can be at most: a framework takes its price for having a guard at all.
    ...overNoAuth("", { guard: NO_OP, frameworks: [...LIGHT, ...HEAVY] }),
    figure: "A guard that does nothing, over the same without auth",
  },
  overPlugin("Fastify", 1.6),
  // As it comes: the cache finds a token by its hash. At its best it finds it by the token itself.
  overPlugin("Fastify", 1.6, "@fastify/jwt, its cache"),
  overPlugin("Hono", 2.5),
  overPlugin("Express", 1.1),
  overPlugin("Koa"),
  overPlugin("NestJS"),
  overPlugin("node:http"),
  {
    figure: "Allocated for a guarded request beyond the framework's own",
    unit: "bytes",
    under: 1500,
    measure: ({ framework, rows }) =>
      rows
        .filter(({ guard }) => ALL_OURS.includes(guard))
        .map(({ guard, allocatedBeyond }) => ({
          label: guard === OURS_CACHED ? framework : `${framework} ${guard.replace("latchkey, ", "")}`,
          of: allocatedBeyond,
        })),
  },
];

const AROUND: Readonly<Record<string, string>> = { [OURS_CACHED]: OURS_AROUND, [OURS]: OURS_AROUND_UNCACHED };

export function judge({ frameworks }: HttpResults): Verdict[] {
  return FIGURES.map((figure) => {
    const measured = frameworks
      .flatMap((framework) => figure.measure(framework))
      .map(({ label, of: spread }) => ({ label, spread, unit: figure.unit, isMet: meets(figure, spread.median) }))
      .sort((a, b) => severity(figure, b) - severity(figure, a));
    return {
      figure: figure.figure,
      target: targetText(figure),
      measured,
      isMet: measured.length === 0 || !hasTarget(figure) ? undefined : measured.every(({ isMet }) => isMet),
    };
  });
}

function overNoAuth(
  how: string,
  { guard, frameworks, atLeast }: { guard: string; frameworks: readonly Framework[]; atLeast?: number },
): Figure {
  return {
    figure: `${frameworks.join(", ")}: latchkey ${how}, over the same without auth`,
    unit: "times",
    ...(atLeast !== undefined && { atLeast }),
    // Where a guard can stand around a handler as well, both forms are held to it.
    measure: ({ framework, rows }) =>
      frameworks.includes(framework)
        ? [
            ...named(rows, guard).map(({ toNoAuth }) => ({ label: framework, of: toNoAuth })),
            ...named(rows, AROUND[guard]).map(({ toNoAuth }) => ({
              label: `${framework} around the handler`,
              of: toNoAuth,
            })),
          ]
        : [],
  };
}

/**
 * @param atLeast absent: measured, and not promised.
 * @param name of the plugin; absent: whichever costs least.
 */
function overPlugin(framework: Framework, atLeast?: number, name?: string): Figure {
  return {
    figure: `${framework}: latchkey over ${name ?? "the usual plugin at its best"}`,
    unit: "times",
    ...(atLeast !== undefined && { atLeast }),
    measure(results) {
      if (results.framework !== framework) return [];
      const plugin =
        name === undefined ? bestPlugin(results) : results.rows.filter(isPlugin).find(({ guard }) => guard === name);
      return plugin?.oursOver ? [{ label: plugin.guard, of: plugin.oursOver }] : [];
    },
  };
}

function named(rows: readonly Row[], name: string | undefined): readonly Row[] {
  return rows.filter(({ guard }) => guard === name);
}

function severity({ atLeast, unit }: Figure, { spread }: Measured): number {
  return atLeast === undefined && unit !== "times" ? spread.median : -spread.median;
}

function hasTarget({ atLeast, under }: Figure): boolean {
  return atLeast !== undefined || under !== undefined;
}

function meets({ atLeast, under }: Figure, value: number): boolean {
  return (atLeast === undefined || value >= atLeast) && (under === undefined || value < under);
}

function targetText({ atLeast, under, unit }: Figure): string {
  const suffix = unit === "times" ? "×" : ` ${unit}`;
  if (atLeast !== undefined) return `at least ${atLeast}${suffix}`;
  return under === undefined ? "no promise" : `under ${under}${suffix}`;
}
