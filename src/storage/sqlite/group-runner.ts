/**
 * Runs a group of changes in one transaction: the core that the writing thread and the in-memory store share.
 * A change that fails, or whose guard finds nothing, is undone by itself; a store that fails takes the whole group with it.
 *
 * `createGroupRunner` refers to nothing outside itself: the writing thread is started from its text (see writer-thread.ts).
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Value } from "../storage.ts";

/**
 * What a group is made of. One flat list crosses between threads at half the cost of nested objects (2.2 against 4.3 µs
 * a rotation, there and back).
 */
export interface Group {
  /** Texts of statements that the runner has not seen; they are numbered from 0 in the order they come. */
  readonly texts: readonly string[];
  /** For each change: how many statements; for each of them: its number × 2 (+ 1 for a guard), how many values, the values. */
  readonly changes: readonly Value[];
}

export type GroupAnswer =
  | {
      readonly outcome: "committed";
      /** Names of columns that are new or have changed, by statement number. */
      readonly columns: readonly (readonly [number: number, names: readonly string[]])[];
      /**
       * For each change `0` (a guard found nothing), or `1` and for each statement the number of rows and their values,
       * or `2` and the message of the error that undid this change alone.
       */
      readonly results: readonly Value[];
      /** Milliseconds that the commit alone took: the disk's part. */
      readonly commitTime: number;
    }
  /** Another process holds the lock; nothing was done. */
  | { readonly outcome: "busy" }
  /** The store failed; nothing was done, unless the failure was that of the commit itself. */
  | { readonly outcome: "failed"; readonly reason: string };

export interface GroupRunner {
  run(group: Group): GroupAnswer;
}

/** A statement, prepared at its first use. */
interface Prepared {
  readonly statement: StatementSync;
  columnCount: number;
}

export function createGroupRunner(
  connection: DatabaseSync,
  isStoreFailure: (resultCode: number | undefined) => boolean,
): GroupRunner {
  const SQLITE_BUSY = 5;
  const texts: string[] = [];
  const prepared: Prepared[] = [];
  const begin = connection.prepare("begin immediate");
  const commit = connection.prepare("commit");
  const savepoint = connection.prepare("savepoint latchkey_change");
  const release = connection.prepare("release latchkey_change");
  const undo = connection.prepare("rollback to latchkey_change");

  const resultCode = (error: unknown) => (error as { errcode?: number } | null)?.errcode;
  const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

  function prepare(number: number): Prepared {
    const known = prepared[number];
    if (known) return known;
    const statement = connection.prepare(texts[number] as string);
    statement.setReturnArrays(true);
    const made = { statement, columnCount: 0 };
    prepared[number] = made;
    return made;
  }

  function run(group: Group): GroupAnswer {
    texts.push(...group.texts);
    /** Changes that can't be undone by themselves, by their place in the group; the others are run again without them. */
    const refused = new Map<number, string>();
    for (;;) {
      try {
        begin.run();
      } catch (error) {
        if (((resultCode(error) ?? 0) & 0xff) === SQLITE_BUSY) return { outcome: "busy" };
        return { outcome: "failed", reason: messageOf(error) };
      }
      try {
        const columns = new Map<number, string[]>();
        const results = runChanges(group.changes, refused, columns);
        if (results) {
          const start = performance.now();
          commit.run();
          const commitTime = performance.now() - start;
          for (const [number, names] of columns) prepare(number).columnCount = names.length;
          return { outcome: "committed", columns: [...columns], results, commitTime };
        }
        connection.exec("rollback");
      } catch (error) {
        // On a full disk SQLite has dropped the transaction already; what ran after that would commit one by one.
        if (connection.isTransaction) connection.exec("rollback");
        return { outcome: "failed", reason: messageOf(error) };
      }
    }
  }

  /** @returns `undefined` when a change was added to `refused`. @throws when the store has failed. */
  function runChanges(
    changes: readonly Value[],
    refused: Map<number, string>,
    columns: Map<number, string[]>,
  ): Value[] | undefined {
    const results: Value[] = [];
    let at = 0;
    for (let index = 0; at < changes.length; index++) {
      const count = changes[at++] as number;
      const start = at;
      for (let i = 0; i < count; i++) at += 2 + (changes[at + 1] as number);
      const refusal = refused.get(index);
      if (refusal !== undefined) {
        results.push(2, refusal);
        continue;
      }
      const resultStart = results.length;
      results.push(1);
      try {
        if (count > 1) savepoint.run();
        const isDone = runStatements(changes, { start, count }, results, columns);
        if (!isDone) {
          results.length = resultStart;
          results.push(0);
          if (count > 1) undo.run();
        }
        if (count > 1) release.run();
      } catch (error) {
        if (!connection.isTransaction || isStoreFailure(resultCode(error))) throw error;
        if (count > 1) {
          undo.run();
          release.run();
        } else if (resultCode(error) === undefined) {
          // Not SQLite refused it but the reading of its rows: without a savepoint its change stands.
          refused.set(index, messageOf(error));
          return undefined;
        }
        results.length = resultStart;
        results.push(2, messageOf(error));
      }
    }
    return results;
  }

  /** @returns false when a guard found nothing. */
  function runStatements(
    changes: readonly Value[],
    { start, count }: { readonly start: number; readonly count: number },
    results: Value[],
    columns: Map<number, string[]>,
  ): boolean {
    let at = start;
    for (let i = 0; i < count; i++) {
      const head = changes[at++] as number;
      const valueCount = changes[at++] as number;
      const number = head >> 1;
      const known = prepare(number);
      // Bound as a double a number would make a REAL of every expression it is in, and 5 / 2 would not be 2.
      const values: (bigint | string | null)[] = [];
      for (let v = 0; v < valueCount; v++) {
        const value = changes[at++] as Value;
        values.push(typeof value === "number" ? BigInt(value) : value);
      }
      const rows = known.statement.all(...values) as unknown as Value[][];
      const first = rows[0];
      if ((head & 1) === 1 && !first) {
        if (known.statement.columns().length > 0) return false;
        throw new TypeError(`a guard needs "returning": ${texts[number]}`);
      }
      results.push(rows.length);
      if (!first) continue;
      // The first time, or another process has added a column since.
      if (first.length !== known.columnCount && !columns.has(number)) {
        columns.set(
          number,
          known.statement.columns().map(({ name }) => name),
        );
      }
      for (const row of rows) results.push(...row);
    }
    return true;
  }

  return { run };
}
