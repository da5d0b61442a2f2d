/**
 * The load generator: a process of its own that is quicker than any server here. It writes requests that were made
 * beforehand to raw sockets, one in flight on each, and looks at every answer: the status, the length, and that the body
 * names the user whose token was sent.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { cpuMicros, serve } from "../service.ts";
import { HOST } from "./application.ts";
import { pinThisProcess } from "./cores.ts";

export interface LoadRequest {
  readonly text: string;
  /** The body that is the right answer. */
  readonly body: string;
}

export interface TargetInput {
  readonly port: number;
  readonly connectionCount: number;
  /** Sent in turn, by all connections together. */
  readonly requests: readonly LoadRequest[];
}

export interface RunInput {
  readonly port: number;
  readonly milliseconds: number;
}

export interface LoadResult {
  readonly count: number;
  readonly milliseconds: number;
  /** CPU of the load generator itself. */
  readonly cpuMicros: number;
}

interface Target {
  readonly port: number;
  readonly requests: readonly PreparedRequest[];
  readonly lanes: Lane[];
  next: number;
  /** Bytes of an answer of this server: they are all of one length, or they are looked at more closely. */
  usualLength: number;
  /** Milliseconds from a request to the last byte of its answer. */
  readonly latencies: number[];
}

interface PreparedRequest {
  readonly bytes: Buffer;
  readonly end: string;
}

interface Lane {
  readonly socket: Socket;
  /** What is expected, and since when. */
  request: PreparedRequest | undefined;
  sentAt: number;
  received: string;
}

interface Run {
  readonly target: Target;
  readonly deadline: number;
  count: number;
  /** Lanes with an answer due. */
  waiting: number;
  resolve(): void;
  reject(cause: Error): void;
}

const RECEIVE_BUFFER = 16 * 1024;

await serve(async () => {
  const targets = new Map<number, Target>();
  let run: Run | undefined;

  function send(lane: Lane, target: Target): void {
    const request = target.requests[target.next++ % target.requests.length]!;
    lane.request = request;
    lane.sentAt = performance.now();
    lane.socket.write(request.bytes);
  }

  function receive(lane: Lane, part: string): void {
    const { request } = lane;
    if (!request || !run) throw new Error(`an answer that nobody asked for: ${part.slice(0, 200)}`);
    const { target } = run;
    const text = lane.received === "" ? part : lane.received + part;
    if (text.length !== target.usualLength && !isWhole(text)) {
      lane.received = text;
      return;
    }
    const now = performance.now();
    if (!text.startsWith("HTTP/1.1 200 ") || !text.endsWith(request.end)) {
      throw new Error(`expected ${request.end.trim()} and got ${text.slice(0, 500)}`);
    }
    target.usualLength = text.length;
    target.latencies.push(now - lane.sentAt);
    lane.received = "";
    lane.request = undefined;
    run.count++;
    if (now < run.deadline) send(lane, target);
    else if (--run.waiting === 0) run.resolve();
  }

  /** Sends until the deadline and waits for the answers that are due. @returns how many came. */
  async function runUntil(deadline: number, target: Target): Promise<number> {
    let count = 0;
    await new Promise<void>((resolve, reject) => {
      run = { target, deadline, count, waiting: target.lanes.length, resolve, reject };
      for (const lane of target.lanes) send(lane, target);
      stayAwake(run);
    });
    count = run?.count ?? 0;
    run = undefined;
    return count;
  }

  /**
   * Whoever writes to a process that sleeps pays for waking it: a quick server, which never finds the load asleep, would
   * look quicker than it is beside a slower one.
   */
  function stayAwake(current: Run): void {
    if (run === current) setImmediate(stayAwake, current);
  }

  async function open({ port, lanes }: Target, index: number): Promise<void> {
    const buffer = Buffer.alloc(RECEIVE_BUFFER);
    const onread = {
      buffer,
      callback(length: number): boolean {
        try {
          receive(lane, buffer.toString("latin1", 0, length));
        } catch (cause) {
          run?.reject(cause as Error);
        }
        return true;
      },
    };
    const socket = connect({ port, host: HOST, noDelay: true, onread });
    const lane: Lane = { socket, request: undefined, sentAt: 0, received: "" };
    lanes[index] = lane;
    socket.on("error", (cause) => run?.reject(cause));
    socket.on("close", () => {
      if (lane.request) run?.reject(new Error("the server hung up"));
    });
    await once(socket, "connect");
  }

  /** Servers hang up on connections that were idle through a long turn of the others. */
  async function openWhatIsClosed(target: Target): Promise<void> {
    const closed = target.lanes.flatMap(({ socket }, index) => (socket.destroyed ? [index] : []));
    if (closed.length === 0) return;
    await Promise.all(closed.map((index) => open(target, index)));
    // One answer for each: what a new connection costs is not part of a request.
    await runUntil(0, target);
  }

  function targetOf(port: number): Target {
    const target = targets.get(port);
    if (!target) throw new TypeError(`nothing is known of port ${port}`);
    return target;
  }

  return {
    pin: pinThisProcess,
    async connect({ port, connectionCount, requests }: TargetInput): Promise<void> {
      const target: Target = {
        port,
        requests: requests.map(({ text, body }) => ({ bytes: Buffer.from(text), end: `\r\n\r\n${body}` })),
        lanes: [],
        next: 0,
        usualLength: 0,
        latencies: [],
      };
      targets.set(port, target);
      await Promise.all(Array.from({ length: connectionCount }, (_, index) => open(target, index)));
      await runUntil(0, target);
    },
    ready: async (port: number): Promise<void> => openWhatIsClosed(targetOf(port)),
    async run({ port, milliseconds }: RunInput): Promise<LoadResult> {
      const started = performance.now();
      const cpuBefore = cpuMicros();
      const count = await runUntil(started + milliseconds, targetOf(port));
      return { count, milliseconds: performance.now() - started, cpuMicros: cpuMicros() - cpuBefore };
    },
    /** Milliseconds, over all requests since this was last asked. */
    p99(port: number): number {
      const { latencies } = targetOf(port);
      const sorted = Float64Array.from(latencies.splice(0)).sort();
      return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0;
    },
    disconnect(port: number): void {
      for (const { socket } of targetOf(port).lanes) socket.destroy();
      targets.delete(port);
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
