/** What commands begin with: the configuration of the server, its store and, where they need one, an engine that does not listen. */
import { Command } from "commander";
import type { Auth, User } from "../auth.ts";
import { AuthError } from "../errors.ts";
import { type Config, readConfig } from "../server/config.ts";
import { chooseStore, createEngine } from "../server/engine.ts";
import type { Storage } from "../storage/storage.ts";

/** What every command that uses a store takes. */
export interface StoreOptions {
  readonly dataDir?: string;
  readonly json?: true;
}

/** A command that uses the store. */
export const storeCommand = (name: string): Command =>
  new Command(name)
    .option("--json", "print JSON, for programs")
    .option("--data-dir <folder>", "the data folder (LATCHKEY_DATA_DIR)");

export const readSettings = ({ dataDir }: StoreOptions): Config =>
  readConfig({ ...process.env, ...(dataDir !== undefined && { LATCHKEY_DATA_DIR: dataDir }) });

/**
 * Runs a body over the engine and closes it. The algorithm is the store's: only a server changes to another.
 * @throws ConfigError, AuthError, or an error of the storage.
 */
export async function withEngine<T>(
  options: StoreOptions,
  body: (auth: Auth, config: Config) => Promise<T>,
): Promise<T> {
  const config = readSettings(options);
  const auth = await createEngine(config, await chooseStore(config, { mustExist: true }));
  try {
    return await body(auth, config);
  } finally {
    await auth.close();
  }
}

/** Runs a body over the store alone, migrated. */
export async function withStore<T>(
  options: StoreOptions,
  body: (storage: Storage, database: string) => Promise<T>,
  { mustExist = true } = {},
): Promise<T> {
  const config = readSettings(options);
  const { storage, database } = await chooseStore(config, { mustExist });
  try {
    await storage.migrate();
    return await body(storage, database);
  } finally {
    await storage.close();
  }
}

/** Finds the user that an argument names: a username, an email, or `id:` and a number. */
export async function findUser(auth: Auth, name: string): Promise<User> {
  const id = /^id:(\d{1,15})$/.exec(name)?.[1];
  const found = await auth.users.find(
    id !== undefined ? { id: Number(id) } : name.includes("@") ? { email: name } : { username: name },
  );
  if (found) return found;
  throw new AuthError("user_not_found", {
    detail: `There is no user ${JSON.stringify(name)}: name one by username, by email or as id:1.`,
  });
}
