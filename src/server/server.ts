/**
 * The server: configuration in, a listening socket out.
 * Everything about a request is the handler's and everything about a connection http-server.ts's; here is the way up and down.
 */
import type { Server } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import { createHandler } from "../handler.ts";
import type { HandledRequest } from "../http/handler.ts";
import { type Config, ConfigError } from "./config.ts";
import { hasConsole, withConsole } from "./console.ts";
import { looseSettings, makeContracts } from "./contracts.ts";
import { drain } from "./drain.ts";
import { chooseStore, createEngine } from "./engine.ts";
import { createHttpServer, type HttpServerOptions } from "./http-server.ts";
import type { Logger } from "./logger.ts";
import { type OperationsOptions, operationsContract } from "./operations.ts";
import { observeProcess } from "./process-metrics.ts";
import { loadTracing } from "./tracing.ts";

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
  /** Where /metrics is, if it has a port of its own. */
  readonly metricsUrl?: string;
  /** Says that it is not ready, stops listening, lets what is under way finish, closes the store. */
  close(): Promise<void>;
}

/** What probes ask every second or two: in a log, only what they are refused is worth a line. */
const QUIET_ROUTES = new Set(["/livez", "/readyz", "/metrics"]);

/**
 * Opens the store, creates the engine and listens.
 * @throws ConfigError, or an error of the storage whose message is one clear sentence.
 */
export async function startServer(config: Config, logger: Logger): Promise<RunningServer> {
  const tracing = config.tracing ? await loadTracing() : undefined;
  const store = await chooseStore(config);
  const auth = await createEngine(config, store, {
    algorithm: config.algorithm,
    onEvent: logger.event,
    ...(tracing && { tracer: tracing.tracer }),
  });
  for (const { message, mend } of looseSettings(config)) logger.info(`${message}; ${mend}`);
  let isDraining = false;

  function note(request: HandledRequest): void {
    if (request.status >= 400 || !QUIET_ROUTES.has(request.route)) logger.request(request);
  }

  /** For what the handler never sees. */
  function countAndNote(request: HandledRequest): void {
    auth.metrics.countRequest({ ...request, seconds: 0 });
    note(request);
  }

  const operations = (metrics: OperationsOptions["metrics"]) =>
    operationsContract(auth, { isDraining: () => isDraining, metrics });

  const endpoints = createHandler(auth, {
    contracts: [...makeContracts(auth, config), operations(config.metricsTokens)],
    proxyCount: config.proxyCount,
    cookies: config.cookies,
    allowedOrigins: config.allowedOrigins,
    feedTokens: config.feedTokens,
    documents: config.documents,
    bodyLimit: config.bodyLimit,
    tracer: tracing?.tracer,
    onRequest: note,
  });
  const handle = tracing ? Object.assign(tracing.continuing(endpoints), endpoints) : endpoints;
  const showsConsole = servesConsole(config, logger);
  const connections: HttpServerOptions = { limits: config, onRefused: countAndNote, isDraining: () => isDraining };
  const server = createHttpServer(showsConsole ? withConsole(handle) : handle, connections);
  const metricsServer = config.metricsPort === undefined ? undefined : createMetricsServer();
  const processMetrics = observeProcess();
  auth.metrics.add(...processMetrics.sources);
  try {
    await listen(server, config);
    await metricsServer?.listen();
  } catch (error) {
    server.close();
    processMetrics.stop();
    await auth.close();
    throw error;
  }
  const url = urlOf(server, config.host);
  return {
    url,
    database: store.database,
    hasConsole: showsConsole,
    async firstUserLink() {
      const token = showsConsole ? await auth.firstUser.offer() : undefined;
      // Behind the "#", which browsers send to nobody.
      return token && `${url}/console/first-user#${token}`;
    },
    ...(metricsServer && { metricsUrl: urlOf(metricsServer.server, config.metricsHost) }),
    async close() {
      isDraining = true;
      const { drainDelay: delay, drainTimeout: timeout } = config;
      await drain(server, { delay, timeout, answerWaiting: auth.revocations.answerWaiting });
      metricsServer?.server.closeAllConnections();
      metricsServer?.server.close();
      processMetrics.stop();
      await auth.close();
    },
  };

  /** For the operator's own network; still there while the other one drains. */
  function createMetricsServer() {
    const handler = createHandler(auth, { contracts: [operations("anybody")], onRequest: note });
    const own = createHttpServer(handler, connections);
    const { metricsHost: host, metricsPort: port = 0 } = config;
    return {
      server: own,
      listen: () => listen(own, { host, port }, { host: "LATCHKEY_METRICS_HOST", port: "LATCHKEY_METRICS_PORT" }),
    };
  }
}

function urlOf(server: Server, host: string): string {
  return `http://${toHostname(host)}:${(server.address() as AddressInfo).port}`;
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

function listen(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
  names = { host: "HOST", port: "PORT" },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const why: Record<string, string> = {
        EADDRINUSE: `Port ${port} on ${host} is taken: stop what listens there or set ${names.port} to another.`,
        EACCES: `Port ${port} on ${host} is not allowed to this user: set ${names.port} to one above 1023.`,
        EADDRNOTAVAIL: `This machine has no address ${host}: set ${names.host} to one of its own, such as 127.0.0.1 or 0.0.0.0.`,
        ENOTFOUND: `There is no host ${host}: set ${names.host} to an address of this machine, such as 127.0.0.1 or 0.0.0.0.`,
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
