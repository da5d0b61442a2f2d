/** From the configuration to a store and an engine: what the server and every command begin with. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Auth, type AuthOptions, createAuth, djangoUsers } from "../auth.ts";
import type { RootSecret } from "../secrets.ts";
import { openSqlite } from "../storage/sqlite.ts";
import type { Storage } from "../storage/storage.ts";
import { type Config, ConfigError } from "./config.ts";
import { databasePath, developmentSecret, openDataFolder } from "./data-folder.ts";

/** A store that nobody has read from yet, and the secret that goes with it. */
export interface ChosenStore {
  readonly storage: Storage;
  /** Where the database is, without a password. */
  readonly database: string;
  readonly secret: RootSecret;
}

export interface StoreOptions {
  /** Refuses to make a data folder or a SQLite file: a command in the wrong place should say so. */
  readonly mustExist?: boolean;
}

/** @throws ConfigError when the data folder or the secret in it can't be used, or is not there and has to be. */
export async function chooseStore(config: Config, { mustExist = false }: StoreOptions = {}): Promise<ChosenStore> {
  const { dataDir, databaseUrl, secret } = config;
  // With both given the folder is not needed, and not made.
  const needsFolder = databaseUrl === undefined || secret === undefined;
  if (mustExist && needsFolder && !existsSync(dataDir)) throw nothingAt(`data folder ${resolve(dataDir)}`);
  const folder = needsFolder ? openDataFolder(dataDir) : undefined;
  const own = { secret: secret ?? developmentSecret(folder as string) };
  if (databaseUrl !== undefined && isPostgresUrl(databaseUrl)) {
    const { openPostgres } = await import("../storage/postgres.ts");
    const storage = openPostgres(databaseUrl);
    const { host, pathname } = new URL(databaseUrl);
    return { ...own, storage, database: `postgres://${host}${pathname}` };
  }
  const path = databaseUrl?.replace(/^(?:sqlite|file):(?:\/\/)?/i, "") ?? databasePath(folder as string);
  if (mustExist && !existsSync(path)) throw nothingAt(`database ${resolve(path)}`);
  return { ...own, storage: openSqlite(path), database: path };
}

/** Seconds; an hour at least, for tokens from before a setting was lowered. */
export const longestAccessLifeOf = (config: Config): number =>
  Math.max(config.accessTtl, config.djangoAccessTtl ?? 0, 60 * 60);

export const isPostgresUrl = (url: string): boolean => /^postgres(?:ql)?:/i.test(url);

const nothingAt = (what: string) =>
  new ConfigError([
    `There is no ${what}: run this where the server runs, with its environment, or set LATCHKEY_DATA_DIR or DATABASE_URL.`,
  ]);

/**
 * Makes the engine as the configuration says; when it can't be made, the store is closed.
 * @throws as `createAuth` does.
 */
export async function createEngine(
  config: Config,
  { storage, secret }: ChosenStore,
  own: Pick<AuthOptions, "algorithm" | "onEvent" | "tracer"> = {},
): Promise<Auth> {
  try {
    return await createAuth({
      storage,
      secret,
      keys: { rotateEvery: config.keyRotation, jwksMaxAge: config.jwksMaxAge, jwksStale: config.jwksMaxAge * 2 },
      ...(config.rootSecret !== undefined && { rootSecret: config.rootSecret }),
      issuer: config.issuer,
      audience: config.audience,
      accessTtl: config.accessTtl,
      longestAccessLife: longestAccessLifeOf(config),
      passwordFormat: config.passwordFormat,
      allowTokensIssuedByDjango: config.djangoTokens === "allow",
      ...(config.usersTable !== undefined && {
        users: djangoUsers({
          table: config.usersTable,
          ...(config.usersColumns !== undefined && { columns: config.usersColumns }),
          freshness: config.usersFreshness,
        }),
      }),
      sessionIdleTtl: config.sessionIdleTtl,
      sessionMaxAge: config.sessionMaxAge,
      refreshGrace: config.refreshGrace,
      auditRetention: config.auditRetention,
      limits:
        config.limits === "off"
          ? false
          : { failures: config.loginFailures, failuresPerAddress: config.loginFailuresPerAddress },
      ...own,
    });
  } catch (error) {
    await storage.close();
    throw error;
  }
}
