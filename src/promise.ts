/** Answers that are there at once or come later. */

/**
 * True for what has to be waited for. `instanceof Promise` would miss the promises of async functions where a program has put another class in the place
 * of the global one, as zone.js does, and a guard that takes a promise for an identity lets everybody pass.
 */
export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === "function";
}
