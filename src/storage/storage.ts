/**
 * The storage seam: what the engine asks of a database, and nothing else.
 * Statements are tagged templates in the SQL that SQLite and PostgreSQL both understand, so every query is written once.
 * A change is a list of statements that commit together or not at all; there is no callback inside a transaction,
 * so that a driver is free to run many changes in one commit and on another thread.
 */

/** What can be bound and read: text, whole numbers (ids, instants in seconds) and null. */
export type Value = string | number | null;
export type Row = Readonly<Record<string, Value>>;

/** One statement; `strings` is the same object at every call of one call site, so drivers prepare it once. */
export interface Statement {
  readonly strings: readonly string[];
  readonly values: readonly Value[];
  /** True: when this statement returns no row, the whole change is undone and `write` answers `undefined`. */
  readonly isGuard?: boolean;
  /** True: whoever watches the store, here or in another process, is woken when the change has committed. */
  readonly wakes?: boolean;
}

/** Makes a statement of a template; values are always bound, never spliced. Throws TypeError for a value of another type. */
export function sql(strings: TemplateStringsArray, ...values: readonly Value[]): Statement {
  for (const value of values) {
    if (typeof value === "string" || value === null) continue;
    if (typeof value === "number" && Number.isSafeInteger(value)) continue;
    throw new TypeError(`a statement takes text, safe integers and null, not ${typeof value}`);
  }
  return { strings, values };
}

/** A statement after which those who watch the store look again. */
export function waking(strings: TemplateStringsArray, ...values: readonly Value[]): Statement {
  return { ...sql(strings, ...values), wakes: true };
}

/** A statement that must return a row (write it with `returning`), or nothing of its change is done. */
export function guard(strings: TemplateStringsArray, ...values: readonly Value[]): Statement {
  return { ...sql(strings, ...values), isGuard: true };
}

/** How busy a store is. */
export interface StorageLoad {
  /** What is being done at the moment. */
  readonly running: number;
  /** What has not been begun. */
  readonly waiting: number;
  /** How many connections there may be. */
  readonly connections: number;
}

/**
 * Every method rejects with AuthError `store_unavailable` when the store is down, locked past the deadline, full or
 * read-only: then nothing of the call has happened, or (a commit whose answer was lost) nobody knows.
 */
export interface Storage {
  readonly kind: "sqlite" | "postgres";
  /**
   * Whole seconds by which the store's clock is ahead of this machine's: add them to `system.now()` for what instances
   * must agree on. 0 for a store on this machine. Learned while reading; 0 before `migrate`.
   */
  readonly clockOffset: number;
  /** Creates or upgrades the tables, under a lock. Call it once before anything else. */
  migrate(): Promise<void>;
  /** Reads committed rows from the primary. */
  read(statement: Statement): Promise<Row[]>;
  /**
   * Runs the statements in order in one transaction and answers after it is durable.
   * @returns the rows of each statement, or `undefined` when a guard returned none (then nothing was changed).
   */
  write(statements: readonly Statement[]): Promise<Row[][] | undefined>;
  /**
   * Calls back when another process, or this one, may have committed a waking statement; sooner than a poll would.
   * A hint: it may come for nothing, and it may be lost. Optional.
   * @returns how to stop.
   */
  watch?(onChange: () => void): () => void;
  /** How busy it is, once it is open; for metrics. Optional. */
  load?(): StorageLoad;
  /** The names of the migrations that `migrate` would run, without running any. Optional. */
  pendingMigrations?(): Promise<readonly string[]>;
  /** After rows were written with ids of their own: the next id is above them. Optional: where it goes without saying. */
  continueIds?(): Promise<void>;
  /** Finishes what was accepted, then closes. Calls after it reject. */
  close(): Promise<void>;
}
