/**
 * The process that measures rotations on one kind of store: `auth.refresh` against the bare statement that it comes down
 * to, each on a small table and on a large one, all four in the same interleaved rounds.
 * One operation here is 64 rotations: the engine keeps 64 in flight, the bare statement commits 64 together on SQLite and
 * keeps 64 in flight on PostgreSQL.
 */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import postgres from "postgres";
import type { Auth, Storage, System } from "../../src/index.ts";
import { NO_ATTEMPT } from "../../src/sessions/refresh-rule.ts";
import { hashAttempt, hashHandle } from "../../src/sessions/refresh-token.ts";
import { rotateSession } from "../../src/storage/queries.ts";
import { realSystem } from "../../src/system.ts";
import { answerParent } from "../child.ts";
import { importLatchkey, type Latchkey } from "../latchkey.ts";
import {
  type Case,
  type MeasuringOptions,
  measureInterleaved,
  type Series,
  type Spread,
  shuffled,
  spreadOf,
} from "../measure.ts";
import { CONNECTION_COUNT } from "./postgres.ts";
import { createMint, DEVICE, fillPostgres, fillSqlite, handleOf, openFile } from "./stored-sessions.ts";

export interface RotationsInput {
  readonly dist: string;
  readonly secret: string;
  readonly store: "sqlite" | "postgres";
  /** For SQLite: where the files go. */
  readonly folder: string;
  /** For PostgreSQL: an empty database for each case, in the order small ours, small bare, large ours, large bare. */
  readonly urls: readonly string[];
  readonly sizes: readonly [small: number, large: number];
  readonly measuring: MeasuringOptions;
}

export interface RotationsResult {
  /** Small ours, small bare, large ours, large bare; an operation is `GROUP` rotations. */
  readonly series: readonly Series[];
  /** p99 of the engine's event loop delay in each batch, in milliseconds beyond the timer's own millisecond. */
  readonly loopDelay: Spread;
}

export const GROUP = 64;
/** The default; a session rotates at most once in it. */
const GRACE = 20;
/** Some seconds more: how far the store's clock is ahead is learned anew every second, in whole seconds. */
const STEP = GRACE + 5;
const IDLE_TTL = 30 * 24 * 60 * 60;
const ACCESS_TTL = 15 * 60;
/** Milliseconds; what the histogram counts even when nothing is late. */
const RESOLUTION = 1;
/** A 99th percentile of fewer says nothing: the first batches of the warm-up. */
const FEWEST_SAMPLES = 40;

const SUM_OF_GENERATIONS = "select sum(generation) as total from latchkey_sessions";

let attemptCount = 0;

interface Contestant {
  readonly case: Case;
  close(): Promise<void>;
}

await answerParent(async (input: RotationsInput, progress): Promise<RotationsResult> => {
  const latchkey = await importLatchkey(input.dist);
  const delays: number[] = [];
  const contestants: Contestant[] = [];
  for (const [index, size] of input.sizes.entries()) {
    progress(`${input.store}: writing ${size.toLocaleString("en-US")} sessions`);
    contestants.push(...(await (input.store === "sqlite" ? onSqlite : onPostgres)(input, index, latchkey, delays)));
  }
  progress(`${input.store}: rotating`);
  const series = await measureInterleaved(
    contestants.map((one) => one.case),
    input.measuring,
  );
  for (const { close } of contestants) await close();
  return { series, loopDelay: spreadOf(delays) };
});

async function onSqlite(
  { folder, sizes, secret }: RotationsInput,
  index: number,
  latchkey: Latchkey,
  delays: number[],
): Promise<Contestant[]> {
  const size = sizes[index]!;
  const [ours, bare] = [join(folder, `ours-${size}.db`), join(folder, `bare-${size}.db`)];
  const storage = latchkey.openSqlite(ours);
  await storage.migrate();
  await storage.close();
  const filling = await openFile(ours);
  fillSqlite(filling, size);
  filling.close();
  cpSync(ours, bare);
  return [
    await engineContestant(
      latchkey,
      { storage: latchkey.openSqlite(ours), size, secret, sumGenerations: () => sumInSqlite(ours) },
      delays,
    ),
    await bareSqlite(bare, size),
  ];
}

async function onPostgres(
  { urls, sizes, secret }: RotationsInput,
  index: number,
  latchkey: Latchkey,
  delays: number[],
): Promise<Contestant[]> {
  const size = sizes[index]!;
  const [ours, bare] = urls.slice(index * 2, index * 2 + 2) as [string, string];
  for (const url of [ours, bare]) {
    const storage = latchkey.openPostgres(url);
    await storage.migrate();
    await storage.close();
    const client = postgres(url, { max: 1, onnotice: () => {} });
    await fillPostgres(client, size);
    await client.end();
  }
  const storage = latchkey.openPostgres(ours, { connectionCount: CONNECTION_COUNT });
  return [
    await engineContestant(latchkey, { storage, size, secret, sumGenerations: () => sumInPostgres(ours) }, delays),
    barePostgres(bare, size),
  ];
}

/** Every session in turn, in random order; a clock that steps past the grace whenever all have been through. */
function createTurns(size: number) {
  const order = Uint32Array.from(shuffled(Array.from({ length: size }, (_, i) => i + 1)));
  const started = Math.floor(Date.now() / 1000);
  let at = 0;
  let passes = 0;
  return {
    now: (): number => started + passes * STEP,
    next(): number {
      if (at === size) {
        at = 0;
        passes++;
      }
      return order[at++]!;
    },
    /** The sessions of the next `count` turns. */
    coming: (count: number): Uint32Array => order.subarray(at, at + count),
  };
}

/** As clients of ours send it: 22 characters, new for every rotation. */
function newAttempt(): string {
  return String(attemptCount++).padStart(22, "a");
}

interface EngineInput {
  readonly storage: Storage;
  readonly size: number;
  readonly secret: string;
  sumGenerations(): unknown;
}

async function engineContestant(
  latchkey: Latchkey,
  { storage, size, secret, sumGenerations }: EngineInput,
  delays: number[],
): Promise<Contestant> {
  const turns = createTurns(size);
  const system: System = { ...realSystem, now: turns.now };
  const auth: Auth = await latchkey.createAuth({ secret, storage, system, refreshGrace: GRACE });
  const mint = createMint(secret);
  const tokens: (string | undefined)[] = new Array(size + 1);

  async function rotate(rotations: number): Promise<void> {
    let left = rotations;
    const lane = async (): Promise<void> => {
      while (left-- > 0) {
        const id = turns.next();
        const answer = await auth.refresh(tokens[id]!, { attempt: newAttempt() }, DEVICE);
        tokens[id] = answer.refreshToken;
      }
    };
    await Promise.all(Array.from({ length: GROUP }, lane));
  }

  let rotated = 0;
  return {
    case: {
      name: `auth.refresh, ${size.toLocaleString("en-US")} sessions`,
      prepare(count) {
        for (const id of turns.coming(count * GROUP)) tokens[id] ??= mint(id);
        for (let id = 1; size <= 10_000 && id <= size; id++) tokens[id] ??= mint(id);
      },
      async run(count) {
        const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
        delay.enable();
        await rotate(count * GROUP);
        delay.disable();
        if (delay.count >= FEWEST_SAMPLES) delays.push(Math.max(0, delay.percentile(99) / 1e6 - RESOLUTION));
        rotated += count * GROUP;
      },
    },
    async close() {
      await auth.close();
      requireAdvances(rotated, await sumGenerations());
    },
  };
}

/** Every refresh must have advanced a session, or something cheaper than a rotation was measured. */
function requireAdvances(rotated: number, advanced: unknown): void {
  if (Number(advanced) !== rotated) throw new Error(`${rotated} refreshes advanced ${advanced} generations`);
}

async function sumInSqlite(file: string): Promise<unknown> {
  const connection = await openFile(file);
  const row = connection.prepare(SUM_OF_GENERATIONS).get();
  connection.close();
  return row?.total;
}

async function sumInPostgres(url: string): Promise<unknown> {
  const client = postgres(url, { max: 1 });
  const [row] = await client.unsafe(SUM_OF_GENERATIONS);
  await client.end();
  return row?.total;
}

/** The values of the next rotations of the bare statement, made outside the clock. */
function createBareRotations(size: number) {
  const turns = createTurns(size);
  const generations = new Uint32Array(size + 1);
  const rotation = () => {
    const id = turns.next();
    const now = turns.now();
    const from = generations[id]!++;
    return rotateSession({
      ...DEVICE,
      id,
      handleHash: hashHandle(handleOf(id)),
      from,
      to: from + 1,
      rotatedBefore: from === 0 ? now + 1 : now - GRACE,
      attempt: hashAttempt(newAttempt()),
      noAttempt: NO_ATTEMPT,
      now,
      accessExpiresAt: now + ACCESS_TTL,
      idleExpiresAt: now + IDLE_TTL,
    });
  };
  return (count: number) => Array.from({ length: count }, rotation);
}

function missed(): never {
  throw new Error("the bare statement advanced nothing");
}

async function bareSqlite(file: string, size: number): Promise<Contestant> {
  const connection = await openFile(file);
  const rotations = createBareRotations(size);
  const [sample] = createBareRotations(1)(1);
  const statement = connection.prepare(sample!.strings.join("?"));
  const begin = connection.prepare("begin immediate");
  const commit = connection.prepare("commit");
  let values: (bigint | string | null)[][] = [];
  return {
    case: {
      name: `bare statement, ${size.toLocaleString("en-US")} sessions`,
      prepare(count) {
        values = rotations(count * GROUP).map((one) =>
          // As the engine binds them.
          one.values.map((value) => (typeof value === "number" ? BigInt(value) : value)),
        );
      },
      run(count) {
        for (let group = 0; group < count; group++) {
          begin.run();
          for (let i = group * GROUP; i < (group + 1) * GROUP; i++) {
            if (statement.all(...values[i]!).length !== 1) missed();
          }
          commit.run();
        }
      },
    },
    async close() {
      connection.close();
    },
  };
}

function barePostgres(url: string, size: number): Contestant {
  const client = postgres(url, { max: CONNECTION_COUNT, onnotice: () => {} });
  const rotations = createBareRotations(size);
  const [sample] = createBareRotations(1)(1);
  const text = sample!.strings.reduce((before, part, i) => `${before}$${i}${part}`);
  let values: (string | number | null)[][] = [];
  return {
    case: {
      name: `bare statement, ${size.toLocaleString("en-US")} sessions`,
      prepare(count) {
        values = rotations(count * GROUP).map((one) => [...one.values] as (string | number | null)[]);
      },
      async run(count) {
        let next = 0;
        const lane = async (): Promise<void> => {
          while (next < count * GROUP) {
            const rows = await client.unsafe(text, values[next++]!, { prepare: true });
            if (rows.length !== 1) missed();
          }
        };
        await Promise.all(Array.from({ length: GROUP }, lane));
      },
    },
    close: () => client.end(),
  };
}
