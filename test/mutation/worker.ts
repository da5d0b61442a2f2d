/** A thread that tries mutants one after the other. One that ends in a loop takes only the thread with it. */
import { parentPort, workerData } from "node:worker_threads";
import { fails, installHooks, survey } from "./tests-in-process.ts";

/** A test file, and which of its tests execute the mutant. */
export interface Trial {
  readonly path: string;
  readonly tests: readonly number[];
}

export type Task =
  | { readonly kind: "survey"; readonly path: string }
  | { readonly kind: "mutant"; readonly id: number; readonly trial: Trial };

installHooks(workerData as string);

parentPort?.on("message", async (task: Task) => {
  if (task.kind === "survey") return parentPort?.postMessage(await survey(task.path));
  const { path, tests } = task.trial;
  return parentPort?.postMessage(await fails(path, task.id, new Set(tests)));
});
