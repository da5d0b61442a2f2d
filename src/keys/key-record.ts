/** Keys as the store keeps them and as their users are told of them. */
import { type Algorithm, isAlgorithm } from "../jwt/algorithms.ts";
import type { Row } from "../storage/storage.ts";

/**
 * next: published, signs nothing yet · active: signs · retiring: verifies what it has signed · retired: refused, its last
 * token has died · compromised: refused, whatever it has signed.
 */
export type KeyState = "next" | "active" | "retiring" | "retired" | "compromised";

/** A key of the ring, without its material. Instants are seconds since 1970. */
export interface KeyInfo {
  readonly kid: string;
  readonly alg: Algorithm;
  readonly state: KeyState;
  /** Since when the JWKS shows it (of a secret: since when it is known). */
  readonly publishedAt: number;
  readonly activatedAt: number | undefined;
  readonly retiringAt: number | undefined;
  /** Until when a retiring key verifies. */
  readonly verifiesUntil: number | undefined;
  /** When it was retired, or reported as compromised. */
  readonly retiredAt: number | undefined;
  /** Why it was retired before its time. */
  readonly note: string | undefined;
}

/** A row: of a pair, with its sealed material; of a secret without, because that is in the configuration. */
export interface KeyRecord extends KeyInfo {
  readonly sealed: string | undefined;
}

/** Rows whose algorithm this release does not know are passed over: a newer one may have written them. */
export function toRecords(rows: readonly Row[]): KeyRecord[] {
  return rows.filter((row) => isAlgorithm(row.alg)).map(toRecord);
}

function toRecord(row: Row): KeyRecord {
  return {
    kid: row.kid as string,
    alg: row.alg as Algorithm,
    state: row.state as KeyState,
    sealed: (row.sealed as string | null) ?? undefined,
    publishedAt: row.published_at as number,
    activatedAt: (row.activated_at as number | null) ?? undefined,
    retiringAt: (row.retiring_at as number | null) ?? undefined,
    verifiesUntil: (row.verifies_until as number | null) ?? undefined,
    retiredAt: (row.retired_at as number | null) ?? undefined,
    note: (row.note as string | null) ?? undefined,
  };
}

export function toInfo({ sealed: _, ...info }: KeyRecord): KeyInfo {
  return info;
}
