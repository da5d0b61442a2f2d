/**
 * The way down, in an order that loses no request: /readyz says no and a balancer looks elsewhere, then no new connections, then the answers that
 * are due, each with `connection: close`; and a connection that says nothing is closed only when its client has had the time to say something.
 */
import type { Server as HttpServer } from "node:http";
import { Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface DrainOptions {
  /** Seconds in which connections are still taken. */
  readonly delay: number;
  /** Seconds for what is under way. */
  readonly timeout: number;
  /** Called now and then: answers those who wait for news. */
  readonly answerWaiting: () => void;
}

/** Milliseconds. */
const LOOK_INTERVAL = 50;
/** Looks after which idle connections are closed: a request that is on its way to us should arrive. Counted, since time also passes while nothing is read. */
const IDLE_LOOKS = 5;

export async function drain(server: HttpServer, { delay, timeout, answerWaiting }: DrainOptions): Promise<void> {
  answerWaiting();
  if (delay > 0) await sleep(delay * 1000);
  // Not the close of node:http, which hangs up on idle connections at once, whatever their clients have just sent.
  const closed = new Promise<void>((resolve) => {
    Server.prototype.close.call(server, () => resolve());
  });
  let looks = 0;
  const looking = setInterval(() => {
    answerWaiting();
    if (++looks > IDLE_LOOKS) server.closeIdleConnections();
  }, LOOK_INTERVAL);
  const giveUp = setTimeout(() => server.closeAllConnections(), timeout * 1000);
  await closed;
  clearInterval(looking);
  clearTimeout(giveUp);
  // What node:http does beside: it stops looking for those who dawdle.
  server.close();
}
