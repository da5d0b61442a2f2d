/** Runs thousands of histories of one setting, counts, and shrinks the first that breaks a promise. */
import fc from "fast-check";
import type { Storage } from "../../src/storage/storage.ts";
import { check, type Fate, fateOf, isExcused, isSignOut, type Violation } from "./checker.ts";
import { historiesOf } from "./generate.ts";
import type { History } from "./history.ts";
import { minimize } from "./minimize.ts";
import type { Recording } from "./record.ts";
import { runHistory } from "./run-history.ts";
import type { Server } from "./server.ts";
import type { Setting } from "./settings.ts";

export interface Counts {
  histories: number;
  /** Requests that reached the server. */
  requests: number;
  /** Sessions that nobody ended and no thief touched, of clients that keep to the client's half. */
  honest: number;
  lost: number;
  /** The same of clients without attempt ids; what is lost of them came after the grace. */
  plain: number;
  plainLost: number;
  /** Sessions that a thief was given tokens of, by what became of them. */
  readonly thieves: Record<Fate, number>;
}

export interface Counterexample {
  readonly history: History;
  readonly recording: Recording;
  readonly violations: readonly Violation[];
  readonly shrinks: number;
  readonly seed: number;
}

export interface SimulationResult {
  readonly counts: Counts;
  readonly counterexample: Counterexample | undefined;
  readonly seconds: number;
}

export interface SimulationOptions {
  readonly setting: Setting;
  readonly server: Server;
  readonly storage: Storage;
  readonly histories: number;
  readonly seed: number;
  /** Told now and then how many histories have been run. */
  readonly onProgress?: (done: number) => void;
  /** Go on after a broken promise and only count. */
  readonly onlyCounts?: boolean;
  /** Stop at the first broken promise and take it as it is. */
  readonly isUnshrunk?: boolean;
}

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { setting, server, storage, histories, seed, onProgress, onlyCounts = false, isUnshrunk = false } = options;
  const counts = noCounts();
  const start = performance.now();
  let isShrinking = false;

  async function findBroken(history: History): Promise<readonly Violation["invariant"][]> {
    const violations = check(history, await runHistory(history, server, storage));
    return violations.map(({ invariant }) => invariant);
  }

  /** Whether a history breaks one of the same promises. */
  const createBreaks = (invariants: readonly Violation["invariant"][]) => async (history: History) =>
    (await findBroken(history)).some((invariant) => invariants.includes(invariant));

  const property = fc.asyncProperty(historiesOf(setting), async (history) => {
    const recording = await runHistory(history, server, storage);
    const violations = check(history, recording);
    if (!isShrinking) {
      count(counts, history, recording);
      if (counts.histories % 100 === 0) onProgress?.(counts.histories);
    }
    if (onlyCounts || violations.length === 0) return;
    isShrinking = true;
    throw new Error("a promise is broken");
  });
  const details = await fc.check(property, { numRuns: histories, seed, endOnFailure: isUnshrunk });
  const seconds = (performance.now() - start) / 1000;
  const found = details.counterexample?.[0];
  if (!details.failed || !found) return { counts, counterexample: undefined, seconds };
  const history = isUnshrunk ? found : await minimize(found, createBreaks(await findBroken(found)));
  const recording = await runHistory(history, server, storage);
  const violations = check(history, recording);
  return { counts, counterexample: { history, recording, violations, shrinks: details.numShrinks, seed }, seconds };
}

export const noCounts = (): Counts => ({
  histories: 0,
  requests: 0,
  honest: 0,
  lost: 0,
  plain: 0,
  plainLost: 0,
  thieves: { caught: 0, "shut out": 0, ended: 0, alone: 0, "at large": 0 },
});

function count(counts: Counts, { devices }: History, recording: Recording): void {
  const { operations, sessions } = recording;
  counts.histories++;
  counts.requests += operations.length;
  const end = recording.next();
  for (const session of sessions) {
    if (isExcused(session, end, recording)) continue;
    const isLost = operations.some(
      (operation) =>
        operation.by.is === "device" && operation.token?.session === session && isSignOut(operation, recording),
    );
    if (devices[session.device]?.attemptIds === "none") {
      counts.plain++;
      if (isLost) counts.plainLost++;
    } else {
      counts.honest++;
      if (isLost) counts.lost++;
    }
  }
  for (const session of sessions) {
    const fate = fateOf(session, recording);
    if (fate) counts.thieves[fate]++;
  }
}

/** Adds what another run has counted. */
export function addCounts(sum: Counts, { thieves, ...numbers }: Counts): void {
  for (const [name, value] of Object.entries(numbers)) sum[name as keyof typeof numbers] += value;
  for (const [fate, value] of Object.entries(thieves)) sum.thieves[fate as Fate] += value;
}
