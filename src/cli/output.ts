/**
 * What commands print: tables for people, JSON for programs. JSON has the names of the HTTP API and instants in RFC 3339.
 * What users have chosen is printed without anything that could draw on the terminal.
 */

type Cell = string | number | boolean | null | undefined;

/** Seconds since 1970 as people read it, in UTC. */
export const toDate = (seconds: number | undefined): string =>
  seconds === undefined ? "" : toInstant(seconds).replace("T", " ").replace("Z", "");

const toInstant = (seconds: number) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

/** Prints a value as JSON: `createdAt: 1800000000` becomes `created_at: "2027-01-15T08:00:00Z"`. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(toWire(value), null, 2)}\n`);
}

function toWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== "object" || value === null) return value ?? null;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const isInstant = typeof member === "number" && /(?:At|From|Until)$/.test(name);
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return [snake, isInstant ? toInstant(member) : toWire(member)];
    }),
  );
}

/** Prints rows under their headings, or a sentence where there are none. */
export function printTable(headings: readonly string[], rows: readonly (readonly Cell[])[], none: string): void {
  if (rows.length === 0) {
    print(none);
    return;
  }
  const texts = [headings, ...rows].map((row) => row.map(toCell));
  const widths = headings.map((_, column) => Math.max(...texts.map((row) => widthOf(row[column] as string))));
  for (const row of texts) {
    print(
      row
        .map((text, column) => text + " ".repeat((widths[column] as number) - widthOf(text)))
        .join("  ")
        .trimEnd(),
    );
  }
}

/** Prints names and values under each other. */
export function printFacts(facts: Readonly<Record<string, Cell>>): void {
  const width = Math.max(...Object.keys(facts).map((name) => name.length));
  for (const [name, value] of Object.entries(facts)) print(`${name.padEnd(width)}  ${toCell(value)}`.trimEnd());
}

/** Prints a line. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function toCell(value: Cell): string {
  if (value === true) return "yes";
  if (value === false) return "no";
  return String(value ?? "").replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (c) => `\\u{${(c.codePointAt(0) as number).toString(16)}}`,
  );
}

const widthOf = (text: string) => [...text].length;
