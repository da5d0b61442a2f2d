/** PostgreSQL that goes away under load: stopped fast, stopped at once, killed, frozen. */
import { setTimeout as sleep } from "node:timers/promises";
import type { PostgresServer } from "../../support/postgres.ts";
import { createScene, onPostgres, type Scenario, underLoad } from "../scenario.ts";

const WAYS = ["SIGINT", "SIGQUIT", "SIGKILL"] as const;
const NAMES = { SIGINT: "fast", SIGQUIT: "immediate", SIGKILL: "kill -9" } as const;

async function restart(postgres: PostgresServer, way: (typeof WAYS)[number]): Promise<void> {
  const { process: server } = postgres;
  if (!server) throw new Error("a PostgreSQL of our own is needed: unset DATABASE_URL");
  if (way === "SIGKILL") await server.kill();
  else {
    const { pid } = server;
    process.kill(pid, way);
    while (isThere(pid)) await sleep(20);
  }
  await server.start();
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export const postgresRestarted: Scenario = {
  title: "PostgreSQL restarted under load",
  unit: "restarts",
  full: 20,
  short: 1,
  async run(context) {
    const { postgres, servers } = await onPostgres(context, 2);
    const scene = createScene(context);
    let next = 0;
    const clients = await scene.signIn(servers[0]?.url as string, "ada", 12, () => servers[next++ % 2]?.url as string);
    const counts: Record<string, number> = {};
    await underLoad(clients, async () => {
      for (let round = 0; round < context.amount; round++) {
        await sleep(500 + Math.random() * 1000);
        const way = WAYS[round % WAYS.length] as (typeof WAYS)[number];
        await restart(postgres, way);
        counts[NAMES[way]] = (counts[NAMES[way]] ?? 0) + 1;
        context.progress(`${round + 1} of ${context.amount} (${NAMES[way]})`);
        await sleep(1000);
      }
    });
    const notes = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
    return scene.report(context.amount, { notes: notes.join(", ") });
  },
};

export const postgresFrozen: Scenario = {
  title: "PostgreSQL frozen under load",
  unit: "seconds",
  full: 30,
  short: 2,
  async run(context) {
    const { postgres, servers } = await onPostgres(context, 2);
    const { process: frozen } = postgres;
    if (!frozen) throw new Error("a PostgreSQL of our own is needed: unset DATABASE_URL");
    const scene = createScene(context);
    let next = 0;
    const clients = await scene.signIn(servers[0]?.url as string, "ada", 12, () => servers[next++ % 2]?.url as string);
    await underLoad(clients, async () => {
      await sleep(1000);
      frozen.signal("SIGSTOP");
      context.progress("frozen");
      await sleep(context.amount * 1000);
      frozen.signal("SIGCONT");
      await sleep(1000);
    });
    return scene.report(context.amount);
  },
};
