/** A wall clock that jumps by an hour and by a day, ahead and back, under load. */
import { setTimeout as sleep } from "node:timers/promises";
import { createScene, type Scenario, underLoad } from "../scenario.ts";
import { startServer } from "../server-process.ts";

const HOUR = 60 * 60;
const DAY = 24 * HOUR;
/** Each is mended by a later one. */
const JUMPS = [HOUR, -HOUR, -HOUR, HOUR, DAY, -DAY, -DAY, DAY];

export const clockJumps: Scenario = {
  title: "the clock jumps by an hour and by a day, ahead and back",
  unit: "jumps",
  full: 80,
  short: 4,
  async run(context) {
    const server = await startServer({
      env: { LATCHKEY_DATA_DIR: context.folder() },
      script: new URL("../clocked-server.ts", import.meta.url).pathname,
    });
    context.onEnd(() => server.kill());
    const scene = createScene(context);
    const clients = await scene.signIn(server.url, "ada", 8);
    const leaving = await scene.signIn(server.url, "grace", Math.ceil(context.amount / 4));
    const gone: typeof leaving = [];
    await underLoad(clients, async () => {
      for (let i = 0; i < context.amount; i++) {
        await sleep(100 + Math.random() * 200);
        // One signs out before, during and after jumps; what it holds must never be let in again.
        const one = i % 4 === 0 ? leaving.pop() : undefined;
        if (one && (await one.logout())) gone.push(one);
        server.send({ jump: JUMPS[i % JUMPS.length] as number });
        await sleep(20);
        for (const client of gone) {
          await client.guard();
          await client.refresh();
        }
        if (i % 8 === 7) context.progress(`${i + 1} of ${context.amount}`);
      }
    });
    return scene.report(context.amount, { notes: `${gone.length} had signed out` });
  },
};
