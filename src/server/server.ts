/**
 * The server: configuration in, a listening socket out.
 * Everything about a request is the handler's; here are only sockets, time-outs and the way up and down.
 */
import { createServer, type Server } from "node:http";
import { type AddressInfo, isIPv6, type Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { type Auth, createAuth } from "../auth.ts";
import { createHandler } from "../handler.ts";
import { openSqlite } from "../storage/sqlite.ts";
import type { Storage } from "../storage/storage.ts";
import { type Config, ConfigError } from "./config.ts";
import { databasePath, developmentSecret, openDataFolder } from "./data-folder.ts";
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
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;
const KEEP_ALIVE_TIMEOUT = 65_000; // longer than the usual proxy's, so that the proxy closes first
const DRAIN_TIMEOUT = 10_000;
const MAX_HEADER_SIZE = 16 * 1024;

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
  const listener = getRequestListener(
    (request, { incoming }) => handle(request, { ip: (incoming.socket as Socket).remoteAddress }),
    { hostname: "localhost" },
  );
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
      maxHeaderSize: MAX_HEADER_SIZE,
    },
    listener,
  );
  server.on("clientError", refuseUnreadable);
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
  readonly secret: string;
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

/** What is no HTTP gets a short answer, and never an error of ours. */
function refuseUnreadable(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, title] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? [431, "Request Header Fields Too Large"]
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? [408, "Request Timeout"]
        : [400, "Bad Request"];
  const body = JSON.stringify({
    type: "about:blank",
    title,
    status,
    detail: "The request could not be read.",
    code: "request_invalid",
  });
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

async function drain(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), DRAIN_TIMEOUT);
  await closed;
  clearTimeout(timer);
}
