/**
 * Holds the record of a history to the five promises of docs/sessions.md, and to two more that follow from them. It knows
 * what was asked and answered, and nothing of how the engine comes to its answers.
 */
import { endInForce, isReuse, mayEnd } from "./ends.ts";
import { type History, PROMISED_GRACE } from "./history.ts";
import type { Issued, Operation, Recording, SessionRecord } from "./record.ts";

export const INVARIANTS = {
  honest: "no honest client is ever signed out",
  fork: "a fork is caught at the next use outside the grace",
  child: "one live child per parent",
  end: "an acknowledged end stays ended",
  works: "a new token that was acknowledged works, or its parent's retry does",
  ahead: "no token is ahead of a store that was not restored",
  defect: "every failure has a code of its own",
} as const;

export interface Violation {
  readonly invariant: keyof typeof INVARIANTS;
  readonly what: string;
  readonly operation: Operation | undefined;
}

/** @returns what is wrong, in the order it happened within each promise; nothing when all is well. */
export function check(history: History, recording: Recording): Violation[] {
  return [
    ...checkHonest(history, recording),
    ...checkForks(recording),
    ...checkChildren(recording),
    ...checkEnds(recording),
    ...checkFinals(recording),
    ...checkAheads(recording),
    ...recording.operations
      .filter(({ outcome }) => outcome?.is === "refused" && outcome.code === "internal")
      .map((operation) => violation("defect", "the engine failed", operation)),
  ];
}

/** True when somebody or something has given the session a reason to be over by then. */
export function isExcused(session: SessionRecord, order: number, recording: Recording): boolean {
  return (
    recording.operations.some(
      (operation) =>
        operation.started < order &&
        // The owner asked for it, whether or not the owner was told that it was done; or a thief was here.
        ((operation.kind !== "refresh" && mayEnd(operation, session)) || isTheft(operation, session)),
    ) || isForgotten(session, order, recording)
  );
}

const isTheft = ({ by, token }: Operation, session: SessionRecord) => by.is === "thief" && token?.session === session;

/** True when the store was restored to a time before the login. */
function isForgotten({ login }: SessionRecord, order: number, { restores }: Recording): boolean {
  return restores.some((restore) => restore.order < order && restore.backup < (login.lastCall as number));
}

function checkHonest({ devices }: History, recording: Recording): Violation[] {
  const lost = [...recording.operations, ...recording.givenUp].filter((operation) => {
    const { by, kind, token, outcome, settled } = operation;
    if (by.is !== "device" || kind !== "refresh" || outcome?.is !== "refused" || settled === undefined) return false;
    // Told to look again, which it does; or nobody was there to hear it.
    if (!isSignOut(operation, recording)) return false;
    const { session } = token as Issued;
    if (isExcused(session, settled, recording)) return false;
    return devices[by.device]?.attemptIds !== "none" || !isAfterGrace(session, settled, recording);
  });
  return [...new Set(lost)].map((operation) => violation("honest", "an honest client was refused", operation));
}

/**
 * A client without attempt ids has the grace only: true when the session was ended by a second use that came after it,
 * or when the clock was set between the two uses.
 */
function isAfterGrace(session: SessionRecord, order: number, { operations, jumps, restores }: Recording): boolean {
  const second = operations.find((operation) => isReuse(operation) && operation.token?.session === session);
  if (!second || second.started >= order) return false;
  const until = second.settledAt as number;
  return operations.some((first) => {
    const isEarlier = first !== second && first.started < (second.settled as number);
    if (!isEarlier || first.token?.text !== second.token?.text || !maySpend(first)) return false;
    const since = Math.min(first.startedAt, second.startedAt);
    const isSet = [...jumps, ...restores].some(({ at }) => at >= since && at <= until);
    return isSet || until - first.startedAt > PROMISED_GRACE;
  });
}

/** True for a refresh that may have advanced the session. */
const maySpend = ({ outcome, token }: Operation) =>
  outcome === undefined || (outcome.is === "granted" && outcome.token.text !== token?.text);

/** True when a client that is answered so, or was, has to sign in again. */
export function isSignOut(operation: Operation, { givenUp }: Recording): boolean {
  const { outcome } = operation;
  if (outcome?.is !== "refused") return false;
  return outcome.code.startsWith("refresh_token_") || outcome.code === "session_ended" || givenUp.includes(operation);
}

/** A token that had been spent works again only inside the grace, or for an attempt that is known. */
function checkForks(recording: Recording): Violation[] {
  const violations: Violation[] = [];
  for (const use of recording.operations) {
    if (use.outcome?.is !== "granted" || !use.token) continue;
    const since = lastRestore(recording, use.settled as number);
    const others = recording.operations.filter(
      (other) => other !== use && other.token?.text === use.token?.text && other.started < (use.settled as number),
    );
    const isSpent = others.some(
      ({ outcome, token, started, settled }) =>
        started > since &&
        settled !== undefined &&
        settled < use.started &&
        outcome?.is === "granted" &&
        outcome.token.generation > (token as Issued).generation,
    );
    const isLate = others.every(({ wall }) => use.wall - wall > PROMISED_GRACE);
    const isKnown = use.attempt !== undefined && others.some(({ attempt }) => attempt === use.attempt);
    if (isSpent && isLate && !isKnown) violations.push(violation("fork", "a spent token was accepted", use));
  }
  for (const session of recording.sessions) {
    if (fateOf(session, recording) !== "at large") continue;
    const use = usesOf(session, recording).findLast(({ by }) => by.is === "thief") as Operation;
    violations.push(violation("fork", "owner and thief have both come back, and the thief is still let in", use));
  }
  return violations;
}

/**
 * What became of a session that a thief was given tokens of: ended because of it; ended by its owner anyway; the thief is
 * given nothing any more; or the owner did not come back to be compared with. "at large" is what must not be.
 */
export type Fate = "caught" | "ended" | "shut out" | "alone" | "at large";

/** @returns `undefined` for a session that no thief was given tokens of. */
export function fateOf(session: SessionRecord, recording: Recording): Fate | undefined {
  const uses = usesOf(session, recording);
  const thefts = uses.filter(({ by }) => by.is === "thief");
  if (!thefts.some(({ outcome }) => outcome?.is === "granted")) return undefined;
  if (uses.some(isReuse)) return "caught";
  const givesUp = recording.givenUp.some(({ token }) => token?.session === session);
  const last = uses.findLast(({ by }) => by.is === "probe");
  if (last?.outcome?.is === "refused") return givesUp ? "caught" : "ended";
  if (givesUp) return "at large";
  if (!recording.contested.includes(session)) return "alone";
  return thefts.at(-1)?.outcome?.is === "refused" ? "shut out" : "at large";
}

const usesOf = (session: SessionRecord, { operations }: Recording) =>
  operations.filter(({ kind, token }) => kind === "refresh" && token?.session === session);

const lastRestore = ({ restores }: Recording, order: number) =>
  restores.findLast((restore) => restore.order < order)?.order ?? 0;

/** Whoever spends a token gets the same successor, or the token itself. */
function checkChildren({ operations }: Recording): Violation[] {
  const children = new Map<string, string>();
  return operations
    .filter(({ kind, token, outcome }) => {
      if (kind !== "refresh" || outcome?.is !== "granted" || !token) return false;
      const { text, session, generation } = outcome.token;
      if (session !== token.session) return true;
      if (text === token.text) return false;
      if (generation !== token.generation + 1) return true;
      const known = children.get(token.text);
      children.set(token.text, text);
      return known !== undefined && known !== text;
    })
    .map((operation) => violation("child", "a token was answered with what is not its one child", operation));
}

function checkEnds(recording: Recording): Violation[] {
  const violations: Violation[] = [];
  for (const operation of recording.operations) {
    const { kind, outcome, started } = operation;
    const session = kind === "guard" ? operation.session : operation.token?.session;
    if (!session || (outcome?.is !== "granted" && !(kind === "guard" && outcome?.is === "done"))) continue;
    if (!endInForce(session, started, recording)) continue;
    violations.push(violation("end", "an ended session was let in", operation));
  }
  for (const { session, first, last } of recording.endings) {
    if (last === first) continue;
    const what = `session ${session.number} had ended (${first}), and now: ${last ?? "lives"}`;
    violations.push({ invariant: "end", what, operation: undefined });
  }
  return violations;
}

function checkFinals(recording: Recording): Violation[] {
  const violations: Violation[] = [];
  for (const { token, isGood } of recording.finals) {
    const { session } = token;
    const use = recording.operations.findLast(
      ({ by, kind, outcome }) =>
        by.is === "device" && kind === "refresh" && outcome?.is === "granted" && outcome.token.session === session,
    );
    if (isGood || !use || isExcused(session, use.settled as number, recording)) continue;
    violations.push(violation("works", "its access token opens nothing", use));
  }
  for (const operation of recording.operations) {
    const { outcome, kind } = operation;
    if (kind === "refresh" && outcome?.is === "granted" && outcome.expiresIn <= 0) {
      violations.push(violation("works", "the access token was dead on arrival", operation));
    }
  }
  return violations;
}

function checkAheads({ aheads, restores }: Recording): Violation[] {
  return aheads
    .filter(({ order }) => !restores.some((restore) => restore.order < order))
    .map(({ generation }) => ({
      invariant: "ahead",
      what: `generation ${generation} was ahead of the store`,
      operation: undefined,
    }));
}

const violation = (invariant: Violation["invariant"], what: string, operation: Operation): Violation => ({
  invariant,
  what,
  operation,
});
