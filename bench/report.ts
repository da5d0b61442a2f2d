/** Numbers and tables as text: for the terminal and for Markdown, which is the same text here. */
import type { Machine } from "./machine.ts";
import type { Spread } from "./measure.ts";

export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
}

/** A Markdown table whose columns also line up in a terminal. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, 3, ...rows.map((row) => (row[index] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${columns.map(({ align }, index) => pad(cells[index] ?? "", widths[index]!, align)).join(" | ")} |`;
  const rule = columns.map(({ align }, index) =>
    align === "right" ? `${"-".repeat(widths[index]! - 1)}:` : "-".repeat(widths[index]!),
  );
  return [line(columns.map(({ title }) => title)), line(rule), ...rows.map(line)].join("\n");
}

/** Three significant digits, never an exponent. */
export function number(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString("en-US");
  if (size >= 10) return value.toFixed(1);
  return value.toFixed(size >= 0.1 ? 2 : 3);
}

/** `1.12× (1.08–1.19)`: the median, and the 10th and 90th percentile of the rounds. */
export function times(spread: Spread): string {
  return `${number(spread.median)}× (${between(spread)})`;
}

export function between({ p10, p90 }: Spread): string {
  return `${number(p10)}–${number(p90)}`;
}

export function machineText({ cpu, cores, platform, node, openssl, date }: Machine): string {
  return `${cpu}, ${cores} cores, ${platform} · Node ${node}, OpenSSL ${openssl} · ${date}`;
}

function pad(text: string, width: number, align: Column["align"]): string {
  return align === "right" ? text.padStart(width) : text.padEnd(width);
}
