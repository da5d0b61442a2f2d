/**
 * What stands between callers and the connection that writes: a queue that is emptied in groups.
 * While one group commits the next one gathers; a caller hears of its write after the commit and not before.
 */
import type { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { AuthError } from "../errors.ts";
import { commitGroup, type NumberedStatement, type Outcome } from "./group-commit.ts";
import { createStatementCache } from "./sqlite-connection.ts";
import type { GroupAnswer, GroupMessage, WriterData } from "./sqlite-writer.ts";
import type { Row, Statement } from "./storage.ts";

export interface Writer {
  /** As `Storage.write`. */
  write(statements: readonly Statement[]): Promise<Row[][] | undefined>;
  /** Finishes what was accepted. */
  close(): Promise<void>;
}

interface Pending {
  readonly operation: readonly NumberedStatement[];
  /** Milliseconds, monotonic. */
  readonly since: number;
  resolve(rows: Row[][] | undefined): void;
  reject(error: Error): void;
}

const LARGEST_GROUP = 256;
/** Beyond this the store is not keeping up, and waiting longer helps nobody. */
const LONGEST_QUEUE = 10_000;

const unavailable = (reason: string) => new AuthError("store_unavailable", { reason });

/** Gives each text a number, the same at every call of one call site. */
function createNumbering() {
  const numbers = new Map<readonly string[], number>();
  let unseen: [number: number, text: string][] = [];
  return {
    toOperation: (statements: readonly Statement[]): NumberedStatement[] =>
      statements.map(({ strings, values, isGuard = false }) => {
        let number = numbers.get(strings);
        if (number === undefined) {
          number = numbers.size;
          numbers.set(strings, number);
          unseen.push([number, strings.join("?")]);
        }
        return { number, values, isGuard };
      }),
    /** The texts that were numbered since the last call. */
    takeUnseen() {
      const taken = unseen;
      unseen = [];
      return taken;
    },
    /** For a writer that has seen nothing. */
    forget() {
      unseen = [...numbers].map(([strings, number]) => [number, strings.join("?")]);
    },
  };
}

/** Writes on the caller's thread, for a database that only this connection has. */
export function createInlineWriter(database: DatabaseSync): Writer {
  const numbering = createNumbering();
  const texts = new Map<number, string>();
  const statement = createStatementCache((number: number) => database.prepare(texts.get(number) as string));
  return {
    async write(statements) {
      const operation = numbering.toOperation(statements);
      for (const [number, text] of numbering.takeUnseen()) texts.set(number, text);
      const [outcome] = commitGroup(database, statement, [operation]);
      return toRows(outcome as Outcome);
    },
    async close() {},
  };
}

/**
 * Writes on a thread that owns the file's writing connection.
 * @param deadline milliseconds that a write may take in all.
 */
export function createThreadWriter(path: string, deadline: number): Writer {
  const numbering = createNumbering();
  let worker: Worker | undefined;
  let queue: Pending[] = [];
  let committing: Pending[] | undefined;
  let closing: { resolve(): void } | undefined;

  function start(): Worker {
    // From source the file ends in .ts, in the published package in .js.
    const file = new URL(`./sqlite-writer${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
    const started = new Worker(file, { workerData: { path } satisfies WriterData });
    started.on("message", settle);
    started.on("error", (error: Error) => fail(started, `the writing thread failed: ${error.message}`));
    started.on("exit", () => fail(started, "the writing thread has ended"));
    started.unref();
    numbering.forget();
    return started;
  }

  /** Nobody knows whether what was being committed was: that is what 503 says. The next write starts a new thread. */
  function fail(failed: Worker, reason: string): void {
    if (worker !== failed) return;
    worker = undefined;
    const lost = [...(committing ?? []), ...queue];
    committing = undefined;
    queue = [];
    for (const pending of lost) pending.reject(unavailable(reason));
    closing?.resolve();
  }

  function settle(answer: GroupAnswer): void {
    const group = committing ?? [];
    committing = undefined;
    if ("fault" in answer) {
      const error = unavailable(`nothing was written: ${answer.fault.message}`);
      for (const pending of group) pending.reject(error);
    } else {
      group.forEach((pending, i) => {
        try {
          pending.resolve(toRows(answer.outcomes[i] as Outcome));
        } catch (error) {
          pending.reject(error as Error);
        }
      });
    }
    flush();
  }

  function flush(): void {
    if (committing) return;
    const now = performance.now();
    while (queue[0] && now - queue[0].since > deadline)
      queue.shift()?.reject(unavailable("waited too long to be written"));
    if (queue.length === 0) {
      worker?.unref();
      if (closing) worker?.postMessage("close");
      return;
    }
    worker ??= start();
    worker.ref();
    committing = queue.slice(0, LARGEST_GROUP);
    queue = queue.slice(LARGEST_GROUP);
    const oldest = (committing[0] as Pending).since;
    const message: GroupMessage = {
      texts: numbering.takeUnseen(),
      operations: committing.map(({ operation }) => operation),
      patience: Math.max(0, deadline - (now - oldest)),
    };
    worker.postMessage(message);
  }

  // Started ahead, so that the first write does not wait for a thread.
  worker = start();

  return {
    write(statements) {
      if (closing) return Promise.reject(unavailable("the store is closed"));
      if (queue.length >= LONGEST_QUEUE) return Promise.reject(unavailable("too many writes are waiting"));
      return new Promise((resolve, reject) => {
        queue.push({ operation: numbering.toOperation(statements), since: performance.now(), resolve, reject });
        // What arrives in the same turn of the event loop goes in the same group.
        if (queue.length === 1 && !committing) setImmediate(flush);
      });
    },
    close() {
      return new Promise((resolve) => {
        closing = { resolve };
        if (!worker) return resolve();
        worker.ref();
        flush();
      });
    },
  };
}

function toRows(outcome: Outcome): Row[][] | undefined {
  if ("mistake" in outcome) throw new Error(`the store refused a statement: ${outcome.mistake}`);
  return "refused" in outcome ? undefined : (outcome.rows as Row[][]);
}
