/** A disk that fills up under load: writes are refused, sessions are intact when there is room again. */
import { setTimeout as sleep } from "node:timers/promises";
import { createScene, type Scenario, underLoad } from "../scenario.ts";
import { startServer } from "../server-process.ts";

/** Kilobytes: the tables, and some dozen refreshes. */
const ROOM = 400;

export const diskFull: Scenario = {
  title: "disk full under load, SQLite",
  unit: "rounds",
  full: 10,
  short: 1,
  async run(context) {
    const env = { LATCHKEY_DATA_DIR: context.folder(), LATCHKEY_REFRESH_GRACE_SECONDS: "0" };
    const roomy = await startServer({ env });
    context.onEnd(() => roomy.kill());
    const scene = createScene(context);
    const clients = await scene.signIn(roomy.url, "ada", 12, () =>
      roomy.isUp ? roomy.url : (tight?.url ?? roomy.url),
    );
    let tight: Awaited<ReturnType<typeof startServer>> | undefined;
    const unansweredCount = () => scene.operations.filter(({ outcome }) => outcome.is === "unknown").length;
    await underLoad(clients, async () => {
      for (let round = 1; round <= context.amount; round++) {
        await roomy.kill();
        tight = await startServer({ env, fileLimit: ROOM });
        const server = tight;
        context.onEnd(() => server.kill());
        // The log grows with every refresh, to its limit; from then on there are no verdicts.
        const before = unansweredCount();
        for (let wait = 0; wait < 200 && unansweredCount() - before < 100; wait++) await sleep(50);
        await server.kill();
        await roomy.start();
        await sleep(300);
        context.progress(`${round} of ${context.amount}`);
      }
    });
    const report = scene.report(context.amount);
    if (report.unanswered === 0) throw new Error("the disk did not fill up");
    return report;
  },
};
