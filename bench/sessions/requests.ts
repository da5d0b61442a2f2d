/**
 * CPU per request over HTTP: every server a process of its own, the load from another, everybody in turn in every round.
 * What counts is the CPU time of the server's process, all its threads together, divided by the requests.
 */
import { join } from "node:path";
import { type Spread, shuffled, spreadOf } from "../measure.ts";
import { type Service, startService } from "../service.ts";
import type { BetterAuthServerInput } from "./better-auth-server.ts";
import type { HomeMadeServerInput } from "./home-made-server.ts";
import type { GuardCounts, LatchkeyServerInput } from "./latchkey-server.ts";
import type { LoadInput } from "./load.ts";
import { type RequestKind, type RequestPlan, VARIANT_COUNT } from "./request-plan.ts";

export interface RequestsOptions {
  readonly dist: string;
  readonly secret: string;
  readonly folder: string;
  readonly effort: RequestsEffort;
  progress(text: string): void;
}

export interface RequestsEffort {
  readonly rounds: number;
  /** Rounds that do not count: a compiler needs ten thousand requests. */
  readonly warmUpRounds: number;
  readonly counts: Readonly<Record<RequestKind, number>>;
}

export const LATCHKEY = "latchkey";
export const HOME_MADE = "home-made";
export const SESSION_WRITE = "better-auth, session write";
export const COOKIE_CACHE = "better-auth, cookie cache";
export type ServerName = typeof LATCHKEY | typeof HOME_MADE | typeof SESSION_WRITE | typeof COOKIE_CACHE;

/** Who is asked what. */
const FIELDS: Readonly<Record<RequestKind, readonly ServerName[]>> = {
  refresh: [LATCHKEY, HOME_MADE, SESSION_WRITE],
  guarded: [LATCHKEY, HOME_MADE, COOKIE_CACHE],
  me: [LATCHKEY, COOKIE_CACHE],
  login: [LATCHKEY, HOME_MADE],
  "lonely login": [LATCHKEY, HOME_MADE],
};
/**
 * Logins twice. One at a time, a hash after a pause costs up to a third more than one after another hash: its 19 MiB are in
 * no cache and must be mapped anew. So who waits longer for the disk between two of them seems to hash more slowly.
 */
const IN_FLIGHT: Readonly<Record<RequestKind, number>> = {
  refresh: 16,
  guarded: 16,
  me: 16,
  login: 4,
  "lonely login": 1,
};

export interface RequestRow {
  readonly kind: RequestKind;
  readonly server: ServerName;
  readonly cpuMicros: Spread;
  /** CPU of latchkey over that of this server, round by round. */
  readonly oursOver: Spread;
}

export interface RequestsResult {
  readonly rows: readonly RequestRow[];
  readonly inFlight: Readonly<Record<RequestKind, number>>;
  readonly counts: Readonly<Record<RequestKind, number>>;
  readonly guard: GuardCounts;
}

export async function measureRequests(options: RequestsOptions): Promise<RequestsResult> {
  const { effort, progress } = options;
  const services = new Map<ServerName, Service>();
  progress("requests: starting the servers");
  const load = await startService(new URL("load.ts", import.meta.url), {});
  try {
    await startServers(options, services);
    const started = Date.now();
    const rows: RequestRow[] = [];
    for (const kind of ["refresh", "guarded", "me", "login", "lonely login"] as const) {
      rows.push(...(await measureKind(kind, services, load, options)));
    }
    await requireWrites(services.get(SESSION_WRITE)!, started);
    const guard = await services.get(LATCHKEY)!.call<GuardCounts>("guardCounts");
    return { rows, inFlight: IN_FLIGHT, counts: effort.counts, guard };
  } finally {
    await Promise.all([load, ...services.values()].map((service) => service.stop()));
  }
}

async function startServers(
  { dist, secret, folder, effort }: RequestsOptions,
  services: Map<ServerName, Service>,
): Promise<void> {
  // And what the guarded requests need.
  const sessionCount = effort.counts.refresh * (effort.rounds + effort.warmUpRounds) + VARIANT_COUNT;
  const start = async (name: ServerName, script: string, input: unknown): Promise<void> => {
    services.set(name, await startService(new URL(script, import.meta.url), input));
  };
  const latchkey: LatchkeyServerInput = { dist, secret, database: join(folder, "requests.db"), sessionCount };
  const homeMade: HomeMadeServerInput = { file: join(folder, "home-made.db"), sessionCount };
  const sessionWrite: BetterAuthServerInput = { file: join(folder, "better-auth-write.db"), mode: "session write" };
  const cookieCache: BetterAuthServerInput = { file: join(folder, "better-auth-cookie.db"), mode: "cookie cache" };
  await start(LATCHKEY, "latchkey-server.ts", latchkey);
  await start(HOME_MADE, "home-made-server.ts", homeMade);
  await start(SESSION_WRITE, "better-auth-server.ts", sessionWrite);
  await start(COOKIE_CACHE, "better-auth-server.ts", cookieCache);
}

async function measureKind(
  kind: RequestKind,
  services: ReadonlyMap<ServerName, Service>,
  load: Service,
  { effort: { rounds, warmUpRounds, counts }, progress }: RequestsOptions,
): Promise<RequestRow[]> {
  const count = counts[kind];
  const names = FIELDS[kind];
  const cpu = new Map<ServerName, number[]>(names.map((name) => [name, []]));

  async function runBatch(name: ServerName): Promise<number> {
    const service = services.get(name)!;
    const plan = await service.call<RequestPlan>("plan", { kind, count });
    const input: LoadInput = { plan, count, inFlight: IN_FLIGHT[kind] };
    const before = await service.call<number>("cpu");
    await load.call("run", input);
    return ((await service.call<number>("cpu")) - before) / count;
  }

  progress(`requests: ${kind}, warming up`);
  const hashes = kind === "login" || kind === "lonely login";
  for (let round = 0; round < (hashes ? 1 : warmUpRounds); round++) {
    for (const name of names) await runBatch(name);
  }
  for (let round = 0; round < rounds; round++) {
    progress(`requests: ${kind}, round ${round + 1} of ${rounds}`);
    for (const name of shuffled(names)) cpu.get(name)!.push(await runBatch(name));
  }
  const ours = cpu.get(LATCHKEY)!;
  return names.map((server) => ({
    kind,
    server,
    cpuMicros: spreadOf(cpu.get(server)!),
    oursOver: spreadOf(ours.map((micros, round) => micros / cpu.get(server)![round]!)),
  }));
}

/** A session write that writes nothing would be a cheap thing to be held against. */
async function requireWrites(sessionWrite: Service, since: number): Promise<void> {
  const last = await sessionWrite.call<string | number | null>("lastWrite");
  if (last === null || new Date(last).getTime() < since) throw new Error("better-auth wrote no session");
}
