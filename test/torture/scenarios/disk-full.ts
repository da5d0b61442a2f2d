/** A disk that fills up under load: writes are refused, sessions are intact when there is room again. */
import { setTimeout as sleep } from "node:timers/promises";
import { createScene, type Scenario, underLoad } from "../scenario.ts";
import { startServer } from "../server-process.ts";

/** Kilobytes: the tables, and some hundred sessions. */
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
    let refused = 0;
    await underLoad(clients, async () => {
      for (let round = 1; round <= context.amount; round++) {
        await roomy.kill();
        tight = await startServer({ env, fileLimit: ROOM });
        const server = tight;
        context.onEnd(() => server.kill());
        // New users take room until there is none; refreshes go on meanwhile.
        for (let i = 0; i < 400 && refused < round * 20; i++) {
          const name = `user${round}x${i}`;
          const user = { username: name, email: `${name}@example.com`, password: "short" };
          const answer = await scene.wire.send("POST", `${server.url}/v1/users`, { body: user }).catch(() => undefined);
          const unanswered = scene.operations.slice(-200).filter(({ outcome }) => outcome.is === "unknown").length;
          if (answer === undefined || answer.status === 503 || unanswered > 100) refused += 20;
          await sleep(10);
        }
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
