/** Instants, as people say them; the exact one is a touch or a hover away. */
import { useEffect, useState } from "preact/hooks";

const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const day = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** @param now milliseconds. */
export function toRelative(instant: string, now = Date.now()): string {
  const seconds = (Date.parse(instant) - now) / 1000;
  const unit = UNITS.find(([, size]) => Math.abs(seconds) >= size);
  return unit ? relative.format(Math.trunc(seconds / unit[1]), unit[0]) : seconds > 0 ? "in a moment" : "just now";
}

export const toExact = (instant: string): string => exact.format(new Date(instant));
export const toTime = (instant: string): string => clock.format(new Date(instant));
export const toDay = (instant: string): string => day.format(new Date(instant));

/** @param at RFC 3339. */
export function Time({ at }: { readonly at: string }) {
  useClock(30_000);
  return (
    <time dateTime={at} title={toExact(at)}>
      {toRelative(at)}
    </time>
  );
}

/** Renders again every so many milliseconds. @returns the time, in milliseconds. */
export function useClock(every: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}
