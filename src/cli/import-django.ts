/** `latchkey import django`: users of a Django, with their hashes, into our tables. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { type ForeignDatabase, openForeignDatabase } from "../storage/foreign-database.ts";
import { openSqlite } from "../storage/sqlite.ts";
import type { Storage } from "../storage/storage.ts";
import { DJANGO_COLUMNS, type UserColumns, usersAfter } from "../storage/users-in-place.ts";
import { type ImportCounts, type ImportRemark, importUsers, OUTCOMES, type Outcome } from "../users/import-users.ts";
import { readStandardInput } from "./input.ts";
import { type StoreOptions, storeCommand, withStore } from "./open-engine.ts";
import { print, printJson } from "./output.ts";

interface Options extends StoreOptions {
  readonly from?: string;
  readonly fromEnv?: string;
  readonly fromFile?: string;
  readonly table: string;
  readonly columns?: string;
  readonly fromStart?: true;
  readonly dryRun?: true;
  readonly report?: string;
}

export const importDjangoCommand = () =>
  storeCommand("django")
    .description("copy the users of a Django, with their ids and password hashes; run again to go on, or for new users")
    .option(
      "--from <source>",
      "a SQLite file, postgres://user@host/database without a password, or - for standard input",
    )
    .option("--from-env <name>", "the environment variable that has the source, with its password")
    .option("--from-file <path>", "the file that has the source, with its password")
    .option("--table <name>", "where Django keeps its users", "auth_user")
    .option("--columns <pairs>", "columns that are called otherwise, such as email=mail,lastName=none")
    .option("--from-start", "walk all users again; those who are here stay as they are")
    .option("--dry-run", "import into a store that is thrown away, to see the report")
    .option("--report <file>", "append a line of JSON for each user about whom there is something to say")
    // `import` above it has options of the same names, and takes them.
    .action((_options: Options, command: Command) => importDjango(command.optsWithGlobals<Options>()));

async function importDjango(options: Options): Promise<void> {
  const columns = readColumns(options.columns);
  const users = (kind: Storage["kind"]) => usersAfter(kind, { table: options.table, columns });
  users("sqlite");
  const database = await openForeignDatabase(await readSource(options));
  try {
    if (options.dryRun) await withTemporaryStore((storage) => run(storage, "a store that is thrown away"));
    else await withStore(options, run, { mustExist: false });
  } finally {
    await database.close();
  }

  async function run(storage: Storage, target: string): Promise<void> {
    const { after, count } = users(database.kind);
    const progress = await startProgress(database, count(0));
    const counts = await importUsers({
      storage,
      read: (id, limit) => database.read(after(id, limit)),
      source: `${database.place} ${options.table}`,
      fromStart: options.fromStart,
      now: Math.floor(Date.now() / 1000),
      onRemark: (remark) => writeRemark(options.report, remark),
      onBatch: progress.show,
    });
    progress.end();
    if (options.json) printJson(counts);
    else describe(counts, target);
  }
}

/** From exactly one place. @throws Error also for a password in an argument, which every list of processes shows. */
async function readSource({ from, fromEnv, fromFile }: Options): Promise<string> {
  if ([from, fromEnv, fromFile].filter((one) => one !== undefined).length !== 1) {
    throw new Error("say where Django's users are, by one of --from, --from-env and --from-file.");
  }
  let source: string;
  if (fromEnv !== undefined) {
    source = process.env[fromEnv] ?? "";
  } else if (fromFile !== undefined) {
    try {
      source = readFileSync(fromFile, "utf8");
    } catch (error) {
      throw new Error(`--from-file ${fromFile} can't be read (${(error as NodeJS.ErrnoException).code}).`);
    }
  } else if (from === "-") {
    source = await readStandardInput();
  } else {
    source = from as string;
    if (/^[a-z]+:\/\/[^/@]*:[^/]*@/i.test(source) || /[?&]password=/i.test(source)) {
      throw new Error(
        "--from has a password, and every list of processes shows it: use --from-env, --from-file or --from -.",
      );
    }
  }
  source = source.trim();
  if (source === "") throw new Error("the source is empty: a SQLite file or postgres://user:password@host/database.");
  return source;
}

function readColumns(pairs = ""): UserColumns {
  const entries = pairs
    .split(",")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const [name = "", column] = pair.split("=").map((part) => part.trim());
      if (!Object.hasOwn(DJANGO_COLUMNS, name) || column === undefined) {
        throw new Error(
          `--columns must be pairs such as email=mail,lastName=none, of ${Object.keys(DJANGO_COLUMNS).join(", ")}.`,
        );
      }
      return [name, column === "none" ? null : column];
    });
  return { ...DJANGO_COLUMNS, ...Object.fromEntries(entries) };
}

async function withTemporaryStore(body: (storage: Storage) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-dry-run-"));
  const storage = openSqlite(join(folder, "users.db"));
  try {
    await storage.migrate();
    await body(storage);
  } finally {
    await storage.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How far it is, on a terminal only. */
async function startProgress(database: ForeignDatabase, count: Parameters<ForeignDatabase["read"]>[0]) {
  const { stderr } = process;
  if (!stderr.isTTY) return { show: () => {}, end: () => {} };
  const total = Number((await database.read(count))[0]?.count);
  return {
    show: (seen: number) => void stderr.write(`\r${seen} of ${total} users `),
    end: () => void stderr.write("\r\x1b[K"),
  };
}

function writeRemark(path: string | undefined, { id, username, outcome }: ImportRemark): void {
  if (path === undefined) return;
  const line = JSON.stringify({ id, username, outcome, why: OUTCOMES[outcome] });
  appendFileSync(path, `${line}\n`, { mode: 0o600 });
}

function describe(counts: ImportCounts, target: string): void {
  print(`${target} has ${counts.imported} users of that Django.`);
  for (const [outcome, sentence] of Object.entries(OUTCOMES)) {
    const count = counts[outcome as Outcome];
    if (outcome !== "imported" && count > 0) print(`${String(count).padStart(9)}  ${sentence}`);
  }
}
