/**
 * The discrete-event kernel: a virtual clock and what is to happen when.
 * Between two actions it waits until all real work (the engine, the database) has either finished or come to rest in front
 * of a wait that is itself scheduled, so a history runs as fast as the machine can and always in the same order.
 */

export interface Kernel {
  /** Whole seconds since the history began. It never jumps. */
  readonly now: number;
  /** Does something after so many seconds; of two things due at the same instant the one scheduled first comes first. */
  schedule(after: number, action: () => void): void;
  /** Real work has begun: time stands until it leaves. */
  enter(): void;
  /** Real work has finished, or waits for something scheduled. */
  leave(): void;
  /** Runs until nothing is scheduled any more. */
  run(): Promise<void>;
}

interface Due {
  readonly at: number;
  readonly action: () => void;
}

/** No history needs so many; one that does goes round in circles. */
const MOST_ACTIONS = 100_000;

export function createKernel(): Kernel {
  /** Latest first, so that the next is taken from the end. */
  const agenda: Due[] = [];
  let now = 0;
  let working = 0;
  let actionCount = 0;
  let onRest: (() => void) | undefined;

  return {
    get now() {
      return now;
    },

    schedule(after, action) {
      const at = now + after;
      let place = agenda.length;
      while (place > 0 && (agenda[place - 1] as Due).at <= at) place--;
      agenda.splice(place, 0, { at, action });
    },

    enter() {
      working++;
    },

    leave() {
      working--;
      if (working === 0) onRest?.();
    },

    async run() {
      for (let due = agenda.at(-1); due; due = agenda.at(-1)) {
        agenda.pop();
        if (++actionCount > MOST_ACTIONS) throw new Error(`a history does not end: ${now} s after it began`);
        now = due.at;
        due.action();
        if (working === 0) continue;
        await new Promise<void>((resolve) => {
          onRest = resolve;
        });
        onRest = undefined;
      }
    },
  };
}
