/** What scenarios are made of: a store, servers over it, honest clients, and the history that they write. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { Client, createWire, type Tokens, type Wire } from "./client.ts";
import { type CheckOptions, check, type Operation, type Violation } from "./history.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

export interface Scenario {
  readonly title: string;
  /** How much of it: rounds, callers. */
  readonly full: number;
  readonly short: number;
  /** What one of these is called. */
  readonly unit: string;
  run(context: Context): Promise<Report>;
}

export interface Context {
  readonly amount: number;
  /** Told how far it has come. */
  progress(text: string): void;
  /** A new folder, gone at the end. */
  folder(): string;
  /** One server for the whole run. */
  postgres(): Promise<PostgresServer>;
  /** Done at the end, last first. */
  onEnd(cleanUp: () => unknown): void;
}

export interface Report {
  readonly done: number;
  readonly requests: number;
  /** Refreshes that advanced a session or were answered with a successor. */
  readonly granted: number;
  /** Requests without a verdict: cut, timed out, 503. */
  readonly unanswered: number;
  readonly violations: readonly Violation[];
  /** More that is worth a word. */
  readonly notes?: string;
}

export const PASSWORD = "torture tangerine ladder 43";

export interface Scene {
  readonly operations: Operation[];
  readonly wire: Wire;
  readonly record: (operation: Operation) => void;
  /** Registers a user and signs in so often. @returns clients, one a session. */
  signIn(url: string, name: string, count: number, ask?: () => string): Promise<Client[]>;
  report(done: number, options?: CheckOptions & { readonly notes?: string }): Report;
}

export function createScene(context: Context): Scene {
  const operations: Operation[] = [];
  const wire = createWire(256);
  context.onEnd(() => wire.close());
  const record = (operation: Operation) => void operations.push(operation);
  let sessionCount = 0;
  return {
    operations,
    wire,
    record,
    async signIn(url, name, count, ask = () => url) {
      const user = { username: name, email: `${name}@example.com`, password: PASSWORD };
      await wire.send("POST", `${url}/v1/users`, { body: user });
      const clients: Client[] = [];
      for (let i = 0; i < count; i++) {
        const { status, body } = await wire.send("POST", `${url}/v1/users/me/token`, {
          body: { username: name, password: PASSWORD },
        });
        if (status !== 200) throw new Error(`signing in: ${status} ${JSON.stringify(body)}`);
        clients.push(new Client(body as Tokens, { session: ++sessionCount, url: ask, wire, record }));
      }
      return clients;
    },
    report: (done, { notes, ...options } = {}) => ({
      done,
      requests: operations.length,
      granted: operations.filter(({ outcome }) => outcome.is === "granted").length,
      unanswered: operations.filter(({ outcome }) => outcome.is === "unknown").length,
      violations: check(operations, options),
      ...(notes !== undefined && { notes }),
    }),
  };
}

/** A server over an SQLite file of its own. Grace 0: every refresh rotates, and nothing but the attempt id excuses a retry. */
export async function onSqlite(context: Context, env: Record<string, string> = {}): Promise<ServerProcess> {
  const server = await startServer({
    env: { LATCHKEY_DATA_DIR: context.folder(), LATCHKEY_REFRESH_GRACE_SECONDS: "0", ...env },
  });
  context.onEnd(() => server.kill());
  return server;
}

/** Servers over one PostgreSQL database. */
export async function onPostgres(context: Context, count: number, env: Record<string, string> = {}) {
  const postgres = await context.postgres();
  const DATABASE_URL = await postgres.createDatabase();
  const servers = await Promise.all(
    Array.from({ length: count }, () =>
      startServer({
        env: { LATCHKEY_DATA_DIR: context.folder(), DATABASE_URL, LATCHKEY_REFRESH_GRACE_SECONDS: "0", ...env },
      }),
    ),
  );
  for (const server of servers) context.onEnd(() => server.kill());
  return { postgres, servers };
}

/** Lets clients refresh, and now and then ask a guard, until `work` is done; then each proves that its session lives. */
export async function underLoad(clients: readonly Client[], work: () => Promise<void>): Promise<void> {
  let isOver = false;
  const lanes = clients.map(async (client) => {
    while (!isOver && client.isSignedIn) {
      await client.refresh();
      if (Math.random() < 0.3) await client.guard();
    }
  });
  try {
    await work();
  } finally {
    isOver = true;
    await Promise.all(lanes);
  }
  for (const client of clients) if (client.isSignedIn) await client.refresh();
}

export interface RunOptions {
  readonly isShort: boolean;
  readonly amount?: number | undefined;
  progress(text: string): void;
}

/** Runs scenarios one after the other. */
export async function runScenarios(
  scenarios: readonly Scenario[],
  { isShort, amount, progress }: RunOptions,
): Promise<Map<Scenario, Report & { readonly seconds: number }>> {
  const reports = new Map<Scenario, Report & { readonly seconds: number }>();
  let postgres: Promise<PostgresServer> | undefined;
  try {
    for (const scenario of scenarios) {
      const cleanUps: (() => unknown)[] = [];
      const context: Context = {
        amount: amount ?? (isShort ? scenario.short : scenario.full),
        progress: (text) => progress(`${scenario.title}: ${text}`),
        folder() {
          const folder = mkdtempSync(join(tmpdir(), "latchkey-torture-"));
          cleanUps.push(() => rmSync(folder, { recursive: true, force: true }));
          return folder;
        },
        postgres() {
          postgres ??= startPostgres();
          return postgres;
        },
        onEnd: (cleanUp) => void cleanUps.push(cleanUp),
      };
      const started = performance.now();
      try {
        reports.set(scenario, { ...(await scenario.run(context)), seconds: (performance.now() - started) / 1000 });
      } finally {
        for (const cleanUp of cleanUps.reverse()) await cleanUp();
      }
    }
  } finally {
    await (await postgres)?.stop();
  }
  return reports;
}
