/**
 * Where a session is kept between tabs, pages and runs.
 * One method, because everything rests on one thing: read, decide and write as one step. The attempt id of a refresh is
 * made in such a step, so that all tabs send the same.
 */

/** Decides what a text is to be; `undefined` where there is none, or to remove it. Synchronous. */
export type Decide = (text: string | undefined) => string | undefined;

export interface ClientStorage {
  /**
   * Reads the text of a key, lets `decide` say what it is to be, and writes that, as one step.
   * @returns what is there afterwards.
   */
  update(key: string, decide: Decide): Promise<string | undefined>;
}

/** Two tabs may write at once here: what is read after writing counts. */
export const webStorage = (): ClientStorage => ({
  async update(key, decide) {
    // Named in here: where it is forbidden, naming it throws.
    const { localStorage: texts } = globalThis as unknown as { localStorage: Record<string, string> };
    const old = texts[key];
    const text = decide(old);
    if (text === undefined) delete texts[key];
    else if (text !== old) texts[key] = text;
    return texts[key];
  },
});

/** Milliseconds. Browsers have had defects in which a database never opens. */
const SILENCE = 3_000;

export interface Kept {
  /** True when this page is on its own: it has no storage, or had to do without. */
  readonly isAlone: boolean;
  update(decide: Decide): Promise<string | undefined>;
}

/**
 * Keeps one text in a storage, or in memory where there is none.
 * A storage that is full, forbidden (private windows, blocked cookies) or silent must not stop anybody from working: from its
 * first failure on this page goes on with a copy of its own.
 */
export function keepIn(storage: ClientStorage | undefined, key: string): Kept {
  let isAlone = !storage;
  let own: string | undefined;
  return {
    get isAlone() {
      return isAlone;
    },
    async update(decide) {
      if (storage && !isAlone) {
        try {
          const updating = storage.update(key, (text) => {
            own = text;
            return decide(text);
          });
          // Once there is a session nothing hurries: a page that slept must not take its own sleep for silence.
          own = await (own ? updating : Promise.race([updating, silence()]));
          return own;
        } catch {
          isAlone = true;
        }
      }
      own = decide(own);
      return own;
    },
  };
}

const silence = () =>
  new Promise<never>((_, reject) => {
    AbortSignal.timeout(SILENCE).addEventListener("abort", reject);
  });
