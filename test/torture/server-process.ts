/** A server that is killed and started again on the same port over the same store. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "../support/child-server.ts";

export interface ServerProcess {
  readonly url: string;
  readonly isUp: boolean;
  /** What it printed since it was last started. */
  output(): string;
  /** Sends a signal and waits until it has gone. @returns the exit code. */
  kill(signal?: NodeJS.Signals): Promise<number | null>;
  /** Starts it again and waits until it answers. */
  start(env?: Readonly<Record<string, string>>): Promise<void>;
  /** Tells a server that takes messages something. */
  send(message: object): void;
}

export interface ServerProcessOptions {
  readonly env: Readonly<Record<string, string>>;
  /** A module to run instead of the command. */
  readonly script?: string;
  /** Told of everything that it prints. */
  readonly hear?: (text: string) => void;
  /** Kilobytes that it may write to any one file (`ulimit -f`). */
  readonly fileLimit?: number;
}

/** Milliseconds that a start may take on a machine under load. */
const START_TIMEOUT = 30_000;

export const SECRET = "torture-Zx8Kq2Vw5Lt9Rb3Ny7Hm1Jd6Gf4Ps0QaUc";

export async function startServer(options: ServerProcessOptions): Promise<ServerProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  let exited: Promise<number | null> = Promise.resolve(null);
  let printed = "";

  async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const { PATH = "", HOME = "" } = process.env;
    const { script, fileLimit } = options;
    const command = script === undefined ? ["dist/cli/main.js", "serve"] : ["--no-warnings", script];
    const [file, args] =
      fileLimit === undefined
        ? [process.execPath, command]
        : ["/bin/sh", ["-c", `ulimit -f ${fileLimit * 2}; exec "$@"`, "sh", process.execPath, ...command]];
    const started = spawn(file, args, {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "pipe", ...(script === undefined ? [] : (["ipc"] as const))],
      env: { PATH, HOME, JWT_SECRET_KEY: SECRET, LATCHKEY_LIMITS: "off", PORT: String(port), ...options.env, ...env },
    });
    child = started;
    printed = "";
    const hear = (chunk: Buffer) => {
      printed = (printed + chunk.toString()).slice(-4000);
      options.hear?.(chunk.toString());
    };
    started.stdout?.on("data", hear);
    started.stderr?.on("data", hear);
    exited = new Promise((resolve) =>
      started.on("exit", (code) => {
        if (child === started) child = undefined;
        resolve(code);
      }),
    );
    const giveUp = performance.now() + START_TIMEOUT;
    while (child === started && performance.now() < giveUp) {
      const answers = await fetch(`${url}/.well-known/jwks.json`).then(
        (answer) => answer.ok,
        () => false,
      );
      if (answers) return;
      await sleep(15);
    }
    throw new Error(`the server did not start:\n${printed}`);
  }

  const server: ServerProcess = {
    url,
    get isUp() {
      return child !== undefined;
    },
    output: () => printed,
    async kill(signal = "SIGKILL") {
      child?.kill(signal);
      return exited;
    },
    start,
    send: (message) => void child?.send(message),
  };
  await start();
  return server;
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
