/**
 * A store as one server process sees it in a history: its calls take as long as the history says, and when the process
 * dies, what it had asked for may or may not have been done, and nobody is told.
 * The kernel lets one action come to rest before the next, so calls are done one at a time in the order of the history,
 * and every database gives the same answers.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { AuthError } from "../../src/errors.ts";
import * as queries from "../../src/storage/queries.ts";
import type { Statement, Storage } from "../../src/storage/storage.ts";
import type { Kernel } from "./kernel.ts";
import type { Operation, Recording } from "./record.ts";

/** The world of one history. */
export interface World {
  readonly kernel: Kernel;
  readonly recording: Recording;
}

/** One life of a server process. */
export interface ProcessLife {
  isOver: boolean;
  /** Calls on their way to the store: what would be done if they arrive. */
  readonly underWay: Set<() => Promise<unknown>>;
}

/** On whose behalf the store is called. */
export interface Scope {
  readonly life: ProcessLife;
  /** What is measured; `undefined` for the start of a process. */
  readonly operation: Operation | undefined;
  readonly delays: readonly (readonly [before: number, after: number])[];
  callCount: number;
  /** What still calls in its name, such as a timer, is ignored: histories have no real time in them. */
  isOver: boolean;
}

export interface TimedStorage extends Storage {
  /** Runs work whose calls to the store are timed as the scope says. */
  within<T>(scope: Scope, work: () => Promise<T>): Promise<T>;
  /** Ends a life. @param commits whether the calls that were under way are done. */
  kill(life: ProcessLife, commits: boolean): void;
}

/** What a guard or the feed reads, which takes no time: the store's part in a refresh is what histories are about. */
const UNTIMED = new Set(
  [queries.feedHead(), queries.feedSince(0), queries.sessionStanding(0), queries.keyRing(), queries.keys()].map(
    ({ strings }) => strings,
  ),
);

/** @param world the history that runs now. */
export function timeStorage(storage: Storage, world: () => World): TimedStorage {
  const scopes = new AsyncLocalStorage<Scope>();
  async function run<T>(call: () => Promise<T>, statements: readonly Statement[]): Promise<T> {
    const scope = scopes.getStore();
    if (!scope || scope.isOver) throw new AuthError("store_unavailable", { reason: "nobody asks" });
    if (statements.every(({ strings }) => UNTIMED.has(strings))) return call();
    const { operation, life } = scope;
    const { recording } = world();
    const [before, after] = scope.delays[scope.callCount++] ?? [0, 0];

    async function arrive(): Promise<T> {
      const result = await call();
      if (operation) {
        operation.lastCall = recording.next();
        operation.firstCall ??= operation.lastCall;
      }
      return result;
    }
    if (before > 0) await pause(before, life, arrive);
    const result = await arrive();
    if (after > 0) await pause(after, life);
    return result;
  }

  /** Lets so much time pass; never ends when the process dies meanwhile. */
  function pause(seconds: number, life: ProcessLife, call?: () => Promise<unknown>): Promise<void> {
    const { kernel } = world();
    kernel.leave();
    if (call) life.underWay.add(call);
    return new Promise((resolve) => {
      kernel.schedule(seconds, () => {
        if (life.isOver) return;
        if (call) life.underWay.delete(call);
        kernel.enter();
        resolve();
      });
    });
  }

  async function arriveAll(calls: Iterable<() => Promise<unknown>>): Promise<void> {
    for (const call of calls) await call().catch(() => {});
  }

  return {
    kind: storage.kind,
    // The history's clock is the store's.
    clockOffset: 0,
    migrate: () => storage.migrate(),
    read: (statement) => run(() => storage.read(statement), [statement]),
    write: (statements) => run(() => storage.write(statements), statements),
    // A process that ends leaves the store to the next.
    close: async () => {},

    within: (scope, work) => scopes.run(scope, work),

    kill(life, commits) {
      life.isOver = true;
      if (!commits) return;
      const { kernel } = world();
      kernel.enter();
      arriveAll(life.underWay).finally(kernel.leave);
    },
  };
}
