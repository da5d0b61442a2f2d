/**
 * Where a session is kept between tabs, pages and runs.
 * One method, because everything rests on one thing: read, decide and write as one step. The attempt id of a refresh is
 * made in such a step, so that all tabs send the same.
 */

export interface ClientStorage {
  /** True when others see it too: then tabs take turns, and tell each other. */
  readonly isShared: boolean;
  /**
   * Reads the text of a key, lets `change` decide what it is to be, and writes that, as one step.
   * @param change gets `undefined` where there is none and returns `undefined` to remove it. Synchronous.
   * @returns what is there afterwards.
   */
  update(key: string, change: (text: string | undefined) => string | undefined): Promise<string | undefined>;
}

export function memoryStorage(): ClientStorage {
  const texts = new Map<string, string | undefined>();
  return {
    isShared: false,
    async update(key, change) {
      const text = change(texts.get(key));
      texts.set(key, text);
      return text;
    },
  };
}

/** As much of the Web Storage interface as we use. */
interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, text: string): void;
  removeItem(key: string): void;
}

/** Two tabs may write at once here: what is read after writing counts. */
export function webStorage(): ClientStorage {
  return {
    isShared: true,
    async update(key, change) {
      // Named in here: where it is forbidden, naming it throws.
      const { localStorage } = globalThis as unknown as { localStorage: WebStorage };
      const old = localStorage.getItem(key) ?? undefined;
      const text = change(old);
      if (text === undefined) localStorage.removeItem(key);
      else if (text !== old) localStorage.setItem(key, text);
      return localStorage.getItem(key) ?? undefined;
    },
  };
}

/**
 * A storage that is full, forbidden (private windows, blocked cookies) or silent must not stop anybody from working: from its first
 * failure on this page goes on with a copy of its own, and `isShared` tells that tabs must be told more than "look".
 */
export function withFallback(storage: ClientStorage): ClientStorage & { readonly hasFailed: boolean } {
  const own = memoryStorage();
  let hasFailed = false;
  return {
    isShared: storage.isShared,
    get hasFailed() {
      return hasFailed;
    },
    async update(key, change) {
      if (!hasFailed) {
        let timer: ReturnType<typeof setTimeout> | undefined;
        try {
          const silence = new Promise<never>((_, reject) => {
            timer = setTimeout(reject, SILENCE);
          });
          const seen = (text: string | undefined) => {
            own.update(key, () => text);
            return change(text);
          };
          const text = await Promise.race([storage.update(key, seen), silence]);
          own.update(key, () => text);
          return text;
        } catch {
          hasFailed = true;
        } finally {
          clearTimeout(timer);
        }
      }
      return own.update(key, change);
    },
  };
}

/** Milliseconds. Browsers have had defects in which a database never opens. */
const SILENCE = 3_000;
