/** One token, spent by thousands at once: whoever holds it within the grace is given the same successor, and nobody is taken for a thief. */
import { type Client, newAttempt, toOutcome } from "../client.ts";
import { type Context, createScene, onPostgres, type Report, type Scenario } from "../scenario.ts";
import { startServer } from "../server-process.ts";

const GRACE = { LATCHKEY_REFRESH_GRACE_SECONDS: "60" };

async function spendAtOnce(context: Context, urls: readonly string[]): Promise<Report> {
  const scene = createScene(context);
  const [first] = urls as [string];
  const [client] = (await scene.signIn(first, "ada", 1)) as [Client];
  const { refresh_token, generation } = client.tokens;
  let answered = 0;
  await Promise.all(
    Array.from({ length: context.amount }, async (_, i) => {
      const started = performance.now();
      // Every other one is an older client, without attempt ids.
      const attempt = i % 2 === 0 ? newAttempt() : undefined;
      const outcome = await scene.wire
        .send("POST", `${urls[i % urls.length]}/v1/users/me/token/refresh`, { body: { refresh_token, attempt } })
        .then(toOutcome, (error: Error) => ({ is: "unknown" as const, what: error.message }));
      scene.record({ kind: "refresh", session: 1, presented: generation, started, ended: performance.now(), outcome });
      if (++answered % 1000 === 0) context.progress(`${answered} of ${context.amount}`);
    }),
  );
  await client.refresh();
  const tokens = new Set(
    scene.operations.flatMap(({ outcome }) => (outcome.is === "granted" ? [outcome.refreshToken] : [])),
  );
  const report = scene.report(context.amount, {
    grace: 60_000,
    notes: `${tokens.size} successor${tokens.size === 1 ? "" : "s"}`,
  });
  if (tokens.size === 1) return report;
  return {
    ...report,
    violations: [...report.violations, { promise: "child", what: `${tokens.size} successors of one token` }],
  };
}

export const oneTokenOneProcess: Scenario = {
  title: "one token spent by all at once, 1 process, SQLite",
  unit: "callers",
  full: 10_000,
  short: 300,
  async run(context) {
    const server = await startServer({ env: { LATCHKEY_DATA_DIR: context.folder(), ...GRACE } });
    context.onEnd(() => server.kill());
    return spendAtOnce(context, [server.url]);
  },
};

export const oneTokenFourProcesses: Scenario = {
  title: "one token spent by all at once, 4 processes, SQLite",
  unit: "callers",
  full: 10_000,
  short: 200,
  async run(context) {
    const env = { LATCHKEY_DATA_DIR: context.folder(), ...GRACE };
    const servers = await Promise.all(Array.from({ length: 4 }, () => startServer({ env })));
    for (const server of servers) context.onEnd(() => server.kill());
    return spendAtOnce(
      context,
      servers.map(({ url }) => url),
    );
  },
};

export const oneTokenPostgres: Scenario = {
  title: "one token spent by all at once, 4 processes, PostgreSQL",
  unit: "callers",
  full: 10_000,
  short: 200,
  async run(context) {
    const { servers } = await onPostgres(context, 4, GRACE);
    return spendAtOnce(
      context,
      servers.map(({ url }) => url),
    );
  },
};
