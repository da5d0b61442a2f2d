/** Another system's database, to read from only: nothing is made in it, and its mode is left as it is. */
import { realpathSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { connect } from "./postgres/pool.ts";
import { runStatement } from "./postgres/statements.ts";
import type { Row, Statement, Storage } from "./storage.ts";

export interface ForeignDatabase {
  readonly kind: Storage["kind"];
  /** Where it is, without a password. */
  readonly place: string;
  read(statement: Statement): Promise<Row[]>;
  close(): Promise<void>;
}

/**
 * @param source the path of a SQLite file (also as `sqlite:path`), or `postgres://…`.
 * @throws Error in one sentence, which has no password.
 */
export async function openForeignDatabase(source: string): Promise<ForeignDatabase> {
  if (/^postgres(?:ql)?:/i.test(source)) return openServer(source);
  if (/^[a-z][a-z0-9+.-]+:/i.test(source) && !/^(?:sqlite|file):/i.test(source)) {
    throw new Error("the source must be the path of a SQLite file, or postgres://user@host/database.");
  }
  return openFile(source.replace(/^(?:sqlite|file):(?:\/\/)?/i, ""));
}

async function openServer(url: string): Promise<ForeignDatabase> {
  let place: string;
  try {
    const { host, pathname } = new URL(url);
    place = `postgres://${host}${pathname}`;
  } catch {
    throw new Error("the source can't be read: write it as postgres://user:password@host:5432/database.");
  }
  const client = connect(
    { url, connectionCount: 1, connectTimeout: 5_000, statementTimeout: 60_000 },
    { connection: { application_name: "latchkey import", default_transaction_read_only: true } },
  );
  const read = async (statement: Statement): Promise<Row[]> => {
    try {
      return await runStatement(client, statement);
    } catch (error) {
      const { code = "", message } = error as { readonly code?: string; readonly message: string };
      throw new Error(`${place} can't be read: ${message}${code && ` (${code})`}.`);
    }
  };
  const database: ForeignDatabase = { kind: "postgres", place, read, close: () => client.end({ timeout: 1 }) };
  try {
    await read({ strings: ["select 1 as one"], values: [] });
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

function openFile(path: string): ForeignDatabase {
  let place = path;
  let connection: DatabaseSync;
  try {
    place = realpathSync(path);
    connection = new DatabaseSync(place, { readOnly: true, timeout: 5_000 });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`${path} can't be read (${code === "ENOENT" ? "there is no such file" : message}).`);
  }
  const prepared = new Map<readonly string[], StatementSync>();
  return {
    kind: "sqlite",
    place,
    async read({ strings, values }) {
      try {
        let statement = prepared.get(strings);
        if (!statement) {
          statement = connection.prepare(strings.join("?"));
          prepared.set(strings, statement);
        }
        return statement.all(...values.map((value) => (typeof value === "number" ? BigInt(value) : value))) as Row[];
      } catch (error) {
        throw new Error(`${path} can't be read: ${(error as Error).message}.`);
      }
    },
    close: async () => connection.close(),
  };
}
