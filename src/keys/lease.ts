/**
 * The lease over the ring: of many instances one works at a time. A holder that dies loses it after half a minute, and
 * what it would have committed then is refused by the ring's version.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { AuthError } from "../errors.ts";
import * as queries from "../storage/queries.ts";
import type { Statement, Storage } from "../storage/storage.ts";
import type { System } from "../system.ts";

/** Seconds: making the slowest key takes one or two. */
const LEASE_TTL = 30;
/** Milliseconds between tries, and how long to go on trying. */
const PAUSE = 50;
const PATIENCE = 10_000;

export interface Lease {
  /**
   * Plans and commits a change, again when it was overtaken.
   * @param patience milliseconds to wait while others hold the lease. Default 10 seconds.
   * @returns false when the plan was empty.
   * @throws AuthError `busy` when others hold the lease for longer, and whatever the plan throws.
   */
  change(plan: () => Promise<readonly Statement[]>, patience?: number): Promise<boolean>;

  /** Lets the change under way finish, so that nobody waits for a lease that left with its holder; later ones are `busy`. */
  close(): Promise<void>;
}

export function createLease(storage: Storage, system: System): Lease {
  const holder = randomUUID();

  async function take(): Promise<number | undefined> {
    const now = system.now();
    const taken = await storage.write([queries.takeKeyLease(holder, now, now + LEASE_TTL)]);
    return taken?.[0]?.[0]?.version as number | undefined;
  }

  async function attempt(plan: () => Promise<readonly Statement[]>): Promise<boolean | undefined> {
    const version = await take();
    if (version === undefined) return undefined;
    let statements: readonly Statement[];
    try {
      statements = await plan();
    } catch (error) {
      await storage.write([queries.dropKeyLease(holder)]);
      throw error;
    }
    if (statements.length === 0) {
      await storage.write([queries.dropKeyLease(holder)]);
      return false;
    }
    const written = await storage.write([queries.changeKeyRing(version, holder), ...statements]);
    if (written) return true;
    await storage.write([queries.dropKeyLease(holder)]);
    return undefined;
  }

  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  return {
    change(plan, patience = PATIENCE) {
      // One holder is one at a time: two changes of one instance would both find the lease theirs.
      const run = last.then(async () => {
        const deadline = performance.now() + patience;
        for (;;) {
          if (isClosed) throw new AuthError("busy", { reason: "the engine was closed" });
          const isChanged = await attempt(plan);
          if (isChanged !== undefined) return isChanged;
          if (performance.now() >= deadline) {
            throw new AuthError("busy", {
              reason: "another instance holds the lease of the key ring",
              detail: "Another instance is changing the keys: try again in half a minute.",
              retryAfter: LEASE_TTL,
            });
          }
          await sleep(PAUSE * (0.5 + Math.random()));
        }
      });
      last = run.catch(() => {});
      return run;
    },

    async close() {
      isClosed = true;
      await last;
    },
  };
}
