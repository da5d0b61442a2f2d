/** A refresh rule as those meet it who hold its tokens: what the scenarios are played against. Instants are seconds. */

export type RuleAnswer =
  /** `generation` where the answer says which of two tokens is the newer. */
  | { readonly is: "token"; readonly token: string; readonly generation?: number }
  /** A newer token has been given out for this attempt: look again at what you have stored. */
  | { readonly is: "superseded" }
  | { readonly is: "refused" };

/** One session under a rule. */
export interface RuleSession {
  /** The token of the login. */
  readonly first: string;
  refresh(token: string, now: number, attempt: string | undefined): RuleAnswer | Promise<RuleAnswer>;
}

export interface RefreshRule {
  readonly name: string;
  /** Whether a client can excuse a late retry with an attempt id. */
  readonly knowsAttempts: boolean;
  logIn(now: number): RuleSession | Promise<RuleSession>;
}

export const REFUSED: RuleAnswer = { is: "refused" };
