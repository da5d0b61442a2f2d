/** How long something takes: counts in buckets, by one label. */
import type { MetricSource, Sample } from "./metric.ts";

export interface Histogram extends MetricSource {
  observe(label: string, seconds: number): void;
}

/** Seconds: from an answer out of memory to the time-out of the impatient. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function createHistogram(name: string, help: string, labelName: string): Histogram {
  const series = new Map<string, { readonly counts: Float64Array; sum: number; count: number }>();

  return {
    name,
    help,
    type: "histogram",
    observe(label, seconds) {
      let one = series.get(label);
      if (!one) {
        one = { counts: new Float64Array(BUCKETS.length), sum: 0, count: 0 };
        series.set(label, one);
      }
      one.sum += seconds;
      one.count++;
      const bucket = BUCKETS.findIndex((limit) => seconds <= limit);
      if (bucket >= 0) (one.counts[bucket] as number) += 1;
    },
    read: () =>
      [...series].flatMap(([label, { counts, sum, count }]): Sample[] => {
        const labels = { [labelName]: label };
        let below = 0;
        const buckets = BUCKETS.map((limit, i): Sample => {
          below += counts[i] as number;
          return { metricName: `${name}_bucket`, labels: { le: String(limit), ...labels }, value: below };
        });
        return [
          ...buckets,
          { metricName: `${name}_bucket`, labels: { le: "+Inf", ...labels }, value: count },
          { metricName: `${name}_sum`, labels, value: sum },
          { metricName: `${name}_count`, labels, value: count },
        ];
      }),
  };
}
