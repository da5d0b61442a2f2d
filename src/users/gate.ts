/**
 * A gate in front of work that takes a core and memory: a few run at once, a bounded number waits, the rest is refused
 * at once. Without it a flood of logins takes every thread and all memory, and honest requests wait behind it.
 */
import { AuthError } from "../errors.ts";

export interface GateOptions {
  /** How many run at once. */
  readonly concurrency: number;
  /** How many may wait. */
  readonly queueLimit: number;
}

export interface Gate {
  /** Runs the work when its turn comes. @throws AuthError `busy` (503) when the queue is full. */
  run<T>(work: () => Promise<T>): Promise<T>;
  readonly running: number;
  readonly waiting: number;
}

export function createGate({ concurrency, queueLimit }: GateOptions): Gate {
  const queue: (() => void)[] = [];
  let running = 0;

  return {
    async run(work) {
      if (running >= concurrency) {
        if (queue.length >= queueLimit) throw new AuthError("busy", { reason: "the password queue is full" });
        // The one who leaves hands the place over, so `running` stays as it is.
        await new Promise<void>((resolve) => queue.push(resolve));
      } else {
        running++;
      }
      try {
        return await work();
      } finally {
        const next = queue.shift();
        if (next) next();
        else running--;
      }
    },
    get running() {
      return running;
    },
    get waiting() {
      return queue.length;
    },
  };
}
