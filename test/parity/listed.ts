/**
 * The differences that docs/django.md lists, each with its reason. What the table does not say must not differ, and what it says must
 * still be so: a table that nobody holds to the truth soon is none.
 */
import { readFileSync } from "node:fs";
import type { Difference } from "./compare.ts";

/** A row: which requests, what of the answer, and what either side says. In each text "…" stands for anything. */
export interface Listed {
  readonly line: string;
  readonly requests: readonly RegExp[];
  readonly aspects: readonly string[];
  readonly django: readonly RegExp[];
  readonly ours: readonly RegExp[];
}

const PAGE = new URL("../../docs/django.md", import.meta.url);

export function readListed(text: string = readFileSync(PAGE, "utf8")): readonly Listed[] {
  const table = /<!-- differences: npm run parity -->\n([\s\S]*?)<!-- \/differences -->/.exec(text)?.[1];
  if (table === undefined) throw new Error("docs/django.md has no table of differences");
  const rows = table.split("\n").filter((line) => line.startsWith("| `"));
  return rows.map((line) => {
    const [, requests = "", aspects = "", django = "", ours = "", why = ""] = line.split(/(?<!\\)\|/);
    if (why.trim() === "") throw new Error(`a difference without a reason: ${line}`);
    return {
      line,
      requests: toPatterns(requests),
      aspects: aspects.split(",").map((aspect) => aspect.trim()),
      django: toPatterns(django),
      ours: toPatterns(ours),
    };
  });
}

/** The texts in backticks of a cell; a dash alone is the empty text. */
function toPatterns(cell: string): readonly RegExp[] {
  if (cell.trim() === "–") return [/^$/];
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, text = ""]) => {
    const parts = text.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join("[\\s\\S]*")}$`);
  });
}

export interface Judgement {
  /** Differences that no row names. */
  readonly unlisted: readonly Difference[];
  /** Rows that name no difference any more. */
  readonly stale: readonly string[];
}

export function judge(differences: readonly Difference[], listed: readonly Listed[]): Judgement {
  const used = new Set<Listed>();
  const unlisted = differences.filter(({ name, aspect, django, ours }) => {
    const rows = listed.filter(
      (row) =>
        row.aspects.includes(aspect) &&
        row.requests.some((pattern) => pattern.test(name)) &&
        row.django.some((pattern) => pattern.test(django)) &&
        row.ours.some((pattern) => pattern.test(ours)),
    );
    for (const row of rows) used.add(row);
    return rows.length === 0;
  });
  return { unlisted, stale: listed.filter((row) => !used.has(row)).map(({ line }) => line) };
}
