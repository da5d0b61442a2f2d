/**
 * The server's clock as seen from here. Many instances judge the same session, so they go by one clock: that of the store.
 * Between samples it runs on this machine's monotonic clock, so a wall clock that is set moves nothing.
 */

export interface StoreClock {
  /** Whole seconds to add to this machine's wall clock; 0 until the first sample. */
  offset(): number;
  /** Takes a sample when the last is older than a second, without anyone waiting for it. */
  keep(): void;
  sample(): Promise<void>;
}

/** Milliseconds. */
const SAMPLE_INTERVAL = 1_000;
/** Milliseconds; a slower answer says too little about when it was made. */
const LONGEST_TRIP = 1_000;

/** @param ask the server's time, in milliseconds since 1970. */
export function createStoreClock(ask: () => Promise<number>): StoreClock {
  /** The server's time at monotonic zero. */
  let origin: number | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;

  async function sample(): Promise<void> {
    askedAt = performance.now();
    const start = askedAt;
    const time = await ask();
    const end = performance.now();
    if (end - start <= LONGEST_TRIP) origin = time - (start + end) / 2;
  }

  return {
    // Rounding gives -0 where there is no difference.
    offset: () => (origin === undefined ? 0 : Math.round((origin + performance.now() - Date.now()) / 1000) || 0),
    keep() {
      if (performance.now() - askedAt >= SAMPLE_INTERVAL) sample().catch(() => {});
    },
    sample,
  };
}
