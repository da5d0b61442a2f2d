/** What the chart shows of the results: how many requests are left of a framework's own when its route is guarded. */
import type { Bar, Chart, Panel } from "../chart.ts";
import { number } from "../report.ts";
import { NO_AUTH, OURS, OURS_CACHED } from "./application.ts";
import { bestPlugin, type FrameworkResults, type HttpResults, type Row } from "./results.ts";

const SHOWN: readonly {
  readonly label: string;
  readonly isOurs: boolean;
  of(results: FrameworkResults): Row | undefined;
}[] = [
  { label: "no auth", isOurs: false, of: (results) => guarded(results, NO_AUTH) },
  { label: "latchkey", isOurs: true, of: (results) => guarded(results, OURS_CACHED) },
  { label: "latchkey, no cache", isOurs: true, of: (results) => guarded(results, OURS) },
  { label: "the usual plugin", isOurs: false, of: bestPlugin },
];

export function toChart({ frameworks, machine, versions }: HttpResults): Chart {
  const plugins = frameworks.flatMap((results) => {
    const plugin = bestPlugin(results);
    return plugin ? [`${results.framework}: ${plugin.guard}`] : [];
  });
  return {
    title: "What a guard leaves of a framework's speed",
    subtitle: `Requests per CPU second over those of the same framework without auth (dotted line); longer is better`,
    footnote: `${plugins.join(" · ")} · Node ${machine.node} · latchkey ${versions.latchkey} · ${machine.date}`,
    rows: SHOWN,
    panels: frameworks.map(toPanel),
  };
}

function toPanel(results: FrameworkResults): Panel {
  const bars = SHOWN.map(({ of }): Bar | undefined => {
    const row = of(results);
    return row && { value: row.toNoAuth.median, text: number(row.toNoAuth.median) };
  });
  return { title: results.framework, reference: 1, bars };
}

function guarded({ rows }: FrameworkResults, name: string): Row | undefined {
  return rows.find(({ guard }) => guard === name);
}
