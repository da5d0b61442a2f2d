/**
 * What is measured, in the words of Prometheus: a metric has a name, a sentence, a type, and samples told apart by labels.
 * Nothing here is Prometheus's own, so that the same metrics are also JSON, and nothing is read before somebody asks.
 */
export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** Where it is not the metric's: those of a histogram end in `_bucket`, `_sum` and `_count`. */
  readonly metricName?: string;
}

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly samples: readonly Sample[];
}

/** A metric that is read when somebody asks. */
export interface MetricSource extends Omit<Metric, "samples"> {
  read(): readonly Sample[];
}

/** One number without labels; a missing one has no sample. */
export const gauge = (name: string, help: string, read: () => number | undefined): MetricSource => ({
  name,
  help,
  type: "gauge",
  read() {
    const value = read();
    return value === undefined ? [] : [{ labels: {}, value }];
  },
});
