/**
 * What was asked and answered, and the promises that it is held to afterwards. Clients write down every answer; nothing is judged while the servers are
 * being killed. The promises are those of docs/sessions.md, as far as they can be seen from outside.
 */

/** One request and its answer. Times are milliseconds by one monotonic clock. */
export interface Operation {
  readonly kind: "refresh" | "guard" | "end";
  /** The session, by a number of this history. */
  readonly session: number;
  /** The refresh token that was spent: its generation. */
  readonly presented?: number;
  readonly attempt?: string;
  readonly started: number;
  readonly ended: number;
  readonly outcome: Outcome;
  /** True for one who should not have the token. */
  readonly isThief?: boolean;
}

export type Outcome =
  /** A refresh was answered with tokens. */
  | { readonly is: "granted"; readonly generation: number; readonly refreshToken: string }
  /** A guard let pass, or an end was acknowledged. */
  | { readonly is: "done" }
  /** A verdict against the caller. */
  | { readonly is: "refused"; readonly status: number; readonly code: string }
  /** No verdict: no answer, 503, 429. */
  | { readonly is: "unknown"; readonly what: string };

export const PROMISES = {
  honest: "no honest client is ever signed out",
  fork: "a fork is caught at the next use outside the grace",
  child: "there is one live child per parent",
  end: "an acknowledged end stays ended",
  works: "a new token that was acknowledged works, or its parent's retry does",
  answer: "nothing but verdicts and 'not now' is answered",
  served: "every honest request is served",
  calm: "honest requests take less than twice their time",
  sane: "whatever is sent, there is no answer of 5xx and no crash",
  silent: "no secret is in the log",
  exact: "as many passwords are looked at as the limit says, and no more",
  flood: "a flood of logins keeps nobody out",
} as const;

export interface Violation {
  readonly promise: keyof typeof PROMISES;
  readonly what: string;
}

export interface CheckOptions {
  /** Milliseconds that a guard may still let pass after an end was acknowledged by another process. Default 0. */
  readonly feedDelay?: number;
  /** Milliseconds that a spent token is answered with its successor whoever brings it. Default 0. */
  readonly grace?: number;
}

/** Goes over a history. @returns what broke a promise; nothing when all is well. */
export function check(operations: readonly Operation[], { feedDelay = 0, grace = 0 }: CheckOptions = {}): Violation[] {
  const violations: Violation[] = [];
  const bySession = Map.groupBy(operations, ({ session }) => session);
  for (const [session, all] of bySession) {
    const ends = all.filter(({ kind, outcome }) => kind === "end" && outcome.is === "done");
    /** When it was first asked to end, answered or not: from then on a refusal is nobody's fault. */
    const endAsked = Math.min(...all.filter(({ kind }) => kind === "end").map(({ started }) => started));
    const endDone = Math.min(...ends.map(({ ended }) => ended));
    const stolen = Math.min(...all.filter(({ isThief }) => isThief).map(({ started }) => started));
    const texts = new Map<number, string>();
    let caught = Number.POSITIVE_INFINITY;

    for (const one of all) {
      const { kind, started, ended, outcome, isThief = false } = one;
      const label = `session ${session}, ${kind}${one.presented === undefined ? "" : ` of generation ${one.presented}`}`;
      if (outcome.is === "refused") {
        if (outcome.status >= 500)
          violations.push({ promise: "answer", what: `${label}: ${outcome.status} ${outcome.code}` });
        if (outcome.code === "refresh_token_reused") caught = Math.min(caught, ended);
        // Told that there is a newer token, and there is: another tab of the same client has it.
        const hasNewer = outcome.code === "refresh_superseded" && newestBefore(all, ended) > (one.presented ?? 0);
        const isExcused = isThief || hasNewer || ended >= endAsked || ended >= stolen;
        if (kind === "refresh" && !isExcused) violations.push({ promise: "honest", what: `${label}: ${outcome.code}` });
      }
      if (outcome.is === "granted") {
        const known = texts.get(outcome.generation);
        if (known !== undefined && known !== outcome.refreshToken) {
          violations.push({ promise: "child", what: `${label}: two tokens of generation ${outcome.generation}` });
        }
        texts.set(outcome.generation, outcome.refreshToken);
        const presented = one.presented ?? outcome.generation;
        if (outcome.generation !== presented && outcome.generation !== presented + 1) {
          violations.push({ promise: "child", what: `${label} was answered with generation ${outcome.generation}` });
        }
        if (started > endDone)
          violations.push({ promise: "end", what: `${label} was granted after the end was acknowledged` });
        const fork = forkOf(one, all, grace);
        if (fork !== undefined)
          violations.push({
            promise: "fork",
            what: `${label} was granted ${fork} ms after somebody else had spent it`,
          });
        if (started > caught) violations.push({ promise: "fork", what: `${label} was granted after reuse was found` });
      }
      if (kind === "guard" && outcome.is === "done" && started > endDone + feedDelay) {
        violations.push({
          promise: "end",
          what: `${label} let pass ${Math.round(started - endDone)} ms after the end`,
        });
      }
    }
    if (stolen !== Number.POSITIVE_INFINITY && caught === Number.POSITIVE_INFINITY) {
      violations.push({ promise: "fork", what: `session ${session}: two have its tokens, and nobody has noticed` });
    }
    // The newest token that was ever acknowledged must have led somewhere, or never have been tried.
    const granted = all.filter(
      ({ kind, outcome, isThief }) => kind === "refresh" && outcome.is === "granted" && !isThief,
    );
    const newest = Math.max(-1, ...granted.map(({ outcome }) => (outcome as { generation: number }).generation));
    const last = all.filter(({ kind, isThief }) => kind === "refresh" && !isThief).at(-1);
    if (last && last.outcome.is === "unknown" && endAsked === Number.POSITIVE_INFINITY) {
      violations.push({
        promise: "works",
        what: `session ${session}: after generation ${newest} nothing was answered any more`,
      });
    }
  }
  return violations;
}

/**
 * Milliseconds between the end of the grace and a grant of a token that another attempt had spent; `undefined` when it may be granted. An attempt's own
 * retries may, however late.
 */
function forkOf(
  { presented, attempt, started }: Operation,
  operations: readonly Operation[],
  grace: number,
): number | undefined {
  const spent = operations.filter(
    (other) => other.kind === "refresh" && other.presented === presented && other.started < started,
  );
  if (attempt === undefined || spent.some((other) => other.attempt === attempt || other.attempt === undefined))
    return undefined;
  const answered = spent.filter(({ outcome, ended }) => outcome.is === "granted" && ended + grace < started);
  const first = Math.min(...answered.map(({ ended }) => ended));
  return first === Number.POSITIVE_INFINITY ? undefined : Math.round(started - first);
}

/** The newest generation that was handed out before an instant. */
function newestBefore(operations: readonly Operation[], instant: number): number {
  let newest = -1;
  for (const { outcome, started } of operations) {
    if (outcome.is === "granted" && started < instant) newest = Math.max(newest, outcome.generation);
  }
  return newest;
}
