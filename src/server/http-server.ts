/**
 * node:http as we want it: time-outs and limits for those who dawdle, strictness for those who are ambiguous, and the handler for
 * the rest.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import type { Handler } from "../handler.ts";
import { BODY_LIMIT } from "../http/body.ts";
import { describeProblem } from "../http/problem.ts";
import type { Logger } from "./logger.ts";
import { requestFault, toOriginForm } from "./request-fault.ts";
import { createUnreadableConnections } from "./unreadable.ts";

/** Milliseconds. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;
const TIMEOUTS_CHECKED = 5_000; // node's 30 seconds would let the ten for headers be forty
const SILENCE_TIMEOUT = 120_000; // no byte either way, as when nobody reads the answer
const KEEP_ALIVE_TIMEOUT = 65_000; // longer than the usual proxy's, so that the proxy closes first
const MAX_HEADER_SIZE = 16 * 1024;

/** An HTTP server that does not listen yet. */
export function createHttpServer(handle: Handler, logger: Logger): Server {
  const answer = getRequestListener(async (request, { incoming, outgoing }) => {
    const response = await handle(request, {
      ip: (incoming.socket as Socket).remoteAddress,
      host: hosts.get(incoming as IncomingMessage),
    });
    // On the way down nobody is invited to ask again here.
    if (!server.listening) (outgoing as ServerResponse).shouldKeepAlive = false;
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
      logger.request({ method: incoming.method ?? "", route: "none", status, reason: fault.reason, error: fault });
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
      headersTimeout: HEADERS_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      connectionsCheckingInterval: TIMEOUTS_CHECKED,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
      maxHeaderSize: MAX_HEADER_SIZE,
      requireHostHeader: false, // ours to refuse, in our words
    },
    listener,
  );
  server.timeout = SILENCE_TIMEOUT;
  server.on("checkExpectation", listener);
  server.on("checkContinue", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    // Whoever asks first and would be refused for its size is told so instead of being waved on.
    if (!(Number(incoming.headers["content-length"]) > BODY_LIMIT)) outgoing.writeContinue();
    listener(incoming, outgoing);
  });
  server.on("clientError", connections.refuse);
  server.on("connect", (incoming, socket) =>
    connections.refuse(new Error(`${incoming.method} is for proxies`), socket),
  );
  return server;
}
