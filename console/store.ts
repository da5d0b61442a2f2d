/** One value that components follow. */
import { useLayoutEffect, useState } from "preact/hooks";

export interface Store<T> {
  readonly value: T;
  set(value: T): void;
  /** @returns what stops it. */
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get value() {
      return value;
    },
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** The value; renders again when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [value, setValue] = useState(() => store.value);
  useLayoutEffect(() => {
    const follow = () => setValue(() => store.value);
    follow();
    return store.subscribe(follow);
  }, [store]);
  return value;
}
