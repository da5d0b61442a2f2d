/** Connections to a SQLite file, set up the one way that is durable and safe. */
import { DatabaseSync, type StatementSync } from "node:sqlite";

/**
 * Opens a connection for writing.
 * WAL lets readers go on during a write; `synchronous=FULL` makes a commit survive a power cut.
 */
export function openConnection(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true });
  try {
    database.exec("pragma trusted_schema = off; pragma synchronous = full");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Prepares each text once. */
export function createStatementCache<Key>(prepare: (key: Key) => StatementSync): (key: Key) => StatementSync {
  const prepared = new Map<Key, StatementSync>();
  return (key) => {
    let statement = prepared.get(key);
    if (!statement) {
      statement = prepare(key);
      prepared.set(key, statement);
    }
    return statement;
  };
}
