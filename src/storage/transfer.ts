/**
 * Moving a store: all that it holds as lines of JSON, and back into an empty store of either kind.
 * Users, sessions, ends and keys keep their ids, so refresh tokens and access tokens go on working where the secrets are the
 * same. The last line counts the rows: a file that was cut off is noticed. An import that broke off may be run again.
 */
import * as queries from "./queries.ts";
import { MOVED_TABLES, type MovedTable } from "./queries.ts";
import type { Row, Statement, Storage, Value } from "./storage.ts";

export type MovedCounts = Readonly<Record<string, number>>;

/** Rows read or written at once. */
const BATCH = 500;
const FORMAT = 1;

const tables = Object.keys(MOVED_TABLES) as MovedTable[];
const isMovedTable = (name: unknown): name is MovedTable => tables.includes(name as MovedTable);

/** What an export says first. */
interface Head {
  readonly latchkey_export: number;
  readonly store_id: string;
  readonly head: number;
}

/** Every line of an export, without its line break. The store should be at rest: what changes meanwhile may be missed. */
export async function* exportStore(storage: Storage): AsyncGenerator<string, MovedCounts> {
  const [feed] = await storage.read(queries.feedHead());
  yield JSON.stringify({ latchkey_export: FORMAT, store_id: feed?.store_id, head: feed?.head });
  const counts: Record<string, number> = {};
  for (const table of tables) {
    const key = MOVED_TABLES[table];
    let after: Value = key === "kid" ? "" : 0;
    counts[table] = 0;
    for (;;) {
      const rows: Row[] = await storage.read(queries.movedRows(table, after as string | number, BATCH));
      for (const row of rows) yield JSON.stringify({ table, row });
      counts[table] += rows.length;
      if (rows.length < BATCH) break;
      after = rows.at(-1)?.[key] as Value;
    }
  }
  yield JSON.stringify({ end: counts });
  return counts;
}

/**
 * Fills an empty store with an export.
 * @returns how many rows of each table the export has.
 * @throws Error in one sentence when the store is in use, or a line is not of an export, or the export was cut off.
 */
export async function importStore(storage: Storage, lines: AsyncIterable<string>): Promise<MovedCounts> {
  const counts: Record<string, number> = Object.fromEntries(tables.map((table) => [table, 0]));
  let batch: Statement[] = [];
  let number = 0;
  let hasEnded = false;

  async function flush(): Promise<void> {
    await storage.write(batch);
    batch = [];
  }

  for await (const line of lines) {
    number++;
    if (line === "" || hasEnded) continue;
    const entry = readLine(line, number);
    if (number === 1) {
      await begin(storage, entry);
    } else if (isMovedTable(entry.table) && isRow(entry.row)) {
      batch.push(queries.putRow(entry.table, entry.row));
      counts[entry.table] = (counts[entry.table] as number) + 1;
      if (batch.length >= BATCH) await flush();
    } else if (isRow(entry.end)) {
      hasEnded = true;
      for (const [table, count] of Object.entries(entry.end)) {
        if (counts[table] !== count)
          throw new Error(`the export should have ${count} rows of ${table}, and has ${counts[table]}.`);
      }
    } else throw new Error(`line ${number} is not of an export of this release.`);
  }
  await flush();
  if (!hasEnded) throw new Error(`the export was cut off after line ${number}: import it again once it is whole.`);
  await storage.write([queries.touchKeyRing()]);
  await storage.continueIds?.();
  return counts;
}

/** Looks whether the store may be filled, and gives it the name of the other. */
async function begin(storage: Storage, entry: Readonly<Record<string, unknown>>): Promise<void> {
  const { latchkey_export: format, store_id: storeId, head } = entry as unknown as Head;
  if (format !== FORMAT || typeof storeId !== "string" || !Number.isSafeInteger(head)) {
    throw new Error("that is not an export of this release: make one with `latchkey export`.");
  }
  const [feed] = await storage.read(queries.feedHead());
  // One that has the name already is this import's own, from a try that broke off.
  if (feed?.store_id !== storeId) {
    const users = await storage.read(queries.movedRows("latchkey_users", 0, 1));
    const sessions = await storage.read(queries.movedRows("latchkey_sessions", 0, 1));
    if (users.length + sessions.length > 0) {
      throw new Error("the store is in use: import into an empty one, so that no id has two meanings.");
    }
    await storage.write([queries.dropKeys()]);
  }
  await storage.write([queries.becomeStore(storeId, head)]);
}

function readLine(line: string, number: number): Readonly<Record<string, unknown>> {
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry === "object" && entry !== null) return entry as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new Error(`line ${number} is not JSON: the export was cut off or is something else.`);
}

function isRow(value: unknown): value is Row {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every(
    (member) => member === null || typeof member === "string" || Number.isSafeInteger(member),
  );
}
