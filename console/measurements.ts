/**
 * What the server has counted, as rates over time. A server counts from its start on and each for itself, so readings are kept apart by
 * instance, and a counter that begins anew begins a new line.
 */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricsAnswer {
  readonly instance: string;
  readonly started_at: string;
  readonly metrics: readonly { readonly name: string; readonly samples: readonly Sample[] }[];
}

/** One reading, and when it came (milliseconds). */
export interface Measurement {
  readonly at: number;
  readonly answer: MetricsAnswer;
}

/** Milliseconds that are shown. */
export const WINDOW = 5 * 60_000;

/** Milliseconds between readings that are worth a rate. */
const SHORTEST = 1_000;

/** Adds a reading to those of its instance and forgets the oldest. */
export function addReading(
  readings: readonly Measurement[],
  answer: MetricsAnswer,
  at: number,
): readonly Measurement[] {
  const before = readings.at(-1);
  // Two that came together (a reload between two looks) tell nothing of how fast anything went.
  if (before && before.answer.instance === answer.instance && at - before.at < SHORTEST) return readings;
  const isSame = before?.answer.instance === answer.instance && before.answer.started_at === answer.started_at;
  return [...(isSame ? readings.filter((reading) => at - reading.at <= WINDOW) : []), { at, answer }];
}

export const samplesOf = ({ metrics }: MetricsAnswer, name: string): readonly Sample[] =>
  metrics.find((metric) => metric.name === name)?.samples ?? [];

/** The sum of what is chosen among the samples of a metric. */
export const sumOf = (answer: MetricsAnswer, name: string, choose: (sample: Sample) => boolean = () => true): number =>
  samplesOf(answer, name)
    .filter(choose)
    .reduce((sum, { value }) => sum + value, 0);

export interface Point {
  readonly at: number;
  readonly value: number;
}

/** How fast a count grows, per second, between each reading and the next. */
export function toRates(readings: readonly Measurement[], count: (answer: MetricsAnswer) => number): readonly Point[] {
  return readings.slice(1).map(({ at, answer }, i) => {
    const before = readings[i] as Measurement;
    const seconds = Math.max(0.001, (at - before.at) / 1000);
    return { at, value: Math.max(0, count(answer) - count(before.answer)) / seconds };
  });
}

/** What stood at each reading. */
export const toLevels = (
  readings: readonly Measurement[],
  level: (answer: MetricsAnswer) => number,
): readonly Point[] => readings.map(({ at, answer }) => ({ at, value: level(answer) }));

/** A round number that nothing shown is above: 1, 2 or 5 and zeros. */
export function toCeiling(most: number): number {
  if (most <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 5, 10].find((step) => step * power >= most) ?? 10) * power;
}

/** As few digits as tell the difference. */
export const toFigure = (value: number): string =>
  value === 0
    ? "0"
    : value < 10
      ? value.toLocaleString("en", { maximumSignificantDigits: 2 })
      : Math.round(value).toLocaleString("en");
