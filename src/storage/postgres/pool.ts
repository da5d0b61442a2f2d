/**
 * A bounded set of connections, each a postgres.js client of its own, so that one which no longer answers can be given up
 * alone. A server that froze, or a network that swallows packets, breaks no connection: only our own deadline notices.
 */
import postgres from "postgres";
import type { StorageLoad } from "../storage.ts";
import { isDeadEnd, storeUnavailable } from "./errors.ts";

export type Client = postgres.Sql<{ bigint: number }>;

export interface PoolOptions {
  readonly url: string;
  readonly connectionCount: number;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Milliseconds that a statement may run on the server, waiting for locks included. */
  readonly statementTimeout: number;
}

export interface Pool {
  /** Gives work a connection. @throws AuthError `store_unavailable` when it is not done by the deadline. */
  run<T>(work: (client: Client) => Promise<T>): Promise<T>;
  /** Each connection works on one statement; more are on their way to it. */
  load(): StorageLoad;
  /** Waits for what was accepted, then closes. */
  close(): Promise<void>;
}

interface Lane {
  client: Client;
  running: number;
}

/** Beyond this the store does not keep up, and waiting longer helps nobody. */
const MOST_RUNNING = 10_000;
/** Milliseconds that the answer to a statement which the server itself has given up may take. */
const ANSWER_TIME = 1_000;
/** Seconds between tries to connect: short, so that a server which is back is used at once. */
const RECONNECT_DELAY = 0.1;
/** Seconds that closing waits for the server. */
const CLOSE_TIMEOUT = 2;

/** One connection's settings, shared with the listener. */
export function connect({ url, connectTimeout, statementTimeout }: PoolOptions, more: object = {}): Client {
  return postgres(url, {
    max: 1,
    connect_timeout: Math.ceil(connectTimeout / 1000),
    backoff: () => RECONNECT_DELAY * (0.5 + Math.random()),
    fetch_types: false,
    onnotice: () => {},
    types: { bigint: { to: 20, from: [20], parse: toSafeInteger, serialize: String } },
    connection: {
      application_name: "latchkey",
      // What is acknowledged survives a power loss, whatever the server's default is.
      synchronous_commit: "on",
      statement_timeout: statementTimeout,
      // A client that stops in the middle of a change must not hold the feed's counter for others.
      idle_in_transaction_session_timeout: statementTimeout + ANSWER_TIME,
    },
    ...more,
  });
}

export function createPool(options: PoolOptions): Pool {
  const lanes: Lane[] = Array.from({ length: options.connectionCount }, () => ({
    client: connect(options),
    running: 0,
  }));
  const deadline = options.statementTimeout + ANSWER_TIME;
  let runningCount = 0;
  let whenIdle: (() => void) | undefined;
  let isClosed = false;

  /** Ties go to the first, so that an idle server needs one connection and a busy one all. */
  function leastBusy(): Lane {
    let best = lanes[0] as Lane;
    for (const lane of lanes) if (lane.running < best.running) best = lane;
    return best;
  }

  /** Whatever else waits on the connection fails with it. */
  function abandon(lane: Lane, client: Client): void {
    if (lane.client !== client) return;
    lane.client = connect(options);
    client.end({ timeout: 0 }).catch(() => {});
  }

  function run<T>(work: (client: Client) => Promise<T>): Promise<T> {
    if (isClosed) return Promise.reject(storeUnavailable("the store is closed"));
    if (runningCount >= MOST_RUNNING) return Promise.reject(storeUnavailable("too many statements are waiting"));
    const lane = leastBusy();
    const { client } = lane;
    lane.running++;
    runningCount++;
    return new Promise<T>((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        lane.running--;
        if (--runningCount === 0) whenIdle?.();
      };
      const timer = setTimeout(() => {
        reject(storeUnavailable(`no answer within ${deadline} ms`));
        abandon(lane, client);
      }, deadline);
      work(client).then(
        (value) => {
          settle();
          resolve(value);
        },
        (error: unknown) => {
          settle();
          if (isDeadEnd(error)) abandon(lane, client);
          reject(error);
        },
      );
    });
  }

  async function close(): Promise<void> {
    isClosed = true;
    if (runningCount > 0) {
      await new Promise<void>((resolve) => {
        whenIdle = resolve;
      });
    }
    await Promise.all(lanes.map(({ client }) => client.end({ timeout: CLOSE_TIMEOUT })));
  }

  function load(): StorageLoad {
    const running = lanes.filter((lane) => lane.running > 0).length;
    return { running, waiting: runningCount - running, connections: lanes.length };
  }

  return { run, load, close };
}

function toSafeInteger(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  throw Object.assign(new RangeError(`${text} is beyond the integers that a number holds`), {
    code: "ERR_OUT_OF_RANGE",
  });
}
