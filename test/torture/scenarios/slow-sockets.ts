/**
 * A crowd of slow sockets (heads and bodies letter by letter, silence, idle connections) beside honest clients, whose times are taken. They ask two servers
 * in turn, of which one has the crowd: whatever else this machine is busy with is then in both.
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { createWire, type Tokens } from "../client.ts";
import type { Violation } from "../history.ts";
import { onSqlite, PASSWORD, type Scenario } from "../scenario.ts";

const LANES = 8;
/** Milliseconds. */
const MEASURED = 60_000;
const MEASURED_SHORT = 700;
const PAUSE = 3;
/** Until the first of a crowd are hung up on and come back. */
const TURNOVER = 11_000;
const TURNOVER_SHORT = 200;
const PATIENCE = 60_000;
/** Below so many sockets the times are not judged: it is the short form, on whatever machine. */
const JUDGED = 1_000;

export const slowSockets: Scenario = {
  title: "slow heads, slow bodies, silence and idle connections beside honest clients",
  unit: "slow sockets",
  full: 2_000,
  short: 100,
  async run(context) {
    const isShort = context.amount < JUDGED;
    const env: Record<string, string> = isShort ? { LATCHKEY_HEADERS_TIMEOUT_SECONDS: "1" } : {};
    const servers = [await onSqlite(context, env), await onSqlite(context, env)] as const;
    const wire = createWire(LANES);
    context.onEnd(() => wire.close());
    const violations: Violation[] = [];
    const times: readonly [number[], number[]] = [[], []];
    const credentials = { username: "ada", password: PASSWORD };

    async function signIn(url: string): Promise<string> {
      await wire.send("POST", `${url}/v1/users`, { body: { ...credentials, email: "ada@example.com" } });
      const login = await wire.send("POST", `${url}/v1/users/me/token`, { body: credentials });
      return (login.body as Tokens).access_token;
    }
    const tokens = [await signIn(servers[0].url), await signIn(servers[1].url)] as const;

    async function ask(which: 0 | 1): Promise<void> {
      const started = performance.now();
      const status = await wire.send("GET", `${servers[which].url}/v1/users/me`, { token: tokens[which] }).then(
        (answer) => answer.status,
        (error: Error) => error.message,
      );
      times[which].push(performance.now() - started);
      if (status !== 200) violations.push({ promise: "served", what: String(status) });
    }

    const crowd = new Worker(new URL("../slow-crowd.ts", import.meta.url), {
      workerData: { port: Number(new URL(servers[1].url).port), count: context.amount },
    });
    context.onEnd(() => crowd.terminate());
    await once(crowd, "message", { signal: AbortSignal.timeout(PATIENCE) });
    await sleep(isShort ? TURNOVER_SHORT : TURNOVER);
    context.progress("they are there");
    const end = performance.now() + (isShort ? MEASURED_SHORT : MEASURED);
    const lane = async () => {
      while (performance.now() < end) {
        await ask(0);
        await ask(1);
        await sleep(PAUSE);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    crowd.postMessage("over");
    const [{ hangUps, held }] = await once(crowd, "message");

    const [alone, beside] = [percentile99(times[0]), percentile99(times[1])];
    if (!isShort && beside >= 2 * alone) {
      violations.push({ promise: "calm", what: `p99 ${alone.toFixed(1)} ms alone, ${beside.toFixed(1)} ms beside` });
    }
    const notes = `p99 of a guarded GET ${alone.toFixed(1)} ms without them, ${beside.toFixed(1)} ms beside them; ${hangUps} hung up on, ${held} there at the end`;
    const requests = times[0].length + times[1].length;
    return { done: context.amount, requests, granted: 0, unanswered: 0, violations, notes };
  },
};

const percentile99 = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length * 0.99)] as number;
