/**
 * A gate in front of work that takes a core and memory: a few run at once, a bounded number waits, the rest is refused
 * at once. Without it a flood of logins takes every thread and all memory, and honest requests wait behind it.
 * There are two queues. Whoever is favoured waits in one of their own, which goes first three times of four: a flood of strangers fills the other.
 */
import { AuthError } from "../errors.ts";

export interface GateOptions {
  /** How many run at once. */
  readonly concurrency: number;
  /** How many may wait, in each of the two queues. */
  readonly queueLimit: number;
}

export interface GatePass {
  /** Waits among the favoured. Default false. */
  readonly isFavoured?: boolean;
}

export interface Gate {
  /** Runs the work when its turn comes. @throws AuthError `busy` (503) when the queue is full. */
  run<T>(work: () => Promise<T>, pass?: GatePass): Promise<T>;
  readonly running: number;
  readonly waiting: number;
  /** Whoever comes now has to wait. */
  readonly isBusy: boolean;
  /** Whoever comes now and is not favoured is refused. */
  readonly isFull: boolean;
}

/** Every so many places that come free go to the others, where both wait. */
const TURN_OF_OTHERS = 4;

export function createGate({ concurrency, queueLimit }: GateOptions): Gate {
  const favoured: (() => void)[] = [];
  const others: (() => void)[] = [];
  let running = 0;
  let handedOver = 0;

  function next(): (() => void) | undefined {
    const isTurnOfOthers = ++handedOver % TURN_OF_OTHERS === 0;
    const [first, second] = isTurnOfOthers ? [others, favoured] : [favoured, others];
    return first.shift() ?? second.shift();
  }

  return {
    async run(work, { isFavoured = false } = {}) {
      if (running >= concurrency) {
        const queue = isFavoured ? favoured : others;
        if (queue.length >= queueLimit) throw new AuthError("busy", { reason: "the password queue is full" });
        // The one who leaves hands the place over, so `running` stays as it is.
        await new Promise<void>((resolve) => queue.push(resolve));
      } else {
        running++;
      }
      try {
        return await work();
      } finally {
        const start = next();
        if (start) start();
        else running--;
      }
    },
    get running() {
      return running;
    },
    get waiting() {
      return favoured.length + others.length;
    },
    get isBusy() {
      return running >= concurrency;
    },
    get isFull() {
      return running >= concurrency && others.length >= queueLimit;
    },
  };
}
