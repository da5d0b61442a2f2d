/**
 * The writing thread: owns the one connection that writes and commits what it is sent, group by group.
 * It may sleep while another process holds the lock; the event loop of the main thread never does.
 */
import { parentPort, workerData } from "node:worker_threads";
import { commitGroup, type Fault, type Operation, type Outcome, resultCode, SQLITE_BUSY } from "./group-commit.ts";
import { createStatementCache, openConnection } from "./sqlite-connection.ts";

export interface WriterData {
  readonly path: string;
}

/** Main thread → writer. */
export interface GroupMessage {
  /** Texts that the writer has not seen yet, by number. */
  readonly texts: readonly (readonly [number: number, text: string])[];
  readonly operations: readonly Operation[];
  /** Milliseconds to wait for the lock. */
  readonly patience: number;
}

/** Writer → main thread: the outcome of each operation, or what undid them all. */
export type GroupAnswer = { readonly outcomes: readonly Outcome[] } | { readonly fault: Fault };

const port = parentPort;
if (!port) throw new Error("sqlite-writer.ts is the body of a worker thread");
const texts = new Map<number, string>();
const database = openConnection((workerData as WriterData).path);
const statement = createStatementCache((number: number) => database.prepare(texts.get(number) as string));
const sleeper = new Int32Array(new SharedArrayBuffer(4));

port.on("message", (message: GroupMessage | "close") => {
  if (message === "close") {
    database.close();
    port.close();
    return;
  }
  for (const [number, text] of message.texts) texts.set(number, text);
  port.postMessage(commitPatiently(message));
});

function commitPatiently({ operations, patience }: GroupMessage): GroupAnswer {
  const start = performance.now();
  for (let pause = 1; ; pause = Math.min(pause * 2, 25)) {
    try {
      return { outcomes: commitGroup(database, statement, operations) };
    } catch (error) {
      const isLate = performance.now() - start + pause > patience;
      if (resultCode(error) !== SQLITE_BUSY || isLate) {
        return { fault: { message: (error as Error).message, code: resultCode(error) } };
      }
      Atomics.wait(sleeper, 0, 0, pause);
    }
  }
}
