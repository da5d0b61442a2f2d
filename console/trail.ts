/** The audit trail, in words. (src/audit/audit.ts) */
import { toDay } from "./parts/time.tsx";

export interface TrailEntry {
  readonly id: string;
  readonly type: string;
  /** RFC 3339. */
  readonly at: string;
  /** Of somebody's own trail only: true for what a member of staff has done. */
  readonly by_staff?: boolean;
  /** Of everybody's trail only: whose account it is about. */
  readonly user_id?: number | null;
  /** The member of staff who did it; null where the user did. */
  readonly actor_id?: number | null;
  readonly session_id: string | null;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly reason: string | null;
}

export interface TrailPage {
  readonly entries: readonly TrailEntry[];
  readonly next: string | null;
}

/** What each type is called, in the order in which they are offered. */
export const HAPPENINGS: Readonly<Record<string, string>> = {
  registered: "Account created",
  signed_in: "Signed in",
  sign_in_refused: "Sign-in refused",
  signed_out: "Signed out",
  session_ended: "Session ended",
  sessions_ended: "All sessions ended",
  refresh_reused: "Stolen token caught, session ended",
  password_changed: "Password changed",
  password_change_refused: "Password change refused",
  password_set: "Password set anew",
  deactivated: "Taken out of service",
  reactivated: "Back in service",
  deleted: "Deleted",
  roles_changed: "Roles changed",
  key_rotated: "Key rotated",
  key_compromised: "Key compromised",
};

const BAD = new Set(["sign_in_refused", "refresh_reused", "password_change_refused", "deactivated", "key_compromised"]);

export const isBad = ({ type }: TrailEntry): boolean => BAD.has(type);

/** A newer server may tell of what this page has no word for. */
export const toHappening = (type: string): string => HAPPENINGS[type] ?? type.replaceAll("_", " ");

/** Entries by day, in the order they came. */
export function byDay(entries: readonly TrailEntry[]): readonly (readonly [string, readonly TrailEntry[]])[] {
  return [...Map.groupBy(entries, ({ at }) => toDay(at))];
}
