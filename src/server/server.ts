/**
 * The server: configuration in, a listening socket out.
 * Everything about a request is the handler's and everything about a connection http-server.ts's; here is the way up and down.
 */
import type { Server } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import { type Auth, createAuth } from "../auth.ts";
import { createHandler } from "../handler.ts";
import type { RootSecret } from "../secrets.ts";
import { openSqlite } from "../storage/sqlite.ts";
import type { Storage } from "../storage/storage.ts";
import { type Config, ConfigError } from "./config.ts";
import { databasePath, developmentSecret, openDataFolder } from "./data-folder.ts";
import { createHttpServer } from "./http-server.ts";
import type { Logger } from "./logger.ts";

export interface RunningServer {
  /** Where it listens, such as "http://localhost:8000". */
  readonly url: string;
  /** Where the database is. */
  readonly database: string;
  /** Stops listening, lets what is under way finish, closes the store. */
  close(): Promise<void>;
}

/** Milliseconds. */
const DRAIN_TIMEOUT = 10_000;
const IDLE_CHECK = 50;

/**
 * Opens the store, creates the engine and listens.
 * @throws ConfigError, or an error of the storage whose message is one clear sentence.
 */
export async function startServer(config: Config, logger: Logger): Promise<RunningServer> {
  const { storage, database, secret } = await prepare(config);
  let auth: Auth;
  try {
    auth = await createAuth({
      storage,
      secret,
      algorithm: config.algorithm,
      keys: { rotateEvery: config.keyRotation, jwksMaxAge: config.jwksMaxAge, jwksStale: config.jwksMaxAge * 2 },
      ...(config.rootSecret !== undefined && { rootSecret: config.rootSecret }),
      issuer: config.issuer,
      audience: config.audience,
      accessTtl: config.accessTtl,
      sessionIdleTtl: config.sessionIdleTtl,
      sessionMaxAge: config.sessionMaxAge,
      refreshGrace: config.refreshGrace,
      onEvent: logger.event,
    });
  } catch (error) {
    await storage.close();
    throw error;
  }
  const handle = createHandler(auth, {
    proxyCount: config.proxyCount,
    feedTokens: config.feedTokens,
    onRequest: logger.request,
  });
  const server = createHttpServer(handle, logger);
  try {
    await listen(server, config);
  } catch (error) {
    await auth.close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${toHostname(config.host)}:${port}`,
    database,
    async close() {
      auth.revocations.answerWaiting();
      await drain(server);
      await auth.close();
    },
  };
}

interface Prepared {
  readonly storage: Storage;
  /** Where the database is, without a password. */
  readonly database: string;
  readonly secret: RootSecret;
}

async function prepare({ dataDir, databaseUrl, secret }: Config): Promise<Prepared> {
  // With both given the folder is not needed, and not made.
  const folder = databaseUrl === undefined || secret === undefined ? openDataFolder(dataDir) : undefined;
  const own = { secret: secret ?? developmentSecret(folder as string) };
  if (databaseUrl !== undefined && /^postgres(?:ql)?:/i.test(databaseUrl)) {
    const { openPostgres } = await import("../storage/postgres.ts");
    const storage = openPostgres(databaseUrl);
    const { host, pathname } = new URL(databaseUrl);
    return { ...own, storage, database: `postgres://${host}${pathname}` };
  }
  const path = databaseUrl?.replace(/^(?:sqlite|file):(?:\/\/)?/i, "") ?? databasePath(folder as string);
  return { ...own, storage: openSqlite(path), database: path };
}

function listen(server: Server, { host, port }: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why: Record<string, string> = {
        EADDRINUSE: `Port ${port} on ${host} is taken: stop what listens there or set PORT to another.`,
        EACCES: `Port ${port} on ${host} is not allowed to this user: set PORT to one above 1023.`,
        EADDRNOTAVAIL: `This machine has no address ${host}: set HOST to one of its own, such as 127.0.0.1 or 0.0.0.0.`,
        ENOTFOUND: `There is no host ${host}: set HOST to an address of this machine, such as 127.0.0.1 or 0.0.0.0.`,
      };
      reject(new ConfigError([why[error.code ?? ""] ?? `Listening on ${host}:${port} failed: ${error.message}.`]));
    });
    server.listen({ host, port }, () => resolve());
  });
}

function toHostname(host: string): string {
  if (host === "127.0.0.1" || host === "0.0.0.0" || host === "::" || host === "::1") return "localhost";
  return isIPv6(host) ? `[${host}]` : host;
}

async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Node closes what is idle now; what was answered just before becomes idle a moment later.
  const sweep = setInterval(() => server.closeIdleConnections(), IDLE_CHECK);
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_TIMEOUT);
  await closed;
  clearInterval(sweep);
  clearTimeout(timer);
}
