/**
 * What tabs know of each other: whose turn it is, and that something has changed.
 * Nothing rests on it. A lock that is not had in time is done without, since the server answers all tabs alike; it only
 * saves requests.
 */

/** Milliseconds. A tab that froze while it held the lock must not stop the others. */
const LOCK_WAIT = 3_000;

export interface Tabs {
  /** Runs when no other tab does, or after a short wait anyway. */
  inTurn<T>(run: () => Promise<T>): Promise<T>;
  tell(message: string | undefined): void;
  close(): void;
}

export function joinTabs(name: string, onTold: (message: string | undefined) => void): Tabs {
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event) => onTold(event.data as string | undefined);
  // In Node it would keep the process alive.
  (channel as { unref?: () => void }).unref?.();
  return {
    async inTurn(run) {
      let isMine = false;
      try {
        return await navigator.locks.request(name, { signal: AbortSignal.timeout(LOCK_WAIT) }, () => {
          isMine = true;
          return run();
        });
      } catch (error) {
        // Its own failure; otherwise there are no locks here, or none in time.
        if (isMine) throw error;
        return run();
      }
    },
    tell: (message) => channel.postMessage(message),
    close: () => channel.close(),
  };
}
