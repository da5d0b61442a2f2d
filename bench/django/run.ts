/**
 * The Django part: the recipe's service (Django, Django REST Framework and PyJWT on gunicorn with one worker) and Latchkey in its dialect.
 * Protected GETs and refreshes by CPU time, because the load shares the machine; logins by the clock, at the same PBKDF2 cost on both sides.
 */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installLatchkey } from "../latchkey.ts";
import { type Machine, ownVersion, thisMachine } from "../machine.ts";
import { type Spread, shuffled, spreadOf } from "../measure.ts";
import { machineText, number, table, times } from "../report.ts";
import { type Service, startService } from "../service.ts";
import { JSON_TYPE, PASSWORD, type RequestPlan } from "../sessions/request-plan.ts";
import { type DjangoService, missingPackages, startDjangoService } from "./django-service.ts";
import type { LatchkeyServerInput } from "./latchkey-server.ts";

export interface DjangoOptions {
  readonly isQuick: boolean;
  readonly tarball: string | undefined;
  readonly resultsFolder: URL | undefined;
  progress(text: string): void;
}

type Kind = "protected GET" | "refresh" | "login";
const SIDES = ["latchkey", "Django"] as const;
type Side = (typeof SIDES)[number];

/** What was promised: how many times Django's rate ours is at least. */
const TARGETS: Readonly<Record<Kind, number>> = { "protected GET": 12, refresh: 4, login: 1.2 };
const UNITS: Readonly<Record<Kind, string>> = {
  "protected GET": "requests per CPU-second",
  refresh: "requests per CPU-second",
  login: "logins per second",
};
const IN_FLIGHT: Readonly<Record<Kind, number>> = { "protected GET": 16, refresh: 16, login: 2 };
const USERS = 16;

interface Effort {
  readonly rounds: number;
  /** Requests of a batch; Django gets a tenth of the cheap ones, or it would take all the time. */
  readonly counts: Readonly<Record<Kind, number>>;
  readonly warmUp: number;
}
const FULL: Effort = { rounds: 9, counts: { "protected GET": 20_000, refresh: 8_000, login: 24 }, warmUp: 20_000 };
const QUICK: Effort = { rounds: 3, counts: { "protected GET": 8_000, refresh: 4_000, login: 12 }, warmUp: 10_000 };
const DJANGO_SHARE = 0.1;

export interface DjangoRow {
  readonly kind: Kind;
  /** Rates in the kind's unit, one entry a round. */
  readonly rates: Readonly<Record<Side, Spread>>;
  readonly ratio: Spread;
  readonly target: number;
  readonly isMet: boolean;
}

export interface DjangoResults {
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly iterations: number;
  readonly isQuick: boolean;
  readonly rows: readonly DjangoRow[];
}

interface Bench {
  readonly django: DjangoService;
  readonly latchkey: Service;
  readonly load: Service;
  readonly plans: ReadonlyMap<string, RequestPlan>;
  readonly effort: Effort;
  progress(text: string): void;
}

export async function runDjango({ isQuick, tarball, resultsFolder, progress }: DjangoOptions): Promise<DjangoResults> {
  const missing = missingPackages();
  if (missing) throw new Error(`Django can't be measured here: ${missing}.`);
  progress(tarball ? "starting" : "building and packing latchkey");
  const installed = installLatchkey(tarball);
  const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-django-"));
  const secret = randomBytes(48).toString("base64");
  const stops: (() => Promise<void>)[] = [];
  try {
    progress("starting Django");
    const django = await startDjangoService(folder, secret);
    stops.push(django.stop);
    progress("starting latchkey");
    const input: LatchkeyServerInput = {
      ...{ dist: installed.dist, secret, database: join(folder, "latchkey.db") },
      ...{ iterations: django.iterations, userCount: USERS },
    };
    const latchkey = await startService(new URL("latchkey-server.ts", import.meta.url), input);
    stops.push(latchkey.stop);
    const load = await startService(new URL("../sessions/load.ts", import.meta.url), {});
    stops.push(load.stop);
    const ports = await latchkey.call<{ port: number; applicationPort: number }>("ports");
    progress("signing in");
    const plans = new Map([
      ...(await makePlans("Django", django.port, django.port)),
      ...(await makePlans("latchkey", ports.port, ports.applicationPort)),
    ]);
    const bench: Bench = { django, latchkey, load, plans, effort: isQuick ? QUICK : FULL, progress };
    const rows: DjangoRow[] = [];
    for (const kind of ["protected GET", "refresh", "login"] as const) rows.push(await measureKind(kind, bench));
    const results: DjangoResults = {
      machine: thisMachine(),
      versions: { latchkey: ownVersion(), ...django.versions },
      iterations: django.iterations,
      isQuick,
      rows,
    };
    if (resultsFolder) {
      mkdirSync(resultsFolder, { recursive: true });
      writeFileSync(new URL("django.json", resultsFolder), `${JSON.stringify(results, rounded, 1)}\n`);
      writeFileSync(new URL("django.md", resultsFolder), djangoToPage(results));
    }
    return results;
  } finally {
    for (const stop of stops.reverse()) await stop();
    rmSync(folder, { recursive: true, force: true });
    installed.dispose();
  }
}

/** Signs every user in once and writes down what is to be asked. */
async function makePlans(side: Side, port: number, guardedPort: number): Promise<[string, RequestPlan][]> {
  const logins = Array.from({ length: USERS }, (_, index) => ({
    headers: JSON_TYPE,
    body: JSON.stringify({ email: `user${index + 1}@example.com`, password: PASSWORD }),
  }));
  const pairs: { access: string; refresh: string }[] = [];
  for (const { headers, body } of logins) {
    const answer = await fetch(`http://127.0.0.1:${port}/api/auth/login/`, { method: "POST", headers, body });
    if (answer.status !== 200)
      throw new Error(`${side} answered a login with ${answer.status}: ${await answer.text()}`);
    pairs.push((await answer.json()) as { access: string; refresh: string });
  }
  const bearers = pairs.map(({ access }) => ({ headers: { authorization: `Bearer ${access}` } }));
  const refreshes = pairs.map(({ refresh }) => ({ headers: JSON_TYPE, body: JSON.stringify({ refresh }) }));
  const plan = (kind: Kind, rest: RequestPlan): [string, RequestPlan] => [`${side} ${kind}`, rest];
  return [
    plan("protected GET", { port: guardedPort, method: "GET", path: "/api/me/", variants: bearers }),
    plan("refresh", { port, method: "POST", path: "/api/auth/refresh/", variants: refreshes }),
    plan("login", { port, method: "POST", path: "/api/auth/login/", variants: logins }),
  ];
}

async function measureKind(kind: Kind, bench: Bench): Promise<DjangoRow> {
  const { effort, progress } = bench;
  const rates: Record<Side, number[]> = { latchkey: [], Django: [] };
  progress(`${kind}: warming up`);
  if (kind !== "login") await batch("latchkey", kind, effort.warmUp, bench);
  for (const side of SIDES) await batch(side, kind, kind === "login" ? 4 : 400, bench);
  for (let round = 0; round < effort.rounds; round++) {
    progress(`${kind}: round ${round + 1} of ${effort.rounds}`);
    for (const side of shuffled(SIDES)) {
      const share = side === "Django" && kind !== "login" ? DJANGO_SHARE : 1;
      rates[side].push(await batch(side, kind, effort.counts[kind] * share, bench));
    }
  }
  const ratio = spreadOf(rates.latchkey.map((rate, round) => rate / rates.Django[round]!));
  return {
    kind,
    rates: { latchkey: spreadOf(rates.latchkey), Django: spreadOf(rates.Django) },
    ratio,
    target: TARGETS[kind],
    isMet: ratio.median >= TARGETS[kind],
  };
}

/** @returns the rate of one batch. */
async function batch(side: Side, kind: Kind, count: number, { django, latchkey, load, plans }: Bench): Promise<number> {
  const cpu = async () => (side === "Django" ? django.cpu() : latchkey.call<number>("cpu"));
  const before = await cpu();
  const started = performance.now();
  await load.call("run", { plan: plans.get(`${side} ${kind}`), count, inFlight: IN_FLIGHT[kind] });
  const seconds = kind === "login" ? (performance.now() - started) / 1e3 : ((await cpu()) - before) / 1e6;
  return count / seconds;
}

export function djangoToPage({ machine, versions, iterations, isQuick, rows }: DjangoResults): string {
  const list = Object.entries(versions).map((pair) => pair.join(" "));
  return [
    "# Beside the recipe's Django service",
    `${machineText(machine)} · ${list.join(", ")}${isQuick ? " · quick: a hint, no result" : ""}`,
    `One process each (gunicorn with one worker). A login is PBKDF2 with ${iterations.toLocaleString("en-US")} iterations on both sides, two in flight.`,
    table(
      [
        { title: "what", align: "left" },
        { title: "unit", align: "left" },
        { title: "latchkey", align: "right" },
        { title: "Django", align: "right" },
        { title: "ratio", align: "right" },
        { title: "promised", align: "right" },
        { title: "verdict", align: "left" },
      ],
      rows.map(({ kind, rates, ratio, target, isMet }) => [
        kind,
        UNITS[kind],
        number(rates.latchkey.median),
        number(rates.Django.median),
        times(ratio),
        `≥ ${target}×`,
        isMet ? "met" : "**missed**",
      ]),
    ),
    "",
  ].join("\n\n");
}

/** Five significant digits are more than any of it is worth. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
