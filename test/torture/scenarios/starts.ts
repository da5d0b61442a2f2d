/** Servers that start at the same moment on a database that is empty. */
import { type Context, createScene, type Report, type Scenario } from "../scenario.ts";
import { startServer } from "../server-process.ts";

async function startTogether(context: Context, env: () => Promise<Record<string, string>>): Promise<Report> {
  const scene = createScene(context);
  for (let round = 1; round <= context.amount; round++) {
    const shared = await env();
    const servers = await Promise.all(Array.from({ length: 4 }, () => startServer({ env: shared })));
    for (const server of servers) context.onEnd(() => server.kill());
    // Whatever one of them does, the others know.
    let next = 0;
    const [client] = await scene.signIn(servers[0]?.url as string, "ada", 1, () => servers[next++ % 4]?.url as string);
    for (let i = 0; i < 4; i++) await client?.refresh();
    for (const server of servers) await server.kill();
    context.progress(`${round} of ${context.amount}`);
  }
  return scene.report(context.amount);
}

export const startsOnSqlite: Scenario = {
  title: "4 processes started at once on an empty database, SQLite",
  unit: "rounds",
  full: 10,
  short: 1,
  run: (context) =>
    startTogether(context, async () => ({ LATCHKEY_DATA_DIR: context.folder(), LATCHKEY_REFRESH_GRACE_SECONDS: "0" })),
};

export const startsOnPostgres: Scenario = {
  title: "4 processes started at once on an empty database, PostgreSQL",
  unit: "rounds",
  full: 10,
  short: 1,
  run: (context) =>
    startTogether(context, async () => ({
      LATCHKEY_DATA_DIR: context.folder(),
      LATCHKEY_REFRESH_GRACE_SECONDS: "0",
      DATABASE_URL: await (await context.postgres()).createDatabase(),
    })),
};
