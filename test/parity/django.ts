/** The Django project of project.py as a child process. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export interface DjangoUser {
  readonly id: number;
  readonly username: string;
  readonly email: string;
  /** The stored hash. */
  readonly password: string;
  readonly is_active: boolean;
}

export interface DjangoProject {
  readonly url: string;
  /** Its SQLite file. */
  readonly database: string;
  readonly users: readonly DjangoUser[];
  readonly versions: Readonly<Record<string, string>>;
  deleteUser(username: string): Promise<void>;
  /** What `manage.py shell -c` prints. */
  shell(code: string): Promise<string>;
  stop(): Promise<void>;
}

/** Debian's Python, whose packages these are. */
export const PYTHON = process.env.PARITY_PYTHON ?? "/usr/bin/python3";

/** Says what is missing to run the project; `undefined` when nothing is. */
export function missingDjango(): string | undefined {
  try {
    execFileSync(PYTHON, ["-c", "import django, rest_framework, rest_framework_simplejwt, jwt"], { stdio: "ignore" });
    return undefined;
  } catch {
    return "install python3-django python3-djangorestframework python3-jwt python3-djangorestframework-simplejwt";
  }
}

export interface DjangoOptions {
  /** "own": the hasher that this Django prefers, at its own cost. Default "cheap". */
  readonly hasher?: "cheap" | "own";
}

export async function startDjango(secret: string, { hasher = "cheap" }: DjangoOptions = {}): Promise<DjangoProject> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-parity-"));
  const child = spawn(
    PYTHON,
    [join(import.meta.dirname, "project.py"), folder, secret, ...(hasher === "own" ? ["own"] : [])],
    {
      stdio: ["pipe", "pipe", "pipe"],
      env: { PATH: process.env.PATH ?? "", PYTHONDONTWRITEBYTECODE: "1", LANG: "C.UTF-8" },
    },
  );
  let errors = "";
  child.stderr.on("data", (part: Buffer) => {
    errors += part.toString();
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const { value: first } = await lines.next();
  if (first === undefined) throw new Error(`the Django project did not start:\n${errors}`);
  const { port, users, versions } = JSON.parse(first);
  return {
    url: `http://127.0.0.1:${port}`,
    database: join(folder, "django.db"),
    users,
    versions,
    async deleteUser(username) {
      child.stdin.write(`delete ${username}\n`);
      await lines.next();
    },
    async shell(code) {
      child.stdin.write(`shell ${JSON.stringify(code)}\n`);
      return JSON.parse((await lines.next()).value ?? "");
    },
    async stop() {
      child.stdin.end();
      await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, 3000))]);
      killIfRunning(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function killIfRunning(child: ChildProcess): void {
  if (child.exitCode === null) child.kill("SIGKILL");
}
