/** Seconds, by the clock that nobody sets: the device's own may be a day off, or jump. */
export const now = (): number => performance.now() / 1000;
