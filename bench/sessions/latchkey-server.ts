/**
 * Latchkey as a process: `latchkey serve` as it runs in production, and beside it an application of ten lines whose one
 * route is guarded by the engine.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { hash } from "@node-rs/argon2";
import postgres from "postgres";
import type { Identity, Storage } from "../../src/index.ts";
import { importLatchkey } from "../latchkey.ts";
import { cpuMicros, serve } from "../service.ts";
import { freePort } from "./free-port.ts";
import {
  ARGON2ID,
  JSON_TYPE,
  loginVariants,
  PASSWORD,
  type RequestKind,
  type RequestPlan,
  VARIANT_COUNT,
} from "./request-plan.ts";
import { createMint, fillPostgres, fillSqlite, openFile, userCount } from "./stored-sessions.ts";

export interface LatchkeyServerInput {
  readonly dist: string;
  readonly secret: string;
  /** A path or a URL, as in DATABASE_URL. */
  readonly database: string;
  /** Sessions to write into an empty store; 0: another process does. */
  readonly sessionCount: number;
}

export interface GuardCounts {
  readonly guarded: number;
  /** Statements that were run for these. */
  readonly guardStatements: number;
}

await serve(async ({ dist, secret, database, sessionCount }: LatchkeyServerInput) => {
  const latchkey = await importLatchkey(dist);
  const isPostgres = /^postgres/.test(database);
  const open = (): Storage => (isPostgres ? latchkey.openPostgres(database) : latchkey.openSqlite(database));
  if (sessionCount > 0) await fill();
  const port = await freePort();
  await startServe(dist, {
    JWT_SECRET_KEY: secret,
    DATABASE_URL: database,
    HOST: "127.0.0.1",
    PORT: String(port),
    LATCHKEY_LIMITS: "off",
  });

  const counts = { guarded: 0, guardStatements: 0 };
  let statementCount = 0;
  const auth = await latchkey.createAuth({ secret, storage: counting(open()), limits: false });

  /** A guard that is content with the index in memory asks the store for nothing and answers at once. */
  function guard(token: string): Identity | Promise<Identity> {
    const before = statementCount;
    const answer = auth.authenticate(token);
    counts.guarded++;
    counts.guardStatements += answer instanceof Promise ? 1 : statementCount - before;
    return answer;
  }

  const application = createServer(async ({ headers: { authorization = "" } }, response) => {
    try {
      const identity = await guard(authorization.slice("Bearer ".length));
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ user_id: identity.userId }));
    } catch (error) {
      response.statusCode = error instanceof latchkey.AuthError ? error.status : 500;
      response.end();
    }
  });
  await new Promise<void>((resolve) => application.listen(0, "127.0.0.1", resolve));
  const applicationPort = (application.address() as AddressInfo).port;

  async function fill(): Promise<void> {
    const storage = open();
    await storage.migrate();
    await storage.close();
    if (isPostgres) {
      const client = postgres(database, { max: 1, onnotice: () => {} });
      await fillPostgres(client, sessionCount);
      await client.end();
    } else {
      const connection = await openFile(database);
      fillSqlite(connection, sessionCount, await hash(PASSWORD, ARGON2ID));
      connection.close();
    }
  }

  function counting(storage: Storage): Storage {
    return {
      ...storage,
      get clockOffset() {
        return storage.clockOffset;
      },
      read(statement) {
        statementCount++;
        return storage.read(statement);
      },
      write(statements) {
        statementCount += statements.length;
        return storage.write(statements);
      },
    };
  }

  const mint = createMint(secret);
  let spent = 0;
  const nextRefreshToken = (): string => mint(++spent);
  const bearers: Record<string, string>[] = [];

  async function bearerHeaders(): Promise<readonly Record<string, string>[]> {
    while (bearers.length < VARIANT_COUNT) {
      const { accessToken } = await auth.refresh(nextRefreshToken());
      bearers.push({ authorization: `Bearer ${accessToken}` });
    }
    return bearers;
  }

  return {
    ports: () => ({ port, applicationPort }),
    cpu: cpuMicros,
    async plan({ kind, count }: { kind: RequestKind; count: number }): Promise<RequestPlan> {
      switch (kind) {
        case "refresh": {
          if (spent + count > sessionCount) throw new Error("there are not enough sessions for so many refreshes");
          const variants = Array.from({ length: count }, () => ({
            headers: JSON_TYPE,
            body: JSON.stringify({ refresh_token: nextRefreshToken() }),
          }));
          return { port, method: "POST", path: "/v1/users/me/token/refresh", variants };
        }
        case "guarded":
        case "me": {
          const variants = (await bearerHeaders()).map((headers) => ({ headers }));
          return kind === "me"
            ? { port, method: "GET", path: "/v1/users/me", variants }
            : { port: applicationPort, method: "GET", path: "/profile", variants };
        }
        case "login":
        case "lonely login":
          return { port, method: "POST", path: "/v1/users/me/token", variants: loginVariants(userCount(sessionCount)) };
      }
    },
    guardCounts: (): GuardCounts => counts,
    async close() {
      application.close();
      application.closeAllConnections();
      await auth.close();
      // As an operator does; it leaves the process.
      process.kill(process.pid, "SIGTERM");
      await new Promise(() => {});
    },
  };
});

/** Runs the command in this process, whose CPU time can then be asked for. */
async function startServe(dist: string, environment: Readonly<Record<string, string>>): Promise<void> {
  Object.assign(process.env, environment);
  process.argv = [process.execPath, "latchkey", "serve"];
  await import(new URL("cli/main.js", dist).href);
  const health = `http://127.0.0.1:${environment.PORT}/v1/health`;
  for (let tries = 0; ; tries++) {
    const answer = await fetch(health, { headers: { connection: "close" } }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    if (tries === 200) throw new Error("latchkey serve did not come up");
    await sleep(50);
  }
}
