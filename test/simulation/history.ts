/**
 * What a history is made of: who takes part, and what befalls them, in the order it does. Everything that chance decides
 * is written down here, so that the same history always runs the same way and can be shrunk. Durations are whole seconds.
 */

/** What a client sends with a refresh. "per-tab" is the mistake of not sharing attempt ids among tabs. */
export type AttemptIds = "shared" | "per-tab" | "none";

/** One browser or program of the one user. */
export interface DeviceSpec {
  readonly tabCount: number;
  readonly attemptIds: AttemptIds;
  /**
   * Whether it ends the session, as a logout does, when it is told "superseded" and its storage still holds that very token: then
   * somebody else has gone on with the session.
   */
  readonly endsSuperseded: boolean;
}

/** What one message meets with on its way there and back. */
export interface Link {
  readonly there: number;
  readonly back: number;
  readonly lost?: "request" | "answer" | undefined;
  /** The tab crashes when the answer has come and before anything of it is stored. */
  readonly crashes?: boolean;
  /** The server learns when the caller hangs up. */
  readonly showsHangUp?: boolean;
  /** How long each call to the store takes, in order: before it is done and before its answer is there. Others take no time. */
  readonly store?: readonly (readonly [before: number, after: number])[];
}

export type Action =
  /** A tab wants a fresh access token; its n-th try meets with the n-th link, the tries after them with a perfect one. */
  | { readonly do: "use"; readonly device: number; readonly tab: number; readonly links: readonly Link[] }
  | { readonly do: "sleep"; readonly device: number; readonly seconds: number }
  | { readonly do: "crash-tab"; readonly device: number; readonly tab: number }
  | { readonly do: "log-in"; readonly device: number; readonly link: Link }
  | { readonly do: "log-out"; readonly device: number; readonly link: Link }
  | { readonly do: "end-all"; readonly device: number; readonly sparesItself: boolean; readonly link: Link }
  | { readonly do: "change-password"; readonly device: number; readonly link: Link }
  | { readonly do: "deactivate"; readonly link: Link }
  | { readonly do: "reactivate"; readonly link: Link }
  | { readonly do: "copy"; readonly thief: number; readonly device: number }
  | { readonly do: "steal"; readonly thief: number; readonly attempt: "own" | "none" | "copied"; readonly link: Link }
  /** What the server had sent to the store is done, or not; nobody is answered. */
  | { readonly do: "crash-server"; readonly down: number; readonly commits: boolean }
  /** The clock is set wrong, for good or until somebody mends it. */
  | { readonly do: "jump"; readonly seconds: number; readonly mendedAfter?: number | undefined }
  | { readonly do: "back-up" }
  /** The server is stopped, the store is what the backup says, the server is started. */
  | { readonly do: "restore" };

export type HistoryEvent = Action & {
  /** Since the event before. */
  readonly after: number;
};

export interface History {
  readonly devices: readonly DeviceSpec[];
  readonly events: readonly HistoryEvent[];
}

export const PERFECT: Link = { there: 0, back: 0 };

/** Seconds; what the documents promise, whatever the engine under test has been told. */
export const PROMISED_GRACE = 20;
/** Seconds after which a client tries again. */
export const TIME_OUT = 10;
/** Seconds that a restore takes: the network holds no request for so long. */
export const RESTORE_DURATION = 300;
