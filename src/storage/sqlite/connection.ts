/**
 * Opening a SQLite file: the checks that make a bad path one clear sentence, and the settings of every connection.
 */
import { accessSync, closeSync, constants, openSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { DatabaseSync, type DatabaseSyncOptions } from "node:sqlite";
import { StorageOpenError } from "../open-error.ts";
import { CORRUPT, isStoreFailure, NOT_A_DATABASE, resultCodeOf } from "./errors.ts";
import { retryBusy } from "./retry-busy.ts";

export const MEMORY = ":memory:";

/** A lock that another process holds is waited for without standing on the thread, so SQLite itself never waits. */
export const CONNECTION_OPTIONS: DatabaseSyncOptions = {
  timeout: 0,
  enableForeignKeyConstraints: true,
  enableDoubleQuotedStringLiterals: false,
};

/**
 * Run on every connection. FULL syncs the log at each commit: what was acknowledged survives a power loss
 * (fullfsync is what that takes on macOS, and nothing elsewhere).
 */
export const CONNECTION_SETTINGS = `
  pragma synchronous = full;
  pragma fullfsync = on;
  pragma trusted_schema = off;
  pragma journal_size_limit = 67108864;
`;

/**
 * Opens the file, making it first if need be, for its owner's eyes only: it holds password hashes.
 * @param path a path of the file system, or ":memory:".
 * @param lockTimeout milliseconds to wait for another process that is making the file.
 * @throws StorageOpenError
 */
export async function openConnection(path: string, lockTimeout: number): Promise<DatabaseSync> {
  if (path !== MEMORY) checkFile(path);
  try {
    return await retryBusy(() => connect(path), performance.now() + lockTimeout);
  } catch (error) {
    throw toOpenError(error, path);
  }
}

function connect(path: string): DatabaseSync {
  const connection = new DatabaseSync(path, CONNECTION_OPTIONS);
  try {
    connection.exec(CONNECTION_SETTINGS);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** The path as SQLite is given it; absolute, so that no text is taken for a URI and a later chdir changes nothing. */
export const toDatabasePath = (path: string): string => (path === MEMORY ? path : resolve(path));

function checkFile(path: string): void {
  const folder = dirname(path);
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
      throw new StorageOpenError(`${path} is not a file: name another for the database.`);
    }
    closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
    // SQLite keeps its log beside the file.
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof StorageOpenError) throw error;
    const { code = "unknown" } = error as NodeJS.ErrnoException;
    const problems: Readonly<Record<string, string>> = {
      ENOENT: `The folder ${folder} of the database does not exist: create it or name another file.`,
      ENOTDIR: `${folder} is not a folder: name another file for the database.`,
      EACCES: `The database ${path} can't be written to: give this user write access to it and to ${folder}, or name another file.`,
      EROFS: `The database ${path} is on a read-only file system: name another file.`,
      ENOSPC: `The database ${path} can't be made, the disk is full: free some space.`,
    };
    throw new StorageOpenError(problems[code] ?? `The database ${path} can't be opened (${code}): name another file.`);
  }
}

/** A failure to open or upgrade as one sentence; errors that are no fault of the file pass through. */
export function toOpenError(error: unknown, path: string): unknown {
  const code = resultCodeOf(error);
  if (!isStoreFailure(code)) return error;
  const problem =
    code === NOT_A_DATABASE
      ? "is not a SQLite database: name another file, or move it away to start with an empty one"
      : code === CORRUPT
        ? "is damaged: restore a backup, or move it away to start with an empty one"
        : `can't be used (${(error as Error).message}): mend that and start again`;
  return new StorageOpenError(`The database ${path} ${problem}.`, { cause: error });
}
