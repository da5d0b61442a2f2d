/**
 * node:http as we want it: time-outs and limits for those who dawdle, strictness for those who are ambiguous, and the handler for
 * the rest.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Handler } from "../handler.ts";
import { BODY_LIMIT } from "../http/body.ts";
import type { HandledRequest } from "../http/handler.ts";
import { describeProblem } from "../http/problem.ts";
import type { OperationsConfig } from "./operations-settings.ts";
import { requestFault, toOriginForm } from "./request-fault.ts";
import { createUnreadableConnections } from "./unreadable.ts";

export interface HttpServerOptions {
  readonly limits?: ConnectionLimits;
  /** Told of requests that are refused before the handler sees them. */
  readonly onRefused?: (request: HandledRequest) => void;
  /** True once the server is on its way down: then nobody is invited to ask again here. */
  readonly isDraining?: () => boolean;
}

/** Times in seconds. */
export type ConnectionLimits = Pick<
  OperationsConfig,
  "maxConnections" | "headersTimeout" | "requestTimeout" | "keepAliveTimeout" | "bodyLimit"
>;

const USUAL_LIMITS: ConnectionLimits = {
  maxConnections: 10_000,
  bodyLimit: BODY_LIMIT,
  headersTimeout: 10,
  requestTimeout: 30,
  keepAliveTimeout: 65, // longer than the usual proxy's, so that the proxy closes first
};

/** Milliseconds. */
const TIMEOUTS_CHECKED = 500; // node's 30 seconds would let the ten for headers be forty, and find all who dawdle at once
const SILENCE_TIMEOUT = 120_000; // no byte either way, as when nobody reads the answer
const MAX_HEADER_SIZE = 16 * 1024;

/** An HTTP server that does not listen yet. */
export function createHttpServer(
  handle: Handler,
  { limits = USUAL_LIMITS, onRefused = () => {}, isDraining = () => false }: HttpServerOptions = {},
): Server {
  const answer = getRequestListener(async (request, { incoming, outgoing }) => {
    const response = await handle(request, {
      ip: (incoming.socket as Socket).remoteAddress,
      host: hosts.get(incoming as IncomingMessage),
    });
    if (isDraining() || !server.listening) (outgoing as ServerResponse).shouldKeepAlive = false;
    return response;
  });
  /** What each request said of its host. */
  const hosts = new WeakMap<IncomingMessage, string | undefined>();
  const connections = createUnreadableConnections();

  function listener(incoming: IncomingMessage, outgoing: ServerResponse): void {
    connections.onRequest(incoming, outgoing);
    // Node loses what comes in one packet with a request to upgrade, so the next request is not awaited on that connection.
    if (incoming.headers.upgrade !== undefined) outgoing.shouldKeepAlive = false;
    const fault = requestFault(incoming);
    if (fault) {
      const { status, headers, body } = describeProblem(fault, { headers: { connection: "close" } });
      outgoing.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
      onRefused({ method: incoming.method ?? "", route: "none", status, reason: fault.reason, error: fault });
      return;
    }
    // The Request's URL is made of these two, and no stranger has a say in more of it than path and query.
    incoming.url = toOriginForm(incoming.url ?? "");
    hosts.set(incoming, incoming.headers.host);
    incoming.headers.host = "localhost";
    void answer(incoming, outgoing);
  }

  const server = createServer(
    {
      headersTimeout: limits.headersTimeout * 1000,
      requestTimeout: limits.requestTimeout * 1000,
      connectionsCheckingInterval: TIMEOUTS_CHECKED,
      keepAliveTimeout: limits.keepAliveTimeout * 1000,
      maxHeaderSize: MAX_HEADER_SIZE,
      requireHostHeader: false, // ours to refuse, in our words
    },
    listener,
  );
  server.maxConnections = limits.maxConnections;
  server.timeout = SILENCE_TIMEOUT;
  server.on("checkExpectation", listener);
  server.on("checkContinue", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    // Whoever asks first and would be refused for its size is told so instead of being waved on.
    if (!(Number(incoming.headers["content-length"]) > limits.bodyLimit)) outgoing.writeContinue();
    listener(incoming, outgoing);
  });
  server.on("clientError", connections.refuse);
  server.on("connect", (incoming, socket) =>
    connections.refuse(new Error(`${incoming.method} is for proxies`), socket),
  );
  return server;
}
