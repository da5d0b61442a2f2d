/** Keys that rotate all the time, by the command, under four servers' clients. Without a lead: each key signs before anyone has seen it. */
import { setTimeout as sleep } from "node:timers/promises";
import { runCommand } from "../../support/command.ts";
import { TEST_SECRET } from "../../support/engine.ts";
import { createScene, type Scenario } from "../scenario.ts";
import { startServer } from "../server-process.ts";

const SERVERS = 4;
const CLIENTS = 8;
/** Milliseconds. */
const ROTATE_EVERY = 5_000;
const ROTATE_EVERY_SHORT = 700;
const PAUSE = 20;

export const rotatingKeys: Scenario = {
  title: "keys rotated every 5 s by the command under 4 processes, SQLite",
  unit: "seconds",
  full: 120,
  short: 3,
  async run(context) {
    const scene = createScene(context);
    const env = {
      LATCHKEY_DATA_DIR: context.folder(),
      LATCHKEY_REFRESH_GRACE_SECONDS: "0",
      JWT_ALGORITHM: "ES256",
      JWT_SECRET_KEY: TEST_SECRET,
    };
    const servers = await Promise.all(Array.from({ length: SERVERS }, () => startServer({ env })));
    for (const server of servers) context.onEnd(() => server.kill());
    let next = 0;
    const ask = () => servers[next++ % SERVERS]?.url as string;
    const clients = await scene.signIn(ask(), "ada", CLIENTS, ask);
    const end = performance.now() + context.amount * 1000;
    const rotateEvery = context.amount > 10 ? ROTATE_EVERY : ROTATE_EVERY_SHORT;
    let rotations = 0;

    async function rotating(): Promise<void> {
      while (performance.now() < end) {
        await sleep(rotateEvery);
        const { code, errors } = await runCommand(["keys", "rotate", "--now"], { env });
        if (code !== 0) throw new Error(`keys rotate: ${errors}`);
        rotations++;
        context.progress(`${rotations} rotations`);
      }
    }

    await Promise.all([
      rotating(),
      ...clients.map(async (client) => {
        while (performance.now() < end) {
          await client.refresh();
          for (let i = 0; i < 4; i++) await client.guard();
          await sleep(PAUSE);
        }
      }),
    ]);
    const report = scene.report(context.amount, { notes: `${rotations} rotations` });
    // Nobody signs out here and no token gets old, so that a guard has nothing to refuse.
    const refused = scene.operations.flatMap(({ kind, outcome }) =>
      kind === "guard" && outcome.is === "refused" ? `a guard answered ${outcome.status} ${outcome.code}` : [],
    );
    const violations = refused.map((what) => ({ promise: "honest", what }) as const);
    return { ...report, violations: [...report.violations, ...violations] };
  },
};
