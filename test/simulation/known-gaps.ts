/**
 * What the engine is known not to keep, so that the simulation goes on finding what is not known. A gap that has been
 * closed is taken out of this list: the tests say so when the history that showed it does no longer.
 */
import type { Operation, Recording } from "./record.ts";

export const GAPS = {
  "access after a clock jump":
    "the feed's entries live by the wall clock: after a jump and back an access token of an ended session is let in until it expires",
  "access after a restore":
    "an end that follows a restore lives as long as the access tokens that the backup knows of; those given out since the backup outlive it",
} as const;

export type Gap = keyof typeof GAPS;

/** @param operation of an ended session that was let in. */
export function gapOf({ kind, started }: Operation, { jumps, restores }: Recording): Gap | undefined {
  if (kind !== "guard") return undefined;
  if (jumps.some(({ order }) => order < started)) return "access after a clock jump";
  if (restores.some(({ order }) => order < started)) return "access after a restore";
  return undefined;
}
