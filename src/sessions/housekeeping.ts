/**
 * Housekeeping: rows that nothing refers to any more are deleted, a small batch at a time.
 * A dead session is kept for a week, so that a late token is told "ended" and an operator can look. After a jump of the
 * clock nothing is deleted for an hour: a clock that ran ahead would make the living look long dead. How the clock was before the start nobody
 * knows, so revocations, which live for minutes, are not deleted before tokens that they catch are dead by any clock.
 */
import * as queries from "../storage/queries.ts";
import type { Storage } from "../storage/storage.ts";
import type { System } from "../system.ts";

export interface HousekeepingOptions {
  readonly storage: Storage;
  readonly system: System;
  /** Seconds that a token which was taken back may have left to live, by far. Default one hour. */
  readonly longestLife?: number;
  /** Seconds that entries of the audit trail are kept. Default: for ever. */
  readonly auditKept?: number;
  /** Milliseconds between batches. Default 10 seconds. */
  readonly interval?: number;
}

export interface Housekeeping {
  /** Does one batch. @returns how many sessions were deleted. */
  step(): Promise<number>;
  stop(): void;
}

const INTERVAL = 10_000;
/** Seconds that a dead session is kept. */
const KEPT_FOR = 7 * 24 * 60 * 60;
/** Seconds without deletions after the clock jumped. */
const CAUTION = 60 * 60;
/** Seconds by which the two clocks may drift between steps and still count as one that ticks. */
const DRIFT = 30;
/** Ids looked at in one step: some milliseconds of the writer's time. */
const BATCH = 2000;

/** Works through the sessions by id, round and round, until `stop`. */
export function startHousekeeping({
  storage,
  system,
  longestLife = CAUTION,
  auditKept,
  interval = INTERVAL,
}: HousekeepingOptions): Housekeeping {
  let after = 0;
  let last = { wall: system.now(), monotonic: system.monotonic() };
  const revocationsFrom = last.monotonic + longestLife * 1000;
  let cautiousUntil = Number.NEGATIVE_INFINITY;

  async function step(): Promise<number> {
    const now = { wall: system.now(), monotonic: system.monotonic() };
    const jump = now.wall - last.wall - (now.monotonic - last.monotonic) / 1000;
    last = now;
    if (Math.abs(jump) > DRIFT) cautiousUntil = now.monotonic + CAUTION * 1000;
    if (now.monotonic < cautiousUntil) return 0;

    const [purged] =
      (await storage.write([
        queries.purgeSessions(after, after + BATCH, now.wall - KEPT_FOR),
        queries.purgeLimits(now.wall, BATCH),
        ...(auditKept === undefined ? [] : [queries.purgeAudit(now.wall - auditKept, BATCH)]),
        ...(now.monotonic < revocationsFrom ? [] : [queries.purgeRevocations(now.wall)]),
      ])) ?? [];
    const [largest] = await storage.read(queries.largestSessionId());
    after = after + BATCH < ((largest?.id as number | null) ?? 0) ? after + BATCH : 0;
    return purged?.length ?? 0;
  }

  // What fails now is tried again at the next step.
  const timer = setInterval(() => step().catch(() => {}), interval);
  timer.unref();
  return { step, stop: () => clearInterval(timer) };
}
