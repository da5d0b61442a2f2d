/**
 * Watching a token: for what outlives a request, such as a WebSocket or a stream of events. A guard judges once; a connection that stays open has to be
 * closed when the token that opened it expires or is taken back.
 */
import type { Identity } from "./auth-interface.ts";
import { AuthError } from "./errors.ts";
import { isPromise } from "./promise.ts";
import type { System } from "./system.ts";

export interface WatchOptions {
  /** Aborted when nobody needs the answer any more, as when the connection has closed: then nothing is watched. */
  readonly signal?: AbortSignal;
}

export interface WatchSource {
  /** The token that an identity was made of. */
  tokenOf(identity: Identity): string | undefined;
  authenticate(accessToken: string): Identity | Promise<Identity>;
  /** Calls back when something was taken back. @returns how to stop. */
  onEntries(listener: () => void): () => void;
  readonly system: Pick<System, "now">;
}

/** Milliseconds between looks when nothing is heard: a feed that has gone stale says nothing. */
const LOOK_INTERVAL = 10_000;
/** The longest time-out that there is, in milliseconds. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/**
 * Makes `auth.watch`.
 * Whatever stands against the token aborts its signal, a store that can't say included: a connection is not kept open on a guess.
 */
export function createWatch({ authenticate, tokenOf, onEntries, system }: WatchSource) {
  return (who: string | Identity, { signal: until }: WatchOptions = {}): AbortSignal => {
    // A copy of an identity, or what is neither, is no token that is good.
    const accessToken = typeof who === "object" && who !== null ? (tokenOf(who) ?? "") : who;
    const controller = new AbortController();
    let expiry: NodeJS.Timeout | undefined;

    function stop(): void {
      clearTimeout(expiry);
      clearInterval(looking);
      unsubscribe();
      until?.removeEventListener("abort", stop);
    }
    function end(reason: unknown): void {
      stop();
      controller.abort(reason);
    }
    function expireAt({ claims: { exp } }: Identity): void {
      if (expiry !== undefined || controller.signal.aborted || until?.aborted) return;
      const left = Math.max(0, exp - system.now()) * 1000;
      const reason = new AuthError("token_expired", { reason: "it expired while it was watched" });
      if (left <= LONGEST_TIMEOUT) expiry = setTimeout(end, left, reason).unref();
    }
    function look(): void {
      try {
        const identity = authenticate(accessToken);
        if (isPromise(identity)) identity.then(expireAt, end);
        else expireAt(identity);
      } catch (error) {
        end(error);
      }
    }

    const looking = setInterval(look, LOOK_INTERVAL).unref();
    const unsubscribe = onEntries(look);
    until?.addEventListener("abort", stop);
    if (until?.aborted) stop();
    else look();
    return controller.signal;
  };
}
