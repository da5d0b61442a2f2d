/**
 * Connections that have stopped making sense: bytes that are no HTTP, headers over the limit, a request that never ends.
 * Each is told so once, after the answers that were due before, and is hung up on by us: a stranger who is waited for holds a socket
 * for as long as he likes.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { AuthError } from "../errors.ts";
import { describeProblem } from "../http/problem.ts";

export interface UnreadableConnections {
  /** To be told of every request, so that a refusal does not overtake its answer. */
  onRequest(incoming: IncomingMessage, outgoing: ServerResponse): void;
  /** Answers and closes a connection; for `clientError` and `connect`. */
  refuse(error: NodeJS.ErrnoException, socket: Duplex): void;
}

/** Milliseconds in which the answer is read before the connection is torn down; what is still sent meanwhile is thrown away. */
const LINGER = 1_000;

/** So many of those who dawdled are hung up on between other work: node finds hundreds of them at once. */
const AT_ONCE = 8;

const TIMEOUT = "ERR_HTTP_REQUEST_TIMEOUT";

/** The statuses of node's errors; any other is 400. */
const STATUSES: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  [TIMEOUT]: 408,
};

export function createUnreadableConnections(): UnreadableConnections {
  /** The last request of a connection, while it is not answered. */
  const latest = new WeakMap<Duplex, { readonly incoming: IncomingMessage; readonly outgoing: ServerResponse }>();
  const refused = new WeakSet<Duplex>();
  const dawdlers: Duplex[] = [];

  function hangUpOnSome(): void {
    for (const socket of dawdlers.splice(0, AT_ONCE)) hangUp(socket, TOO_SLOW);
    if (dawdlers.length > 0) setImmediate(hangUpOnSome);
  }

  return {
    onRequest(incoming, outgoing) {
      const { socket } = incoming;
      latest.set(socket, { incoming, outgoing });
      // An idle connection keeps nothing.
      outgoing.once("close", () => {
        if (latest.get(socket)?.outgoing === outgoing) latest.delete(socket);
      });
    },

    refuse(error, socket) {
      // Node reports every further piece of what it could not read.
      if (refused.has(socket)) return;
      refused.add(socket);
      if (error.code === "ECONNRESET") {
        socket.destroy();
        return;
      }
      const exchange = latest.get(socket);
      if (!exchange && error.code === TIMEOUT) {
        if (dawdlers.push(socket) === 1) setImmediate(hangUpOnSome);
        return;
      }
      if (!exchange) return hangUp(socket, toText(error));
      const { incoming, outgoing } = exchange;
      // That request was whole, and only what follows it is not: its answer comes first.
      if (incoming.complete) return void outgoing.once("close", () => hangUp(socket, toText(error)));
      // Its own body broke. It may have been answered before that, or be waiting in line behind another one's answer.
      hangUp(socket, outgoing.headersSent || outgoing.socket === null ? "" : toText(error));
    },
  };
}

function hangUp(socket: Duplex, text: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  socket.end(text);
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER).unref();
}

function toText(error: NodeJS.ErrnoException): string {
  const status = STATUSES[error.code ?? ""];
  const problem = describeProblem(new AuthError("request_invalid"), {
    ...(status !== undefined && { status }),
    headers: { connection: "close" },
  });
  const headers = { ...problem.headers, "content-length": Buffer.byteLength(problem.body) };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}\r\n${lines.join("")}\r\n${problem.body}`;
}

const TOO_SLOW = toText(Object.assign(new Error(), { code: TIMEOUT }));
