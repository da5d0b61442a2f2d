/**
 * The refresh rule: what a presented refresh token means for a session, as one pure function.
 * Strict rotation signs out the honest: two tabs, a lost answer, a closed lid. This rule gives everyone who is entitled
 * to a successor the same one, within a grace or for the same attempt id, and takes every other use of an old token for
 * theft. (RFC 9700 §4.14.2; docs/sessions.md tells it with pictures.)
 */

/** The session row together with its user, as far as the rule looks at them. Instants are seconds. */
export interface SessionState {
  readonly mode: "rotating" | "fixed";
  readonly generation: number;
  readonly rotatedAt: number;
  /** `hashAttempt` of the last four rotations, newest first; `NO_ATTEMPT` where one had none. */
  readonly attempts: readonly string[];
  readonly userEpoch: number;
  readonly idleExpiresAt: number;
  readonly absoluteExpiresAt: number;
  readonly endedAt: number | undefined;
  /** `undefined` when the user is gone. */
  readonly user: { readonly epoch: number; readonly isActive: boolean } | undefined;
}

export interface Presented {
  readonly generation: number;
  /** `hashAttempt` of the attempt id that came with it. */
  readonly attempt: string | undefined;
  readonly now: number;
  /** Seconds; 0 is strict: every token works once. */
  readonly grace: number;
}

export type Verdict =
  /** Row 2: compare-and-set to the next generation. */
  | { readonly do: "rotate" }
  /** Row 7: the store was restored from a backup; compare-and-set past the presented generation. */
  | { readonly do: "restore" }
  /** Rows 4–6: answer this generation's token again; nothing is advanced. */
  | { readonly do: "repeat"; readonly generation: number }
  /** Row 8: a late duplicate of an attempt that has been answered since. */
  | { readonly do: "superseded" }
  /** Row 3. */
  | { readonly do: "refuse"; readonly code: "session_ended" | "refresh_token_expired"; readonly reason: string }
  /** Row 10: somebody else has used this token. */
  | { readonly do: "reuse" };

export const NO_ATTEMPT = "-".repeat(32);
export const REMEMBERED_ATTEMPTS = 4;

/** Judges a token whose MAC and handle are right. The numbers are the rows of the table in docs/sessions.md. */
export function judgeRefresh(session: SessionState, { generation: k, attempt, now, grace }: Presented): Verdict {
  const { generation: G, user } = session;
  // 3
  if (session.endedAt !== undefined) return refuse("session_ended", "the session has ended");
  if (!user) return refuse("session_ended", "the user is gone");
  if (!user.isActive) return refuse("session_ended", "the user is inactive");
  if (user.epoch !== session.userEpoch) return refuse("session_ended", "the user's epoch has moved on");
  if (session.absoluteExpiresAt <= now) return refuse("refresh_token_expired", "past the session's longest life");
  if (session.idleExpiresAt <= now) return refuse("refresh_token_expired", "the session was idle for too long");

  if (session.mode === "fixed") {
    // 4. A fixed session never advances, so another generation can only come from a store that was once rotating.
    return k === G ? { do: "repeat", generation: k } : { do: "reuse" };
  }
  const elapsed = now - session.rotatedAt;
  if (k === G) {
    // 2 and 5. A session rotates at most once per grace, however many tabs ask.
    const mayRotate = k === 0 || grace === 0 || elapsed < 0 || elapsed > grace;
    return mayRotate ? { do: "rotate" } : { do: "repeat", generation: k };
  }
  if (k > G) return { do: "restore" }; // 7
  const distance = G - 1 - k;
  const isRemembered = attempt !== undefined && session.attempts[distance] === attempt;
  // 6. With a grace of 0 only the attempt id excuses a second use. Time that ran backwards counts as inside the grace.
  if (distance === 0 && (isRemembered || (grace > 0 && elapsed <= grace))) return { do: "repeat", generation: G };
  if (isRemembered) return { do: "superseded" }; // 8
  return { do: "reuse" }; // 10
}

const refuse = (code: "session_ended" | "refresh_token_expired", reason: string): Verdict => ({
  do: "refuse",
  code,
  reason,
});
