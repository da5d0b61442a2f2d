/**
 * Changes: one statement commits by itself in one trip to the server; several are a transaction of three, for all of them
 * are sent at once and the guards are looked at before the commit.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Row, Statement } from "../storage.ts";
import { isRetryable } from "./errors.ts";
import { NOTIFY } from "./listener.ts";
import type { Client } from "./pool.ts";
import { runStatement } from "./statements.ts";

/** Thrown to make the client roll back. */
const GUARD_MISSED = Symbol("a guard found nothing");
/** Tries of a change that the server has undone for the sake of others. */
const MOST_TRIES = 5;
/** Milliseconds before the second try; doubled for each further one, and shortened at random. */
const FIRST_PAUSE = 10;

/** Does again what the server has undone for the sake of others. */
export async function retrying<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!isRetryable(error) || tries === MOST_TRIES) throw error;
    }
    await sleep(FIRST_PAUSE * 2 ** (tries - 1) * Math.random());
  }
}

/** @returns the rows of each statement, or `undefined` when a guard found nothing. */
export function runChange(
  client: Client,
  statements: readonly Statement[],
  { hasNotify }: { readonly hasNotify: boolean },
): Promise<Row[][] | undefined> {
  const wakes = hasNotify && statements.some((statement) => statement.wakes);
  const [first] = statements;
  return retrying(() =>
    first && statements.length === 1 && !wakes ? runSingle(client, first) : runAll(client, statements, wakes),
  );
}

/** A guard that returns no row has changed nothing either. */
async function runSingle(client: Client, statement: Statement): Promise<Row[][] | undefined> {
  const rows = await runStatement(client, statement);
  return statement.isGuard && rows.length === 0 ? undefined : [rows];
}

async function runAll(client: Client, statements: readonly Statement[], wakes: boolean): Promise<Row[][] | undefined> {
  const all = wakes ? [...statements, NOTIFY] : statements;
  try {
    const tables = await client.begin(async (transaction) => {
      const settled = await Promise.allSettled(all.map((statement) => runStatement(transaction, statement)));
      return settled.map((one, i) => {
        if (one.status === "rejected") throw one.reason;
        if (all[i]?.isGuard && one.value.length === 0) throw GUARD_MISSED;
        return one.value;
      });
    });
    return (tables as Row[][]).slice(0, statements.length);
  } catch (error) {
    if (error === GUARD_MISSED) return undefined;
    throw error;
  }
}
