/**
 * The load generator: a process of its own that is quicker than any server here. It writes requests that were made
 * beforehand to raw sockets, one in flight on each, and looks at every answer: the status, the length, and that the body
 * names the user whose token was sent.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { serve } from "../service.ts";
import { HOST } from "./application.ts";
import { pinThisProcess } from "./cores.ts";

export interface LoadRequest {
  readonly text: string;
  /** The body that is the right answer. */
  readonly body: string;
}

export interface ConnectInput {
  readonly port: number;
  readonly connectionCount: number;
  /** Sent in turn, by all connections together. */
  readonly requests: readonly LoadRequest[];
}

export interface LoadResult {
  readonly count: number;
  readonly milliseconds: number;
  /** Milliseconds from the request to the last byte of its answer. */
  readonly p99: number;
}

interface Lane {
  readonly socket: Socket;
  /** What is expected, and since when. */
  request: PreparedRequest | undefined;
  sentAt: number;
  received: string;
}

interface PreparedRequest {
  readonly bytes: Buffer;
  readonly end: string;
}

const RECEIVE_BUFFER = 16 * 1024;
/** A second of what the quickest server could answer, many times over. */
const MOST_LATENCIES = 1 << 20;

await serve(async () => {
  const latencies = new Float64Array(MOST_LATENCIES);
  let lanes: Lane[] = [];
  let requests: PreparedRequest[] = [];
  let next = 0;
  let count = 0;
  let deadline = 0;
  let waiting = 0;
  /** Bytes of an answer of this server: they are all of one length, or they are looked at more closely. */
  let usualLength = 0;
  let settle: { resolve(): void; reject(cause: Error): void } | undefined;

  function send(lane: Lane): void {
    const request = requests[next++ % requests.length]!;
    lane.request = request;
    lane.sentAt = performance.now();
    lane.socket.write(request.bytes);
  }

  function receive(lane: Lane, part: string): void {
    const { request } = lane;
    if (!request) throw new Error(`an answer that nobody asked for: ${part.slice(0, 200)}`);
    const text = lane.received === "" ? part : lane.received + part;
    if (text.length !== usualLength && !isWhole(text)) {
      lane.received = text;
      return;
    }
    const now = performance.now();
    if (!text.startsWith("HTTP/1.1 200 ") || !text.endsWith(request.end)) {
      throw new Error(`expected ${request.end.trim()} and got ${text.slice(0, 500)}`);
    }
    usualLength = text.length;
    lane.received = "";
    lane.request = undefined;
    latencies[count++ % MOST_LATENCIES] = now - lane.sentAt;
    if (now < deadline) send(lane);
    else if (--waiting === 0) settle?.resolve();
  }

  /** Sends until the deadline and waits for the answers that are due. */
  async function runUntil(time: number): Promise<void> {
    count = 0;
    deadline = time;
    waiting = lanes.length;
    const settled = new Promise<void>((resolve, reject) => {
      settle = { resolve, reject };
    });
    for (const lane of lanes) send(lane);
    await settled;
  }

  function open(port: number): Lane {
    const buffer = Buffer.alloc(RECEIVE_BUFFER);
    const socket = connect({
      port,
      host: HOST,
      noDelay: true,
      onread: {
        buffer,
        callback(length) {
          try {
            receive(lane, buffer.toString("latin1", 0, length));
          } catch (cause) {
            settle?.reject(cause as Error);
          }
          return true;
        },
      },
    });
    const lane: Lane = { socket, request: undefined, sentAt: 0, received: "" };
    socket.on("error", (cause) => settle?.reject(cause));
    socket.on("close", () => {
      if (lane.request) settle?.reject(new Error("the server hung up"));
    });
    return lane;
  }

  return {
    pin: pinThisProcess,
    /** New connections for each run: servers hang up on those that were idle through the turns of the others. */
    async connect({ port, connectionCount, requests: given }: ConnectInput): Promise<void> {
      requests = given.map(({ text, body }) => ({
        bytes: Buffer.from(text),
        end: `\r\n\r\n${body}`,
      }));
      usualLength = 0;
      lanes = Array.from({ length: connectionCount }, () => open(port));
      await Promise.all(lanes.map(({ socket }) => once(socket, "connect")));
      // One answer for each: what a new connection costs is not part of a request.
      await runUntil(0);
    },
    async run({ milliseconds }: { milliseconds: number }): Promise<LoadResult> {
      const started = performance.now();
      await runUntil(started + milliseconds);
      const took = performance.now() - started;
      const sorted = latencies.slice(0, Math.min(count, MOST_LATENCIES)).sort();
      return { count, milliseconds: took, p99: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0 };
    },
    disconnect(): void {
      for (const { socket } of lanes) socket.destroy();
      lanes = [];
    },
  };
});

/** @throws Error for an answer without a Content-Length: that it is whole could not be seen. */
function isWhole(text: string): boolean {
  const headLength = text.indexOf("\r\n\r\n") + 4;
  if (headLength < 4) return false;
  const length = /^content-length: *(\d+)\r$/im.exec(text.slice(0, headLength - 2))?.[1];
  if (length === undefined) throw new Error(`an answer without a length: ${text.slice(0, 500)}`);
  return text.length >= headLength + Number(length);
}
