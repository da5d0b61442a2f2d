/**
 * The data folder of a server: the SQLite file and, in development, a secret that was made here.
 * Both are for the owner's eyes only.
 */
import { randomBytes } from "node:crypto";
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { RootSecret } from "../secrets.ts";
import { ConfigError } from "./config.ts";
import { readSecrets } from "./secret-list.ts";

const SECRET_FILE = "jwt-secret-key";
const DATABASE_FILE = "latchkey.db";
const OWNER_ONLY = 0o600;
/** Long enough for HS512. */
const SECRET_BYTES = 64;

/** Makes the folder unless it is there. @returns its absolute path. @throws ConfigError when it can't be written to. */
export function openDataFolder(path: string): string {
  const folder = resolve(path);
  try {
    makeFolder(folder);
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error(), { code: "ENOTDIR" });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    const why = code === "EEXIST" || code === "ENOTDIR" ? "a file is in its way" : `it can't be written to (${code})`;
    throw new ConfigError([
      `The data folder ${folder} can't be used: ${why}. Mend that or set LATCHKEY_DATA_DIR to another folder.`,
    ]);
  }
  return folder;
}

/** With its parents. Not by `recursive`, which never returns where a file system refuses new names with ENOENT, as /proc does. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

export const databasePath = (folder: string): string => join(folder, DATABASE_FILE);

/**
 * The development secret: made at the first start, kept with mode 0600.
 * @throws ConfigError when the file can't be read or holds something else.
 */
export function developmentSecret(folder: string): RootSecret {
  const path = join(folder, SECRET_FILE);
  try {
    return readSecret(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw toConfigError(path, error);
  }
  // Written whole under another name and linked: whoever starts at the same time finds all of it or makes none.
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, `${randomBytes(SECRET_BYTES).toString("base64url")}\n`, { mode: OWNER_ONLY, flag: "w" });
    try {
      linkSync(draft, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      unlinkSync(draft);
    }
    return readSecret(path);
  } catch (error) {
    throw toConfigError(path, error);
  }
}

function readSecret(path: string): RootSecret {
  const secret = readSecrets(readFileSync(path, "utf8").trim());
  // Someone may have copied the folder about.
  if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) chmodSync(path, OWNER_ONLY);
  return secret;
}

function toConfigError(path: string, error: unknown): ConfigError {
  if (error instanceof ConfigError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code ? `can't be used (${code})` : message;
  return new ConfigError([
    `The secret in ${path} ${why}. Delete that file to have a new one made; everyone is then signed out.`,
  ]);
}
