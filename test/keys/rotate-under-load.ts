/**
 * Honest clients at several instances while keys rotate all the time: how often is one refused?
 * Run by itself it is the long form: `node test/keys/rotate-under-load.ts [seconds] [milliseconds between rotations] [postgres]`.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Auth, createAuth } from "../../src/auth.ts";
import { AuthError } from "../../src/errors.ts";
import { openPostgres } from "../../src/storage/postgres.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { temporaryFolder } from "../support/child-server.ts";
import { TEST_SECRET } from "../support/engine.ts";
import { startPostgres } from "../support/postgres.ts";

export interface RotationLoad {
  /** Opens the store that all instances share. */
  readonly open: () => Storage;
  readonly instances: number;
  readonly clients: number;
  readonly milliseconds: number;
  readonly rotateEvery: number;
  /** Pauses each client takes between requests, in milliseconds. */
  readonly pause?: number;
}

export interface RotationOutcome {
  readonly rotations: number;
  readonly verified: number;
  readonly refreshed: number;
  /** What honest clients were refused with. */
  readonly refusals: readonly string[];
}

export async function rotateUnderLoad(load: RotationLoad): Promise<RotationOutcome> {
  const options = { secret: TEST_SECRET, algorithm: "EdDSA", refreshGrace: "0s" } as const;
  const auths = await Promise.all(
    Array.from({ length: load.instances }, () => createAuth({ ...options, storage: load.open() })),
  );
  const any = () => auths[Math.floor(Math.random() * auths.length)] as Auth;
  const refusals: string[] = [];
  const counts = { rotations: 0, verified: 0, refreshed: 0 };
  const end = performance.now() + load.milliseconds;

  async function client(number: number): Promise<void> {
    const username = `client${number}`;
    const user = await any().register({
      username,
      email: `${username}@example.com`,
      password: "correct horse battery",
    });
    let tokens = await any().sessions.start(user.id);
    while (performance.now() < end) {
      try {
        await any().authenticate(tokens.accessToken);
        counts.verified++;
        if (Math.random() < 0.2) {
          tokens = await any().refresh(tokens.refreshToken);
          counts.refreshed++;
        }
      } catch (error) {
        refusals.push(error instanceof AuthError ? `${error.code}: ${error.reason}` : String(error));
      }
      await sleep(load.pause ?? 5);
    }
  }

  async function rotating(): Promise<void> {
    while (performance.now() < end) {
      await sleep(load.rotateEvery);
      await any().keys.rotate({ ignoringLead: true });
      counts.rotations++;
    }
  }

  try {
    await Promise.all([rotating(), ...Array.from({ length: load.clients }, (_, i) => client(i))]);
  } finally {
    for (const auth of auths) await auth.close();
  }
  return { ...counts, refusals };
}

if (import.meta.main) {
  const [seconds = "120", rotateEvery = "5000", kind = "sqlite"] = process.argv.slice(2);
  const folder = temporaryFolder();
  const server = kind === "postgres" ? await startPostgres() : undefined;
  const url = await server?.createDatabase();
  const outcome = await rotateUnderLoad({
    open: () => (url === undefined ? openSqlite(join(folder, "auth.db")) : openPostgres(url, { connectionCount: 4 })),
    instances: 4,
    clients: 20,
    milliseconds: Number(seconds) * 1000,
    pause: 20,
    rotateEvery: Number(rotateEvery),
  });
  await server?.stop();
  rmSync(folder, { recursive: true });
  console.log(outcome);
  process.exitCode = outcome.refusals.length === 0 && outcome.rotations > 0 ? 0 : 1;
}
