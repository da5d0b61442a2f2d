/** The recipe's service on gunicorn with one worker, as a process whose CPU time can be asked for. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../sessions/free-port.ts";

export interface DjangoService {
  readonly port: number;
  /** Of the hasher that Django prefers. */
  readonly iterations: number;
  readonly versions: Readonly<Record<string, string>>;
  /** Microseconds of CPU that the master and its worker have used. */
  cpu(): number;
  stop(): Promise<void>;
}

export const PYTHON = "/usr/bin/python3";

/** Says what is missing to measure Django; `undefined` when nothing is. */
export function missingPackages(): string | undefined {
  try {
    execFileSync(PYTHON, ["-c", "import django, rest_framework, rest_framework_simplejwt, jwt, gunicorn"], {
      stdio: "ignore",
    });
    return existsSync("/proc/self/stat") ? undefined : "this part reads CPU times from /proc, which only Linux has";
  } catch {
    return "install python3-django python3-djangorestframework python3-djangorestframework-simplejwt python3-jwt gunicorn";
  }
}

export async function startDjangoService(folder: string, secret: string): Promise<DjangoService> {
  const port = await freePort();
  const child = spawn(
    PYTHON,
    ["-m", "gunicorn", "--workers", "1", "--bind", `127.0.0.1:${port}`, "--log-level", "error", "service:application"],
    {
      cwd: import.meta.dirname,
      env: { ...process.env, BENCH_FOLDER: folder, BENCH_SECRET: secret, PYTHONDONTWRITEBYTECODE: "1" },
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  const info = join(folder, "service.json");
  for (let tries = 0; !existsSync(info); tries++) {
    if (tries === 150 || child.exitCode !== null) throw new Error("the Django service did not come up");
    await sleep(100);
  }
  await sleep(300);
  const { iterations, versions } = JSON.parse(readFileSync(info, "utf8"));
  return {
    port,
    iterations,
    versions,
    cpu: () => family(child.pid as number).reduce((sum, pid) => sum + cpuOf(pid), 0),
    stop: () => stop(child),
  };
}

function stop(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("close", () => resolve());
    child.kill("SIGTERM");
  });
}

function family(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return [pid, ...(children === "" ? [] : children.split(" ").map(Number))];
}

/** Linux counts a hundredth of a second at a time. */
const MICROS_PER_TICK = 10_000;

function cpuOf(pid: number): number {
  // The name before it may hold anything but ends with the last parenthesis.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MICROS_PER_TICK;
}
