/** Reading for a page: what is there stays shown while newer is on its way, and comes again when the server is back. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { call, isReachable } from "./api.ts";

export interface Read<T> {
  /** What was read last; `undefined` before the first answer. */
  readonly value: T | undefined;
  /** Why the last try failed; `undefined` when it did not. */
  readonly error: unknown;
  /** False while something else is asked for than what `value` was read from. */
  readonly isCurrent: boolean;
  reload(): Promise<void>;
}

/** Reads a path, or with `undefined` nothing; again every `every` milliseconds while the page is seen. */
export function useRead<T>(path: string | undefined, { every }: { readonly every?: number } = {}): Read<T> {
  return useReading(
    useCallback(() => (path === undefined ? undefined : call<T>("GET", path)), [path]),
    every,
  );
}

/** The same for any way of reading. @param read kept by `useCallback`; answers `undefined` when there is nothing to read. */
export function useReading<T>(read: () => Promise<T> | undefined, every?: number): Read<T> {
  const [state, setState] = useState<{
    readonly value?: T | undefined;
    readonly error?: unknown;
    readonly by?: unknown;
  }>({});
  const latest = useRef(0);

  const reload = useCallback(async () => {
    const turn = ++latest.current;
    const reading = read();
    if (!reading) return setState({});
    try {
      const value = await reading;
      // An older answer never replaces a newer one.
      if (turn === latest.current) setState({ value, by: read });
    } catch (error) {
      if (turn === latest.current) setState(({ value }) => ({ value, error, by: read }));
    }
  }, [read]);

  useEffect(() => {
    void reload();
    const stop = isReachable.subscribe(() => isReachable.value && void reload());
    const timer = every && setInterval(() => document.visibilityState === "visible" && void reload(), every);
    return () => {
      latest.current++;
      stop();
      if (timer) clearInterval(timer);
    };
  }, [reload, every]);

  return { value: state.value, error: state.error, isCurrent: state.by === read, reload };
}
