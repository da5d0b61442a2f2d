/** A crowd of slow sockets (heads and bodies letter by letter, silence, idle connections) beside honest clients, whose times are taken. */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { createWire, type Tokens } from "../client.ts";
import type { Violation } from "../history.ts";
import { onSqlite, PASSWORD, type Scenario } from "../scenario.ts";

const LANES = 8;
const ROUNDS = 3;
/** Milliseconds of each half of a round, and between requests of one client. */
const HALF = 8_000;
const HALF_SHORT = 500;
const PAUSE = 3;
/** Milliseconds until a crowd has come, and the first of it are hung up on and come back. */
const ARRIVAL = 13_000;
const DEPARTURE = 2_000;
/** Below so many sockets the times are not judged: it is the short form, on whatever machine. */
const JUDGED = 1_000;

export const slowSockets: Scenario = {
  title: "slow heads, slow bodies, silence and idle connections beside honest clients",
  unit: "slow sockets",
  full: 2_000,
  short: 100,
  async run(context) {
    const isShort = context.amount < JUDGED;
    const half = isShort ? HALF_SHORT : HALF;
    const server = await onSqlite(context, isShort ? { LATCHKEY_HEADERS_TIMEOUT_SECONDS: "1" } : {});
    const wire = createWire(LANES);
    context.onEnd(() => wire.close());
    const credentials = { username: "ada", password: PASSWORD };
    await wire.send("POST", `${server.url}/v1/users`, { body: { ...credentials, email: "ada@example.com" } });
    const login = await wire.send("POST", `${server.url}/v1/users/me/token`, { body: credentials });
    const { access_token: token } = login.body as Tokens;
    const violations: Violation[] = [];
    let requests = 0;

    /** The 99th percentile of a guarded GET, in milliseconds. */
    async function measure(): Promise<number> {
      const times: number[] = [];
      const end = performance.now() + half;
      const lane = async () => {
        while (performance.now() < end) {
          const started = performance.now();
          const status = await wire.send("GET", `${server.url}/v1/users/me`, { token }).then(
            (answer) => answer.status,
            (error: Error) => error.message,
          );
          times.push(performance.now() - started);
          if (status !== 200) violations.push({ promise: "served", what: String(status) });
          await sleep(PAUSE);
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      requests += times.length;
      return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] as number;
    }

    const alone: number[] = [];
    const beside: number[] = [];
    let [open, hangUps] = [0, 0];
    if (!isShort) await measure();
    for (let round = 0; round < (isShort ? 1 : ROUNDS); round++) {
      alone.push(await measure());
      const workerData = { port: Number(new URL(server.url).port), count: context.amount };
      const crowd = new Worker(new URL("../slow-crowd.ts", import.meta.url), { workerData });
      try {
        await sleep(isShort ? 1_000 : ARRIVAL);
        beside.push(await measure());
        crowd.postMessage("over");
        const [said] = await once(crowd, "message");
        open += said.open;
        hangUps += said.hangUps;
      } finally {
        await crowd.terminate();
      }
      await sleep(isShort ? 0 : DEPARTURE);
      context.progress(`p99 ${alone.at(-1)?.toFixed(1)} ms alone, ${beside.at(-1)?.toFixed(1)} ms beside them`);
    }
    const [before, during] = [median(alone), median(beside)];
    if (!isShort && during >= 2 * before) {
      violations.push({ promise: "calm", what: `p99 ${before.toFixed(1)} ms alone, ${during.toFixed(1)} ms beside` });
    }
    if (open < context.amount) violations.push({ promise: "served", what: `only ${open} slow sockets came in` });
    const notes = `p99 of a guarded GET ${before.toFixed(1)} ms alone, ${during.toFixed(1)} ms beside them; ${hangUps} hung up on`;
    return { done: context.amount, requests, granted: 0, unanswered: 0, violations, notes };
  },
};

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;
