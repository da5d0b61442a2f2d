/**
 * Ten times as many logins as can be checked, from everywhere and at every account, so that no count stops them: what is left is the gate in front of
 * the hashes. Beside it a guarded GET is timed, and an owner signs in, again after each 503, from where they have signed in before.
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { createWire, type Tokens } from "../client.ts";
import type { Violation } from "../history.ts";
import { onSqlite, PASSWORD, type Scenario } from "../scenario.ts";
import { CHECKED_HASHES, METRICS_TOKEN, RESIDENT_MEMORY, readMetric } from "../server-metrics.ts";

const LOGIN = "/v1/users/me/token";
const OWNER = "198.51.100.7";
const TIMES_CAPACITY = 10;
/** Milliseconds. */
const UNLOADED = 5_000;
const UNLOADED_SHORT = 300;
const PAUSE = 3;
const RETRY = 50;
const REFUSED_WITHIN = 50;
const SIGNED_IN_WITHIN = 2_000;
const MEMORY_SAMPLES = 6;
/** Bytes that memory may grow by in the second half. */
const MEMORY_GROWTH = 32 * 1024 * 1024;
/** Below so many seconds the times are not judged: it is the short form, on whatever machine. */
const JUDGED = 30;

export const loginFlood: Scenario = {
  title: "a flood of logins at ten times what can be checked",
  unit: "seconds",
  full: 60,
  short: 1,
  async run(context) {
    const isShort = context.amount < JUDGED;
    const { url } = await onSqlite(context, {
      LATCHKEY_LIMITS: "on",
      NUMBER_OF_PROXIES: "1",
      LATCHKEY_METRICS_TOKENS: METRICS_TOKEN,
    });
    const wire = createWire(8);
    context.onEnd(() => wire.close());
    const violations: Violation[] = [];
    const ada = { username: "ada", password: PASSWORD };
    await wire.send("POST", `${url}/v1/users`, { body: { ...ada, email: "ada@example.com" } });
    const signIn = () => wire.send("POST", url + LOGIN, { body: ada, address: OWNER });
    await signIn();
    // Somebody else's: her own sign-ins end her oldest sessions.
    const bea = { username: "bea", password: PASSWORD };
    await wire.send("POST", `${url}/v1/users`, { body: { ...bea, email: "bea@example.com" } });
    const { access_token: token } = (await wire.send("POST", url + LOGIN, { body: bea, address: OWNER }))
      .body as Tokens;

    /** Asks a guard for so long. @returns the times. */
    async function guarded(milliseconds: number): Promise<number[]> {
      const times: number[] = [];
      for (const end = performance.now() + milliseconds; performance.now() < end; await sleep(PAUSE)) {
        const started = performance.now();
        const { status } = await wire.send("GET", `${url}/v1/users/me`, { token });
        times.push(performance.now() - started);
        if (status !== 200) violations.push({ promise: "served", what: `a guarded GET: ${status}` });
      }
      return times;
    }

    /** Signs in again and again for so long. @returns the time that each took, refusals and all. */
    async function signIns(milliseconds: number): Promise<number[]> {
      const times: number[] = [];
      for (const end = performance.now() + milliseconds; performance.now() < end; await sleep(RETRY)) {
        const started = performance.now();
        for (;;) {
          const { status } = await signIn();
          if (status === 200) break;
          if (status !== 503) violations.push({ promise: "flood", what: `the owner: ${status}` });
          if (status !== 503 || performance.now() > end + SIGNED_IN_WITHIN) break;
          await sleep(RETRY);
        }
        times.push(performance.now() - started);
      }
      return times;
    }

    /** What the server holds, from the beginning to the end. */
    async function memories(milliseconds: number): Promise<number[]> {
      const samples = [await readMetric(url, RESIDENT_MEMORY)];
      while (samples.length <= MEMORY_SAMPLES) {
        await sleep(milliseconds / MEMORY_SAMPLES);
        samples.push(await readMetric(url, RESIDENT_MEMORY));
      }
      return samples;
    }

    const capacity = await measureCapacity(url, isShort ? UNLOADED_SHORT : UNLOADED);
    const alone = await guarded(isShort ? UNLOADED_SHORT : UNLOADED);
    const flood = new Worker(new URL("../login-flood.ts", import.meta.url), {
      workerData: { url, rate: capacity * TIMES_CAPACITY },
    });
    context.onEnd(() => flood.terminate());
    await sleep(isShort ? UNLOADED_SHORT : UNLOADED);
    context.progress(`${Math.round(capacity * TIMES_CAPACITY)} logins a second`);
    const duration = context.amount * 1000;
    const [beside, signedIn, memory] = await Promise.all([guarded(duration), signIns(duration), memories(duration)]);
    // In the first half the heap takes what it will need.
    const growth = (memory.at(-1) as number) - (memory[MEMORY_SAMPLES >> 1] as number);
    flood.postMessage("over");
    const [{ sent, skipped, seconds, statuses, refusals }] = await once(flood, "message");

    const [get, loaded, refusal, login] = [alone, beside, refusals as number[], signedIn].map(percentile99) as [
      number,
      number,
      number,
      number,
    ];
    const judge = (isKept: boolean, promise: Violation["promise"], what: string) => {
      if (!isKept) violations.push({ promise, what });
    };
    const unusual = Object.keys(statuses).filter((status) => !["401", "429", "503"].includes(status));
    judge(unusual.length === 0, "flood", `answers ${unusual.join(", ")}`);
    if (!isShort) {
      judge(loaded < 3 * get, "calm", `p99 of a guarded GET ${get.toFixed(1)} ms, then ${loaded.toFixed(1)} ms`);
      judge(refusal < REFUSED_WITHIN, "flood", `p99 of a refusal ${refusal.toFixed(1)} ms`);
      judge(login < SIGNED_IN_WITHIN, "flood", `p99 of an honest login ${login.toFixed(0)} ms`);
      judge(growth < MEMORY_GROWTH, "flood", `memory grew by ${toMegabytes(growth)} MB`);
    }
    const notes = [
      `${capacity.toFixed(0)} hashes/s, ${((sent as number) / (seconds as number)).toFixed(0)} logins/s (${JSON.stringify(statuses)}, ${skipped} held back)`,
      `guarded GET p99 ${get.toFixed(1)} ms alone, ${loaded.toFixed(1)} ms beside`,
      `refusals p50 ${median(refusals as number[]).toFixed(1)}, p99 ${refusal.toFixed(1)} ms`,
      `${signedIn.length} honest logins p50 ${median(signedIn).toFixed(0)}, p99 ${login.toFixed(0)} ms`,
      `memory ${memory.map(toMegabytes).join(", ")} MB`,
    ].join("; ");
    const requests = (sent as number) + alone.length + beside.length + signedIn.length;
    return { done: context.amount, requests, granted: 0, unanswered: 0, violations, notes };

    /** How many logins a second are checked when a few ask one after the other. */
    async function measureCapacity(at: string, milliseconds: number): Promise<number> {
      const before = await readMetric(at, CHECKED_HASHES);
      const started = performance.now();
      const lane = async (name: string) => {
        while (performance.now() < started + milliseconds) {
          await wire.send("POST", at + LOGIN, { body: ada, address: OWNER }).catch(() => name);
        }
      };
      await Promise.all(["a", "b", "c", "d"].map(lane));
      return ((await readMetric(at, CHECKED_HASHES)) - before) / ((performance.now() - started) / 1000);
    }
  },
};

const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
const percentile99 = (numbers: readonly number[]) => sorted(numbers)[Math.floor(numbers.length * 0.99)] ?? 0;
const median = (numbers: readonly number[]) => sorted(numbers)[numbers.length >> 1] ?? 0;
const toMegabytes = (bytes: number) => Math.round(bytes / 1024 / 1024);
