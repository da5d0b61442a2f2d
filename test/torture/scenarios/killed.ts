/** Servers that die in the middle of it. */
import { setTimeout as sleep } from "node:timers/promises";
import { createScene, onSqlite, type Scenario, underLoad } from "../scenario.ts";

export const killed: Scenario = {
  title: "kill -9 during rotations, SQLite",
  unit: "kills",
  full: 200,
  short: 3,
  async run(context) {
    const { amount, progress } = context;
    const server = await onSqlite(context);
    const scene = createScene(context);
    const clients = await scene.signIn(server.url, "ada", 16);
    await underLoad(clients, async () => {
      for (let round = 1; round <= amount; round++) {
        await sleep(20 + Math.random() * 300);
        await server.kill();
        await server.start();
        if (round % 10 === 0) progress(`${round} of ${amount}`);
      }
    });
    return scene.report(amount);
  },
};
