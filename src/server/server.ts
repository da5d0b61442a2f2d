/**
 * The server: configuration in, a listening socket out.
 * Everything about a request is the handler's and everything about a connection http-server.ts's; here is the way up and down.
 */
import type { Server } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import { createHandler } from "../handler.ts";
import { type Config, ConfigError } from "./config.ts";
import { hasConsole, withConsole } from "./console.ts";
import { looseSettings, makeContracts } from "./contracts.ts";
import { chooseStore, createEngine } from "./engine.ts";
import { createHttpServer } from "./http-server.ts";
import type { Logger } from "./logger.ts";

export interface RunningServer {
  /** Where it listens, such as "http://localhost:8000". */
  readonly url: string;
  /** Where the database is. */
  readonly database: string;
  /** Whether a browser that opens the url finds the console. */
  readonly hasConsole: boolean;
  /**
   * The address at which the first user is made, who becomes staff; `undefined` unless there is the console and no user at all. It is for whoever
   * sits at the server: not for a log.
   */
  firstUserLink(): Promise<string | undefined>;
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
  const store = await chooseStore(config);
  const auth = await createEngine(config, store, { algorithm: config.algorithm, onEvent: logger.event });
  for (const { message, mend } of looseSettings(config)) logger.info(`${message}; ${mend}`);
  const endpoints = createHandler(auth, {
    contracts: makeContracts(auth, config),
    proxyCount: config.proxyCount,
    cookies: config.cookies,
    allowedOrigins: config.allowedOrigins,
    feedTokens: config.feedTokens,
    onRequest: logger.request,
  });
  const showsConsole = servesConsole(config, logger);
  const server = createHttpServer(showsConsole ? withConsole(endpoints) : endpoints, logger);
  try {
    await listen(server, config);
  } catch (error) {
    await auth.close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;
  const url = `http://${toHostname(config.host)}:${port}`;
  return {
    url,
    database: store.database,
    hasConsole: showsConsole,
    async firstUserLink() {
      const token = showsConsole ? await auth.firstUser.offer() : undefined;
      // Behind the "#", which browsers send to nobody.
      return token && `${url}/console/first-user#${token}`;
    },
    async close() {
      auth.revocations.answerWaiting();
      await drain(server);
      await auth.close();
    },
  };
}

/** The console signs in by cookies and speaks the default dialect. */
function servesConsole({ console: isWanted, cookies, contracts }: Config, logger: Logger): boolean {
  if (!isWanted) return false;
  const obstacle = !cookies
    ? "LATCHKEY_COOKIES is off"
    : !contracts.includes("latchkey")
      ? "LATCHKEY_CONTRACTS does not name latchkey"
      : !hasConsole()
        ? "it has not been built (npm run build)"
        : undefined;
  if (obstacle) logger.info(`there is no console: ${obstacle}`);
  return obstacle === undefined;
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
