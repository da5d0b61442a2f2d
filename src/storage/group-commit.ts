/**
 * Group commit: many changes in one SQLite transaction.
 * With `synchronous=FULL` a commit costs a flush to disk whatever is in it, so changes that arrive together share one.
 * A change that fails or is refused is undone alone, to its savepoint; a fault of the database undoes all of them.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Row, Value } from "./storage.ts";

/** A statement by its number, so that its text crosses to another thread only once. */
export interface NumberedStatement {
  readonly number: number;
  readonly values: readonly Value[];
  readonly isGuard: boolean;
}

export type Operation = readonly NumberedStatement[];

export type Outcome =
  | { readonly rows: readonly Row[][] }
  /** A guard returned no row. */
  | { readonly refused: true }
  /** A mistake in the statement or its values; the other operations of the group are not affected. */
  | { readonly mistake: string };

/** The group as a whole could not be committed; nothing of it has happened. */
export interface Fault {
  readonly message: string;
  /** SQLite's primary result code, such as 13 for a full disk. */
  readonly code: number | undefined;
}

/** SQLite's primary result codes that are the store's trouble and not the statement's. */
const FAULTS = new Map([
  [5, "locked by another process"],
  [6, "locked"],
  [7, "out of memory"],
  [8, "read-only"],
  [10, "a disk error"],
  [11, "damaged"],
  [13, "full"],
  [14, "not to be opened"],
  [15, "locked by another process"],
  [26, "not a database"],
]);

export const SQLITE_BUSY = 5;

/** The primary result code of an error of node:sqlite. */
export function resultCode(error: unknown): number | undefined {
  const errcode = (error as { errcode?: unknown }).errcode;
  return typeof errcode === "number" ? errcode & 0xff : undefined;
}

/** Says what ails the store, or `undefined` when it was the statement. */
export const faultName = (error: unknown): string | undefined => FAULTS.get(resultCode(error) ?? -1);

/**
 * Runs operations in one transaction.
 * @param statement gives the prepared statement of a number.
 * @throws what SQLite threw, when the transaction as a whole is gone; then nothing has happened.
 */
export function commitGroup(
  database: DatabaseSync,
  statement: (number: number) => StatementSync,
  operations: readonly Operation[],
): Outcome[] {
  database.exec("begin immediate");
  try {
    const outcomes = operations.map((operation) => run(database, statement, operation));
    database.exec("commit");
    return outcomes;
  } catch (error) {
    if (database.isTransaction) database.exec("rollback");
    throw error;
  }
}

function run(database: DatabaseSync, statement: (number: number) => StatementSync, operation: Operation): Outcome {
  // One statement undoes itself when it fails.
  const hasSavepoint = operation.length > 1;
  if (hasSavepoint) database.exec("savepoint operation");
  const rows: Row[][] = [];
  let outcome: Outcome = { rows };
  try {
    for (const { number, values, isGuard } of operation) {
      const returned = statement(number).all(...values) as Row[];
      if (isGuard && returned.length === 0) {
        outcome = { refused: true };
        break;
      }
      rows.push(returned);
    }
  } catch (error) {
    // On a full disk SQLite drops the whole transaction: what ran before is gone, and nothing may run after.
    if (!database.isTransaction || faultName(error)) throw error;
    outcome = { mistake: (error as Error).message };
  }
  if (hasSavepoint) {
    if (!("rows" in outcome)) database.exec("rollback to operation");
    database.exec("release operation");
  }
  return outcome;
}
