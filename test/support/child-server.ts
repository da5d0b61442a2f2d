/** Starts the very command of the README as a child process and talks to it over real HTTP. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { documentedByFile } from "./documented.ts";
import { ROOT } from "./root.ts";

export { ROOT };

export interface ChildServer {
  readonly url: string;
  readonly dataDir: string;
  readonly process: ChildProcess;
  /** All that it printed so far. */
  output(): string;
  /** Sends SIGTERM and waits; returns the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface Started {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly dataDir?: string;
  /** Without npm in between, so that the exit code is the server's own. */
  readonly isDirect?: boolean;
}

/** Milliseconds that a server has to come up; the machine may be busy with other tests. */
const PATIENCE = 60_000;

const SERVER = ["dist/cli/main.js", "serve"];

/** The environment of a newcomer: nothing that configures us. */
function environment({ env, dataDir }: StartOptions): Record<string, string> {
  const { PATH = "", HOME = "", TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR && { TMPDIR }), PORT: "0", ...(dataDir && { LATCHKEY_DATA_DIR: dataDir }), ...env };
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "latchkey-test-"));
}

/** `npm start` in a folder of its own; resolves once it listens. */
export function startChildServer(options: StartOptions = {}): Promise<ChildServer> {
  const dataDir = options.dataDir ?? temporaryFolder();
  const child = spawn(options.isDirect ? "node" : "npm", options.isDirect ? SERVER : ["start", "--silent"], {
    cwd: ROOT,
    env: environment({ ...options, dataDir }),
    detached: true,
  });
  let output = "";
  // npm goes before the server does; the pipes close when both have gone.
  const exited = new Promise<number | null>((resolve) => child.on("close", (code) => resolve(code)));
  const server: Omit<ChildServer, "url"> = {
    dataDir,
    process: child,
    output: () => output,
    async stop(signal = "SIGTERM") {
      // The group, since npm stands between us and the server.
      if (child.exitCode === null && child.pid) process.kill(-child.pid, signal);
      const code = await exited;
      if (!options.dataDir) rmSync(dataDir, { recursive: true, force: true });
      return code;
    },
  };
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`no server after ${PATIENCE / 1000} s:\n${output}`));
      // Whoever waited has nothing to stop it by.
      server.stop("SIGKILL");
    }, PATIENCE);
    const onData = (chunk: Buffer) => {
      output += chunk.toString();
      const url = /(?:listens|listening) on (http:\/\/[^\s"]+)/.exec(output)?.[1];
      if (url) {
        clearTimeout(timer);
        resolve({ ...server, url });
      }
    };
    child.stdout.on("data", onData);
    child.stderr.on("data", onData);
    exited.then((code) => {
      clearTimeout(timer);
      reject(new Error(`the server exited with ${code}:\n${output}`));
    });
  });
}

/** Runs the server command and waits until it has exited by itself. */
export function runServer(options: StartOptions = {}): Promise<Started> {
  const child = spawn("node", SERVER, { cwd: ROOT, env: environment(options) });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
  return new Promise((resolve) =>
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, output, errors });
    }),
  );
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape.
  readonly body: any;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Record<string, string>;
}

/** One request to a server of ours, with JSON in and out; the answer is held to the OpenAPI document. */
export async function call(url: string, method: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const { text, ...answer } = await ask(url, method, path, options);
  documentedByFile().check({ method, path, status: answer.status, headers: answer.headers, text });
  return answer;
}

/** The same to a server of whomever. */
export async function callAny(url: string, method: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const { text: _, ...answer } = await ask(url, method, path, options);
  return answer;
}

async function ask(url: string, method: string, path: string, { body, token, headers }: CallOptions) {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const parsed = text === "" ? undefined : JSON.parse(text);
  return { status: response.status, headers: response.headers, body: parsed, text };
}
