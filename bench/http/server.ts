/** The process of all applications of one framework: what it has used is asked before and after a load on one of them. */
import { createSecretKey } from "node:crypto";
import { getHeapStatistics } from "node:v8";
import { cpuMicros, serve } from "../service.ts";
import type { Framework, Setting } from "./application.ts";
import { pinThisProcess } from "./cores.ts";
import { applicationsOf } from "./frameworks.ts";
import { importInstalled } from "./installed.ts";

export interface ServerInput {
  readonly framework: Framework;
  /** Where latchkey is installed. */
  readonly folder: string;
  readonly secret: string;
  readonly database: string;
}

/** By the name of the guard. */
export type Ports = Readonly<Record<string, number>>;

/** Both only grow. */
export interface Usage {
  /** Of all threads of the process. */
  readonly cpuMicros: number;
  /** Bytes that V8 ever handed out. */
  readonly allocatedBytes: number;
}

await serve(async ({ framework, folder, secret, database }: ServerInput) => {
  const setting: Setting = {
    latchkey: (name) => importInstalled(folder, name),
    secret,
    key: createSecretKey(Buffer.from(secret)),
    database,
  };
  const ports: Record<string, number> = {};
  for (const [guard, start] of Object.entries(await applicationsOf(framework))) ports[guard] = await start(setting);
  return {
    ports: (): Ports => ports,
    /** Once it is up: a process that starts may use every core. */
    pin: pinThisProcess,
    usage: (): Usage => ({ cpuMicros: cpuMicros(), allocatedBytes: allocatedBytes() }),
  };
});

function allocatedBytes(): number {
  // Node 26 has it; the types do not know it yet.
  const { total_allocated_bytes: total } = getHeapStatistics() as { total_allocated_bytes?: number };
  if (total === undefined) throw new Error("this Node does not count allocated bytes: Node 26 does");
  return total;
}
