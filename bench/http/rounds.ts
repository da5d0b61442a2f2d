/**
 * One framework's applications against each other: all of them in one process, each on a port of its own, all asked by
 * the same load. Two processes of one application differ by up to a tenth, for as long as they live: what the compiler
 * saw first, and where memory came to lie. That is more than a guard costs, and one process has both in common. It is
 * started anew several times all the same.
 * A round is many short turns of each in random order, added up: short, because what disturbs a machine lasts a tenth
 * of a second; many, so that every application pays for garbage. Ratios are taken inside a round.
 */
import { shuffled } from "../measure.ts";
import { type Service, startService } from "../service.ts";
import { ANONYMOUS, type Framework, HOST, NOBODY, PATH } from "./application.ts";
import type { Cores } from "./cores.ts";
import type { LoadRequest, LoadResult, RunInput, TargetInput } from "./load.ts";
import type { Ports, ServerInput, Usage } from "./server.ts";
import type { Bearer } from "./tokens.ts";

export interface Effort {
  /** How many times the process of the applications is started. */
  readonly starts: number;
  /** After each start. */
  readonly rounds: number;
  /** Turns of each application in one round. */
  readonly turns: number;
  /** How long one turn is, in milliseconds. */
  readonly turnMs: number;
  /** Of each, before anything counts: a compiler goes by calls, and not by the clock of a busy machine. */
  readonly warmUpRequests: number;
}

export interface RoundsOptions {
  readonly load: Service;
  readonly bearers: readonly Bearer[];
  readonly cores: Cores | undefined;
  readonly effort: Effort;
  readonly server: Pick<ServerInput, "folder" | "secret" | "database">;
  progress(text: string): void;
}

/** What one round says of one application. */
export interface Batch {
  readonly requestsPerSecond: number;
  /** CPU of the server's process, all threads, for one request. */
  readonly cpuMicros: number;
  /** Milliseconds. */
  readonly p99: number;
  readonly allocatedBytes: number;
  /** The share of one core that the server had: near 1, or the load was too light. */
  readonly utilization: number;
  /** CPU of the load generator for one request. */
  readonly loadCpuMicros: number;
}

/** Sums over one turn. */
interface Turn {
  readonly count: number;
  readonly milliseconds: number;
  readonly cpuMicros: number;
  readonly loadCpuMicros: number;
  readonly allocatedBytes: number;
}

/** By the name of the guard, one batch a round. */
export type Batches = ReadonlyMap<string, readonly Batch[]>;

export const CONNECTION_COUNT = 32;

export async function measureFramework(framework: Framework, options: RoundsOptions): Promise<Batches> {
  const batches = new Map<string, Batch[]>();
  const { starts } = options.effort;
  for (let start = 1; start <= starts; start++) {
    const progress = (text: string): void => options.progress(`${framework}, start ${start} of ${starts}: ${text}`);
    for (const [guard, batch] of await measureProcess(framework, { ...options, progress })) {
      batches.set(guard, [...(batches.get(guard) ?? []), ...batch]);
    }
  }
  return batches;
}

async function measureProcess(framework: Framework, options: RoundsOptions): Promise<Batches> {
  const { load, bearers, cores, effort, server, progress } = options;
  progress("starting");
  const input: ServerInput = { framework, ...server };
  const service = await startService(new URL("server.ts", import.meta.url), input);
  const ports = new Map(Object.entries(await service.call<Ports>("ports")));
  const guards = [...ports.keys()];
  try {
    if (cores) await service.call("pin", cores.server);
    for (const guard of guards) await connect(guard);
    await warmUp();
    const batches = new Map<string, Batch[]>(guards.map((guard) => [guard, []]));
    for (let round = 0; round < effort.rounds; round++) {
      progress(`round ${round + 1} of ${effort.rounds}`);
      for (const [guard, batch] of await takeRound()) batches.get(guard)!.push(batch);
    }
    return batches;
  } finally {
    await service.stop();
    for (const port of ports.values()) await load.call("disconnect", port);
  }

  async function connect(guard: string): Promise<void> {
    const port = ports.get(guard)!;
    const isAnonymous = ANONYMOUS.includes(guard);
    const requests = bearers.map((bearer) => toRequest(bearer, { port, isAnonymous }));
    const input: TargetInput = { port, connectionCount: CONNECTION_COUNT, requests };
    await load.call("connect", input);
  }

  /** In turns as well: what the compiler makes of the framework's own code, it makes for all. */
  async function warmUp(): Promise<void> {
    progress("warming up");
    const counts = new Map(guards.map((guard) => [guard, 0]));
    while ([...counts.values()].some((count) => count < effort.warmUpRequests)) {
      for (const guard of shuffled(guards)) {
        counts.set(guard, counts.get(guard)! + (await takeTurn(guard, effort.turnMs)).count);
      }
    }
    for (const port of ports.values()) await load.call("p99", port);
  }

  async function takeRound(): Promise<[guard: string, batch: Batch][]> {
    const turns = new Map<string, Turn[]>(guards.map((guard) => [guard, []]));
    for (let turn = 0; turn < effort.turns; turn++) {
      for (const guard of shuffled(guards)) turns.get(guard)!.push(await takeTurn(guard, effort.turnMs));
    }
    return Promise.all(
      guards.map(async (guard): Promise<[string, Batch]> => {
        const p99 = await load.call<number>("p99", ports.get(guard));
        return [guard, { ...toBatch(turns.get(guard)!), p99 }];
      }),
    );
  }

  async function takeTurn(guard: string, milliseconds: number): Promise<Turn> {
    const port = ports.get(guard)!;
    await load.call("ready", port);
    const before = await service.call<Usage>("usage");
    const input: RunInput = { port, milliseconds };
    const result = await load.call<LoadResult>("run", input);
    const after = await service.call<Usage>("usage");
    return {
      count: result.count,
      milliseconds: result.milliseconds,
      cpuMicros: after.cpuMicros - before.cpuMicros,
      loadCpuMicros: result.cpuMicros,
      allocatedBytes: after.allocatedBytes - before.allocatedBytes,
    };
  }
}

function toBatch(turns: readonly Turn[]): Omit<Batch, "p99"> {
  const sum = (of: (turn: Turn) => number): number => turns.reduce((total, turn) => total + of(turn), 0);
  const count = sum((turn) => turn.count);
  const milliseconds = sum((turn) => turn.milliseconds);
  const cpu = sum((turn) => turn.cpuMicros);
  return {
    requestsPerSecond: (count / milliseconds) * 1000,
    cpuMicros: cpu / count,
    loadCpuMicros: sum((turn) => turn.loadCpuMicros) / count,
    allocatedBytes: sum((turn) => turn.allocatedBytes) / count,
    utilization: cpu / 1000 / milliseconds,
  };
}

/** The same bytes for everybody: the application without a guard reads the header as well, and looks away. */
function toRequest({ token, sub }: Bearer, { port, isAnonymous }: { port: number; isAnonymous: boolean }): LoadRequest {
  const lines = [`GET ${PATH} HTTP/1.1`, `Host: ${HOST}:${port}`, `Authorization: Bearer ${token}`, "", ""];
  return { text: lines.join("\r\n"), body: JSON.stringify({ sub: isAnonymous ? NOBODY : sub }) };
}
