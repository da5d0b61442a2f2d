/** Runs the real command line as a child process. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "./child-server.ts";

export interface CommandResult {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
  /** The output as JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape.
  json(): any;
}

export interface CommandOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly cwd?: string;
}

/** @returns how it ended, whatever the exit code. */
export function runCommand(args: readonly string[], { env, input = "", cwd = ROOT }: CommandOptions = {}) {
  const { PATH = "", HOME = "", TMPDIR } = process.env;
  const child = spawn("node", [join(ROOT, "dist/cli/main.js"), ...args], {
    cwd,
    env: { PATH, HOME, ...(TMPDIR && { TMPDIR }), ...env },
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  // A command that reads nothing may be gone before it is written to.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
  return new Promise<CommandResult>((resolve) =>
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, output, errors, json: () => JSON.parse(output) });
    }),
  );
}
