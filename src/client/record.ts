/**
 * A session as it is stored: one JSON text, the server's answer in its own names and what we add.
 * With cookies it holds no token, only what tells one from the next.
 */
import type { User } from "./types.ts";

export interface SessionRecord {
  readonly session_id: string;
  readonly generation: number;
  /** Grows with every answer that is stored: tells a tab that another one has newer tokens. */
  readonly version: number;
  /** Seconds that the access token lived when it came. */
  readonly expires_in: number;
  /** Absent with cookies, as is the refresh token. */
  readonly access_token?: string | undefined;
  readonly refresh_token?: string | undefined;
  /** The attempt id for spending the refresh token, once one is about to; shared by all tabs. */
  readonly attempt?: string | undefined;
  readonly user?: User | undefined;
  /**
   * With cookies, which no script can delete or see. "done": nobody is signed in here, whatever cookies there are; "pending": the
   * server has yet to be told; "unknown": the server has yet to be asked, with the attempt id.
   */
  readonly end?: "pending" | "done" | "unknown";
}

/** Anything that is no record of ours counts as none. */
export function readRecord(text: string | undefined): SessionRecord | undefined {
  try {
    const record = JSON.parse(text ?? "") as SessionRecord;
    return record.version >= 0 ? record : undefined;
  } catch {
    return undefined;
  }
}

export const isNewer = (a: SessionRecord, b: SessionRecord | undefined): boolean =>
  a.session_id !== b?.session_id || a.version > b.version;
