/**
 * The writing thread: one worker that owns the one connection that writes, so that a slow disk or a lock held elsewhere
 * never stands on the event loop.
 *
 * The worker is started from the text of the functions it runs, not from a file. Loading TypeScript in a second thread
 * costs 15 MB that an idle server would keep, and a text needs no path that a bundler would have to know of.
 */

import type { DatabaseSyncOptions } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { CONNECTION_OPTIONS, CONNECTION_SETTINGS } from "./connection.ts";
import { isStoreFailure } from "./errors.ts";
import { createGroupRunner, type Group, type GroupAnswer, type GroupRunner } from "./group-runner.ts";

/** Runs groups one after the other. */
export interface Writer {
  /** Number of statement texts that it has been sent. */
  readonly textCount: number;
  /** Never rejects. The answer "failed" after the thread has died means that nobody knows. */
  run(group: Group): Promise<GroupAnswer>;
  /** Closes the connection once what was accepted is done. */
  close(): Promise<void>;
}

/** Who writes now, for a writer may have to be replaced. */
export interface Writers<Kind extends Writer = Writer> {
  current(): Kind;
  close(): Promise<void>;
}

export interface WriterThread extends Writer {
  readonly isAlive: boolean;
  /** Stops the thread where it stands. */
  terminate(): Promise<number>;
}

/** Milliseconds from the start of a thread that crashed to the start of the next. */
const RESTART_DELAY = 1_000;
/** Milliseconds; a thread that hangs in the disk ends when the disk lets go. */
const CLOSE_TIMEOUT = 2_000;

/** One writing thread at a time. A thread that died is replaced, but not faster than somebody can read the logs. */
export function createThreadWriters(path: string, restartDelay = RESTART_DELAY): Writers<WriterThread> {
  let writer = createWriterThread(path);
  let startedAt = performance.now();
  return {
    current() {
      if (!writer.isAlive && performance.now() - startedAt > restartDelay) {
        writer = createWriterThread(path);
        startedAt = performance.now();
      }
      return writer;
    },
    close: () => writer.close(),
  };
}

interface WorkerData {
  readonly path: string;
  readonly options: DatabaseSyncOptions;
  readonly settings: string;
}

/** Starts the thread; it opens the file at its first group. It keeps the process alive only while it has work. */
function createWriterThread(path: string): WriterThread {
  const source = `(${serveGroups})(${createGroupRunner}, ${isStoreFailure});`;
  const workerData: WorkerData = { path, options: CONNECTION_OPTIONS, settings: CONNECTION_SETTINGS };
  // No environment and no flags: what the application preloads into its own threads has no business here.
  const worker = new Worker(source, { eval: true, name: "latchkey-writer", workerData, env: {}, execArgv: [] });
  worker.unref();
  const waiting: ((answer: GroupAnswer) => void)[] = [];
  let textCount = 0;
  let isAlive = true;
  let death = "the writing thread has ended";

  worker.on("message", (answer: GroupAnswer) => {
    waiting.shift()?.(answer);
    if (waiting.length === 0) worker.unref();
  });
  worker.on("error", (error) => {
    death = `the writing thread has crashed: ${error instanceof Error ? error.message : error}`;
  });
  const exited = new Promise<void>((resolve) =>
    worker.once("exit", () => {
      isAlive = false;
      for (const answer of waiting.splice(0)) answer({ outcome: "failed", reason: death });
      resolve();
    }),
  );

  return {
    get textCount() {
      return textCount;
    },
    get isAlive() {
      return isAlive;
    },
    run(group) {
      if (!isAlive) return Promise.resolve({ outcome: "failed", reason: death });
      textCount += group.texts.length;
      if (waiting.length === 0) worker.ref();
      return new Promise((resolve) => {
        waiting.push(resolve);
        worker.postMessage(group);
      });
    },
    close() {
      if (!isAlive) return exited;
      worker.ref();
      worker.postMessage(undefined);
      return Promise.race([exited, sleep(CLOSE_TIMEOUT, undefined, { ref: false })]);
    },
    terminate: () => worker.terminate(),
  };
}

/** What the worker runs. Refers to nothing outside itself. */
function serveGroups(createRunner: typeof createGroupRunner, isFailure: typeof isStoreFailure): void {
  const { parentPort, workerData } = process.getBuiltinModule("node:worker_threads");
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  const { path, options, settings } = workerData as WorkerData;
  let runner: GroupRunner | undefined;
  let close = () => {};
  const texts: string[] = [];

  function open(): GroupRunner {
    const connection = new DatabaseSync(path, options);
    connection.exec(settings);
    close = () => connection.close();
    return createRunner(connection, isFailure);
  }

  function answer(group: Group): GroupAnswer {
    if (runner) return runner.run(group);
    texts.push(...group.texts);
    try {
      runner = open();
    } catch (error) {
      return { outcome: "failed", reason: error instanceof Error ? error.message : String(error) };
    }
    return runner.run({ texts, changes: group.changes });
  }

  parentPort?.on("message", (group: Group | undefined) => {
    if (group) {
      parentPort.postMessage(answer(group));
    } else {
      close();
      parentPort.close();
    }
  });
}
