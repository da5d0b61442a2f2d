/** A real Django over a database, as a child process that changes users when told to. */
import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";

const PYTHON = process.env.PARITY_PYTHON ?? "/usr/bin/python3";

/** Says what is missing; `false` when nothing is, as `skip` of a test takes it. */
export function missingDjango(): string | false {
  try {
    execFileSync(PYTHON, ["-c", "import django, psycopg2"], { stdio: "ignore" });
    return false;
  } catch {
    return "install python3-django and python3-psycopg2";
  }
}

export interface Django {
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape.
  run(command: string, username: string, value?: unknown): Promise<any>;
  stop(): Promise<void>;
}

/** @param database the path of a SQLite file or a `postgres:` URL; migrated by Django. */
export async function startDjango(database: string, table = "auth_user"): Promise<Django> {
  const child = spawn(PYTHON, [join(import.meta.dirname, "project.py"), JSON.stringify(toSettings(database)), table], {
    env: { PATH: process.env.PATH ?? "", PYTHONDONTWRITEBYTECODE: "1", LANG: "C.UTF-8" },
  });
  let errors = "";
  child.stderr.on("data", (part: Buffer) => {
    errors += part.toString();
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  if ((await lines.next()).value !== "ready") throw new Error(`Django did not start:\n${errors}`);
  return {
    async run(...command) {
      child.stdin.write(`${JSON.stringify(command)}\n`);
      const { result, error } = JSON.parse((await lines.next()).value ?? `{"error":"it has gone"}`);
      if (error) throw new Error(`Django: ${error}\n${errors}`);
      return result;
    },
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}

function toSettings(database: string): Record<string, unknown> {
  if (!database.startsWith("postgres")) return { ENGINE: "django.db.backends.sqlite3", NAME: database };
  const { hostname, port, username, password, pathname } = new URL(database);
  return {
    ENGINE: "django.db.backends.postgresql",
    HOST: hostname,
    PORT: port,
    USER: decodeURIComponent(username),
    PASSWORD: decodeURIComponent(password),
    NAME: pathname.slice(1),
  };
}
