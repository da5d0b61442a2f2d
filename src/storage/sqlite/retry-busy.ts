/** Waits for other processes without standing on the thread. */
import { setTimeout as sleep } from "node:timers/promises";
import { BUSY, resultCodeOf } from "./errors.ts";

/** Milliseconds between tries for a lock. */
const LOCK_RETRY = 10;

/** @param deadline by `performance.now()`. */
export async function retryBusy<T>(attempt: () => T, deadline: number): Promise<T> {
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (resultCodeOf(error) !== BUSY || performance.now() >= deadline) throw error;
    }
    await sleep(LOCK_RETRY);
  }
}
