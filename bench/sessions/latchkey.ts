/**
 * The packed package with its dependencies beside it, and the modules of it that the bench reaches for: mostly the front
 * door, and a few inner ones that mint what would take hours to get over HTTP (two million refresh tokens).
 */
import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { packedSubject, type Subject } from "../jwt/packed.ts";

export interface InstalledPackage {
  /** URL of the package's dist folder. */
  readonly dist: string;
  dispose(): void;
}

/** @param tarball a package packed earlier; absent: packs the checkout now. */
export function installLatchkey(tarball: string | undefined): InstalledPackage {
  const subject: Subject = packedSubject(tarball);
  const dist = new URL("../", subject.entry).href;
  const dependencies = fileURLToPath(new URL("../../node_modules", import.meta.url));
  const link = join(fileURLToPath(dist), "..", "node_modules");
  // The checkout's own dependencies: the same versions as its lockfile names, without a second installation.
  if (!existsSync(link)) symlinkSync(dependencies, link, "junction");
  return { dist, dispose: subject.dispose };
}

export type Latchkey = Awaited<ReturnType<typeof loadLatchkey>>;

export async function loadLatchkey(dist: string) {
  const load = (path: string): Promise<unknown> => import(new URL(path, dist).href);
  const main = (await load("index.js")) as typeof import("../../src/index.ts");
  const tokens = (await load("sessions/refresh-token.js")) as typeof import("../../src/sessions/refresh-token.ts");
  const secrets = (await load("secrets.js")) as typeof import("../../src/secrets.ts");
  return {
    ...main,
    queries: (await load("storage/queries.js")) as typeof import("../../src/storage/queries.ts"),
    noAttempt: ((await load("sessions/refresh-rule.js")) as typeof import("../../src/sessions/refresh-rule.ts"))
      .NO_ATTEMPT,
    hashAttempt: tokens.hashAttempt,
    hashHandle: tokens.hashHandle,
    createCodec: (secret: string) => tokens.createRefreshTokenCodec(secrets.deriveKeys(secret, "refresh-token")),
    openConnection: (
      (await load("storage/sqlite/connection.js")) as typeof import("../../src/storage/sqlite/connection.ts")
    ).openConnection,
  };
}

/** The server as `latchkey serve` starts it. */
export async function loadServer(dist: string) {
  const load = (path: string): Promise<unknown> => import(new URL(path, dist).href);
  const { startServer } = (await load("server/server.js")) as typeof import("../../src/server/server.ts");
  const { readConfig } = (await load("server/config.js")) as typeof import("../../src/server/config.ts");
  const { createJsonLogger } = (await load("server/logger.js")) as typeof import("../../src/server/logger.ts");
  return { startServer, readConfig, createJsonLogger };
}
