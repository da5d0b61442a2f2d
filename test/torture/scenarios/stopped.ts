/** Two servers that are told to stop, in turn, in the middle of it. Whoever finds a door closed asks the other one; nothing else is tried twice. */
import { setTimeout as sleep } from "node:timers/promises";
import { createWire, type HttpAnswer, type Tokens } from "../client.ts";
import type { Violation } from "../history.ts";
import { PASSWORD, type Scenario } from "../scenario.ts";
import { type ServerProcess, startServer } from "../server-process.ts";

const LANES = 24;
const LANES_SHORT = 6;

export const stopped: Scenario = {
  title: "SIGTERM under load, 2 processes, SQLite; clients that ask the other one when a connection is refused",
  unit: "stops",
  full: 20,
  short: 1,
  async run(context) {
    const env = { LATCHKEY_DATA_DIR: context.folder(), LATCHKEY_REFRESH_GRACE_SECONDS: "0" };
    const servers: ServerProcess[] = [await startServer({ env }), await startServer({ env })];
    for (const server of servers) context.onEnd(() => server.kill());
    const wire = createWire(256);
    context.onEnd(() => wire.close());
    const violations: Violation[] = [];
    let [requests, granted, refusedConnections, turn] = [0, 0, 0, 0];
    let isOver = false;

    /** One request, of which nothing but a refused connection is tried again. */
    async function ask(method: string, path: string, options: Parameters<typeof wire.send>[2]): Promise<HttpAnswer> {
      requests++;
      for (let tries = 0; ; tries++) {
        const { url } = servers[turn++ % servers.length] as ServerProcess;
        try {
          return await wire.send(method, url + path, options);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ECONNREFUSED" || tries > 20) throw error;
          refusedConnections++;
          if (tries > 0) await sleep(20);
        }
      }
    }

    async function expect(status: number, ...request: Parameters<typeof ask>): Promise<HttpAnswer | undefined> {
      try {
        const answer = await ask(...request);
        if (answer.status === status) return answer;
        violations.push({ promise: "served", what: `${request[1]}: ${answer.status} ${answer.body?.code}` });
      } catch (error) {
        violations.push({ promise: "served", what: `${request[1]}: ${(error as Error).message}` });
      }
      return undefined;
    }

    for (const username of ["ada", "bob"]) {
      const body = { username, password: PASSWORD, email: `${username}@example.com` };
      await expect(201, "POST", "/v1/users", { body });
    }
    const signIn = async (username: string) => {
      const body = { username, password: PASSWORD };
      return (await expect(200, "POST", "/v1/users/me/token", { body }))?.body as Tokens | undefined;
    };

    async function lane(first: Tokens | undefined): Promise<void> {
      let tokens = first;
      while (!isOver && tokens) {
        for (let i = 0; i < 4; i++) await expect(200, "GET", "/v1/users/me", { token: tokens.access_token });
        const refreshed = await expect(200, "POST", "/v1/users/me/token/refresh", {
          body: { refresh_token: tokens.refresh_token },
        });
        tokens = refreshed?.body;
        granted++;
        await sleep(Math.random() * 10);
      }
    }

    const first: (Tokens | undefined)[] = [];
    const laneCount = context.amount > 1 ? LANES : LANES_SHORT;
    for (let i = 0; i < laneCount; i++) first.push(await signIn("ada"));
    const lanes = first.map(lane);
    // Sign-ins too, of another user, whose oldest sessions may end: each is under way for longer than all others.
    const signingIn = (async () => {
      while (!isOver) {
        await signIn("bob");
        await sleep(50);
      }
    })();
    let exitCodes = "";
    for (let round = 0; round < context.amount; round++) {
      const server = servers[round % servers.length] as ServerProcess;
      await sleep(300 + Math.random() * 200);
      exitCodes += (await server.kill("SIGTERM")) ?? "?";
      await server.start();
      context.progress(`${round + 1} of ${context.amount}`);
    }
    isOver = true;
    await Promise.all([...lanes, signingIn]);
    if (/[^0]/.test(exitCodes)) violations.push({ promise: "served", what: `exit codes ${exitCodes}` });
    const notes = `${refusedConnections} connections refused and asked elsewhere`;
    return { done: context.amount, requests, granted, unanswered: 0, violations, notes };
  },
};
