/**
 * What is to be done about the ring, as one pure function of its rows and the time.
 * A key goes next → active → retiring → retired. It is published before it signs, for as long as anyone may hold an older
 * JWKS, and verifies until the last token that it has signed is dead.
 */

import type { KeyInfo, KeyRecord } from "./key-record.ts";
import { isSecretAlgorithm } from "./secret-keys.ts";

/** All in seconds. */
export interface RingTimes {
  /** A pair signs for so long. */
  readonly rotateEvery: number;
  /** A key is published for so long before it signs. */
  readonly lead: number;
  /** The last token of a key is dead so long after the key has stopped to sign. */
  readonly verifiesFor: number;
}

export type RingTask =
  /** Nothing signs. */
  | "begin"
  /** A pair signs, and there is none to follow it. */
  | "publish"
  | "rotate"
  /** Keys have outlived their tokens. */
  | "retire";

/** Seconds that a retired key stays in the list. */
export const KEPT_FOR = 90 * 24 * 60 * 60;

export const activeOf = <K extends KeyInfo>(keys: readonly K[]) => keys.find(({ state }) => state === "active");
export const nextOf = <K extends KeyInfo>(keys: readonly K[]) => keys.find(({ state }) => state === "next");

/** True for a key that verifies now. */
export function isLive({ state, verifiesUntil = 0 }: KeyInfo, now: number): boolean {
  return state === "next" || state === "active" || (state === "retiring" && now < verifiesUntil);
}

/** When the next key may begin to sign. */
export const signsFrom = ({ publishedAt }: KeyInfo, { lead }: RingTimes): number => publishedAt + lead;

/** @returns the task that comes first; `undefined` when all is well. */
export function findTask(keys: readonly KeyRecord[], now: number, times: RingTimes): RingTask | undefined {
  const active = activeOf(keys);
  const next = nextOf(keys);
  if (!active) return "begin";
  if (keys.some((key) => key.state === "retiring" && !isLive(key, now))) return "retire";
  if (!next) return isSecretAlgorithm(active.alg) ? undefined : "publish";
  const isDue = next.alg !== active.alg || now >= (active.activatedAt ?? 0) + times.rotateEvery;
  return isDue && now >= signsFrom(next, times) ? "rotate" : undefined;
}
