/**
 * The record of a history: every operation that reached the server, what it was answered, and every change of the
 * circumstances. The checker looks at nothing else. Order is told by `order`, one count for all, and not by clocks.
 */
import type { AuthErrorCode } from "../../src/errors.ts";

/** A session as those see it who hold its tokens. */
export interface SessionRecord {
  /** From 1, in the order of logins. */
  readonly number: number;
  readonly device: number;
  readonly login: Operation;
  /** The store's id of it. */
  readonly id: number;
  /** The newest token that was ever made for it, whoever has it. */
  newest: Issued;
  /** The newest access token, and the one that lives longest. */
  readonly access: { newest: Access | undefined; longest: Access | undefined };
}

export interface Access {
  readonly token: string;
  readonly expiresAt: number;
}

/** A refresh token that was given out. */
export interface Issued {
  readonly text: string;
  readonly session: SessionRecord;
  readonly generation: number;
}

export type Party =
  | { readonly is: "device"; readonly device: number; readonly tab: number }
  | { readonly is: "thief"; readonly thief: number }
  /** Nobody in the history: a question of the checker's own. */
  | { readonly is: "probe" };

export type OperationKind =
  | "log-in"
  | "refresh"
  | "guard"
  | "log-out"
  | "end-all"
  | "change-password"
  | "deactivate"
  | "reactivate";

export type Outcome =
  | { readonly is: "granted"; readonly token: Issued; readonly expiresIn: number }
  | { readonly is: "done" }
  | { readonly is: "refused"; readonly code: AuthErrorCode; readonly reason: string };

/** One request that reached the server. */
export interface Operation {
  readonly kind: OperationKind;
  readonly by: Party;
  /** What was presented, for a refresh. */
  readonly token: Issued | undefined;
  /** Whose access was presented, or who asks. */
  readonly session: SessionRecord | undefined;
  readonly attempt: string | undefined;
  /** An end that spares the session that asks. */
  readonly spares: boolean;
  readonly startedAt: number;
  /** What the server's clock said then. */
  readonly wall: number;
  readonly started: number;
  /** When the store did its first and its last call of it. */
  firstCall: number | undefined;
  lastCall: number | undefined;
  /** When the server answered; `undefined` when it never did. */
  settled: number | undefined;
  settledAt: number | undefined;
  outcome: Outcome | undefined;
}

export interface Restore {
  readonly order: number;
  readonly at: number;
  /** The place in the order of the backup that was restored. */
  readonly backup: number;
}

export interface Jump {
  readonly order: number;
  readonly at: number;
  readonly seconds: number;
}

/** How a session had ended when that was first seen, and when the history was over. */
export interface Ending {
  readonly session: SessionRecord;
  readonly first: string;
  readonly last: string | undefined;
}

export interface Recording {
  readonly operations: Operation[];
  readonly sessions: SessionRecord[];
  readonly restores: Restore[];
  readonly jumps: Jump[];
  /** The answers after which a client went to its login page. */
  readonly givenUp: Operation[];
  /** Where the engine said `generation_ahead`. */
  readonly aheads: { readonly order: number; readonly generation: number }[];
  readonly endings: Ending[];
  /** Sessions whose tokens a thief has been given while their owner held on to them, both of whom came back twice. */
  readonly contested: SessionRecord[];
  /** The owners' tokens when all was over. */
  readonly finals: { readonly token: Issued; readonly isGood: boolean }[];
  /** The next place in the order of everything. */
  next(): number;
}

export function createRecording(): Recording {
  let order = 0;
  return {
    operations: [],
    sessions: [],
    restores: [],
    jumps: [],
    givenUp: [],
    aheads: [],
    endings: [],
    contested: [],
    finals: [],
    next: () => ++order,
  };
}
