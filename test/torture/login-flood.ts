/** A flood of logins at a steady rate, whatever becomes of those before, on a thread of its own: each from another network, at another account. */
import { Agent, request } from "node:http";
import { parentPort, workerData } from "node:worker_threads";

const { url, rate } = workerData as { readonly url: string; readonly rate: number };

/** Milliseconds between looks at the clock: a flood comes evenly, not in waves. */
const TICK = 1;
/** Beyond so many that are not answered it is the generator that is behind. */
const MOST_OPEN = 2_000;

const agent = new Agent({ keepAlive: true, maxSockets: MOST_OPEN });
const target = new URL("/v1/users/me/token", url);
const refusals: number[] = [];
const statuses: Record<string, number> = {};
let [sent, open, skipped] = [0, 0, 0];

function fire(): void {
  const number = sent++;
  const body = `{"username":"user${number}","password":"no password of theirs"}`;
  const started = performance.now();
  open++;
  const over = (status: number | string) => {
    open--;
    statuses[status] = (statuses[status] ?? 0) + 1;
    if (status === 503 || status === 429) refusals.push(performance.now() - started);
  };
  const outgoing = request(target, {
    method: "POST",
    agent,
    headers: {
      "content-type": "application/json",
      "content-length": body.length,
      "x-forwarded-for": `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`,
    },
  });
  outgoing.on("response", (answer) => {
    answer.resume();
    answer.on("end", () => over(answer.statusCode ?? 0));
    answer.on("error", () => over("cut"));
  });
  outgoing.on("error", (error: NodeJS.ErrnoException) => over(error.code ?? "error"));
  outgoing.end(body);
}

const started = performance.now();
let due = 0;
const timer = setInterval(() => {
  const total = ((performance.now() - started) / 1000) * rate;
  for (; due < total; due++) {
    if (open < MOST_OPEN) fire();
    else skipped++;
  }
}, TICK);

parentPort?.on("message", () => {
  clearInterval(timer);
  const seconds = (performance.now() - started) / 1000;
  parentPort?.postMessage({ sent, skipped, seconds, statuses, refusals });
  agent.destroy();
  setTimeout(() => process.exit(0), 50);
});
