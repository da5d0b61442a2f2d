/**
 * Every measurement runs in a process of its own, as an application does: its compiler has seen one algorithm, its heap
 * holds nothing but what it measures, and flags such as --expose-gc can differ.
 */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface ChildOptions {
  readonly input: unknown;
  readonly flags?: readonly string[];
  onProgress?(text: string): void;
}

type Message = { readonly progress: string } | { readonly result: unknown } | { readonly failure: string };

/** Runs a script of the bench in a new process. @returns what it answered. */
export function runInChild<Result>(script: URL, options: ChildOptions): Promise<Result> {
  const { input, flags = [], onProgress } = options;
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(script), [JSON.stringify(input)], {
      execArgv: ["--expose-gc", "--no-warnings", ...flags],
    });
    let answered = false;
    child.on("message", (message: Message) => {
      if ("progress" in message) return onProgress?.(message.progress);
      answered = true;
      if ("failure" in message) reject(new Error(message.failure));
      else resolve(message.result as Result);
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      if (!answered)
        reject(new Error(`${script.pathname.split("/").at(-1)} ended with ${signal ?? code} and no answer`));
    });
  });
}

/** The other side: reads the input, measures, answers, leaves. */
export async function answerParent<Input>(
  measure: (input: Input, progress: (text: string) => void) => Promise<unknown>,
): Promise<void> {
  const send = (message: Message): Promise<void> =>
    new Promise((resolve) => {
      process.send?.(message, () => resolve());
    });
  try {
    const result = await measure(JSON.parse(process.argv[2] ?? "{}") as Input, (text) => void send({ progress: text }));
    await send({ result });
  } catch (cause) {
    await send({ failure: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) });
  }
  process.disconnect?.();
}
