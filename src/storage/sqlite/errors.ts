/** What SQLite's errors mean: a store that can't serve now, or a mistake in a statement. */
import { AuthError } from "../../errors.ts";

/**
 * True for a result code that speaks of the store (busy, full, read-only, damaged …) and not of the statement.
 * Self-contained: the writing thread runs a copy of its text.
 */
export function isStoreFailure(resultCode: number | undefined): boolean {
  // PERM, BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOLFS, NOTADB
  return resultCode !== undefined && [3, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 22, 26].includes(resultCode & 0xff);
}

export const BUSY = 5;
export const CORRUPT = 11;
export const NOT_A_DATABASE = 26;

/** The primary result code of an error of `node:sqlite`; `undefined` for any other error. */
export function resultCodeOf(error: unknown): number | undefined {
  const code = (error as { readonly errcode?: unknown } | null)?.errcode;
  return typeof code === "number" ? code & 0xff : undefined;
}

export function storeUnavailable(reason: string, cause?: unknown): AuthError {
  return new AuthError("store_unavailable", { reason, cause });
}

/** What a caller gets to see: AuthError `store_unavailable`, or the error itself when the statement is at fault. */
export function toStorageError(error: unknown): unknown {
  return isStoreFailure(resultCodeOf(error)) ? storeUnavailable(`SQLite: ${(error as Error).message}`, error) : error;
}
