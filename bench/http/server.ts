/** The process of one application: what it has used is asked before and after a load. */
import { createSecretKey } from "node:crypto";
import { getHeapStatistics } from "node:v8";
import { cpuMicros, serve } from "../service.ts";
import type { Framework, Setting } from "./application.ts";
import { pinThisProcess } from "./cores.ts";
import { applicationsOf } from "./frameworks.ts";
import { importInstalled } from "./installed.ts";

export interface ServerInput {
  readonly framework: Framework;
  readonly guard: string;
  /** Where latchkey is installed. */
  readonly folder: string;
  readonly secret: string;
  readonly database: string;
}

/** Both only grow. */
export interface Usage {
  /** Of all threads of the process. */
  readonly cpuMicros: number;
  /** Bytes that V8 ever handed out. */
  readonly allocatedBytes: number;
}

await serve(async ({ framework, guard, folder, secret, database }: ServerInput) => {
  const setting: Setting = {
    latchkey: (name) => importInstalled(folder, name),
    secret,
    key: createSecretKey(Buffer.from(secret)),
    database,
  };
  const start = (await applicationsOf(framework))[guard];
  if (!start) throw new TypeError(`${framework} has no guard called '${guard}'`);
  const port = await start(setting);
  return {
    port: () => port,
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
