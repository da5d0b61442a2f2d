/**
 * One framework's applications against each other: every one a process of its own, all asked in turn in every round, in
 * random order, by the same load. Ratios are taken inside a round.
 */
import { shuffled } from "../measure.ts";
import { type Service, startService } from "../service.ts";
import { type Framework, HOST, NO_AUTH, NOBODY, PATH } from "./application.ts";
import type { Cores } from "./cores.ts";
import { applicationsOf } from "./frameworks.ts";
import type { ConnectInput, LoadRequest, LoadResult } from "./load.ts";
import type { ServerInput, Usage } from "./server.ts";
import type { Bearer } from "./tokens.ts";

export interface Effort {
  readonly rounds: number;
  /** How long one application is asked in one round, in milliseconds. */
  readonly batchMs: number;
  /** How long each is asked before anything counts, in milliseconds. */
  readonly warmUpMs: number;
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
}

/** By the name of the guard, one batch a round. */
export type Batches = ReadonlyMap<string, readonly Batch[]>;

export const CONNECTION_COUNT = 32;

export async function measureFramework(framework: Framework, options: RoundsOptions): Promise<Batches> {
  const { load, bearers, cores, effort, server, progress } = options;
  const guards = Object.keys(await applicationsOf(framework));
  const services = new Map<string, Service>();
  progress(`${framework}: starting`);
  try {
    await Promise.all(
      guards.map(async (guard) => {
        const input: ServerInput = { framework, guard, ...server };
        const service = await startService(new URL("server.ts", import.meta.url), input);
        services.set(guard, service);
        if (cores) await service.call("pin", cores.server);
      }),
    );
    const batches = new Map<string, Batch[]>(guards.map((guard) => [guard, []]));
    for (const guard of guards) {
      progress(`${framework}: warming up, ${guard}`);
      await runBatch(guard, effort.warmUpMs);
    }
    for (let round = 0; round < effort.rounds; round++) {
      progress(`${framework}: round ${round + 1} of ${effort.rounds}`);
      for (const guard of shuffled(guards)) batches.get(guard)!.push(await runBatch(guard, effort.batchMs));
    }
    return batches;
  } finally {
    await Promise.all([...services.values()].map((service) => service.stop()));
  }

  async function runBatch(guard: string, milliseconds: number): Promise<Batch> {
    const service = services.get(guard)!;
    const port = await service.call<number>("port");
    const input: ConnectInput = {
      port,
      connectionCount: CONNECTION_COUNT,
      requests: bearers.map((bearer) => toRequest(bearer, { port, isAnonymous: guard === NO_AUTH })),
    };
    await load.call("connect", input);
    const before = await service.call<Usage>("usage");
    const result = await load.call<LoadResult>("run", { milliseconds });
    const after = await service.call<Usage>("usage");
    await load.call("disconnect");
    const cpu = after.cpuMicros - before.cpuMicros;
    return {
      requestsPerSecond: (result.count / result.milliseconds) * 1000,
      cpuMicros: cpu / result.count,
      p99: result.p99,
      allocatedBytes: (after.allocatedBytes - before.allocatedBytes) / result.count,
      utilization: cpu / 1000 / result.milliseconds,
    };
  }
}

/** The same bytes for everybody: the application without a guard reads the header as well, and looks away. */
function toRequest({ token, sub }: Bearer, { port, isAnonymous }: { port: number; isAnonymous: boolean }): LoadRequest {
  const lines = [`GET ${PATH} HTTP/1.1`, `Host: ${HOST}:${port}`, `Authorization: Bearer ${token}`, "", ""];
  return { text: lines.join("\r\n"), body: JSON.stringify({ sub: isAnonymous ? NOBODY : sub }) };
}
