/** Counting by labels: plain integers that are put into words when they are read. */
import type { MetricSource, Sample } from "./metric.ts";

export interface Tally<Name extends string> extends MetricSource {
  /** One more with these labels, in the order of their names. */
  add(...values: readonly string[]): void;
  readonly labelNames: readonly Name[];
}

/** Beyond so many combinations of labels the rest is counted as "other": nobody must be able to fill our memory, or Prometheus's. */
const MOST_SERIES = 500;
const SEPARATOR = "\0";

export function createTally<const Name extends string>(
  name: string,
  help: string,
  labelNames: readonly Name[],
  mostSeries = MOST_SERIES,
): Tally<Name> {
  const counts = new Map<string, { count: number }>();
  const other = labelNames.map(() => "other").join(SEPARATOR);

  return {
    name,
    help,
    labelNames,
    type: "counter",
    add(...values) {
      const key = values.length === 1 ? (values[0] as string) : values.join(SEPARATOR);
      const known = counts.get(key) ?? (counts.size < mostSeries ? undefined : counts.get(other));
      if (known) known.count++;
      else counts.set(counts.size < mostSeries ? key : other, { count: 1 });
    },
    read: () =>
      [...counts].map(([key, { count }]): Sample => {
        const values = key.split(SEPARATOR);
        return { labels: Object.fromEntries(labelNames.map((label, i) => [label, values[i] as string])), value: count };
      }),
  };
}
