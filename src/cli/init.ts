/** `latchkey init`: a settings file with secrets of its own, and an empty store. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { type Config, readConfig, toEnvExample } from "../server/config.ts";
import { chooseStore } from "../server/engine.ts";
import { print, printJson } from "./output.ts";

interface InitOptions {
  readonly dataDir?: string;
  readonly json?: true;
  /** False with --no-store. */
  readonly store: boolean;
}

export const initCommand = () =>
  new Command("init")
    .description("write a settings file with new secrets, and make the store")
    .argument("[file]", "the settings file", ".env")
    .option("--data-dir <folder>", "the data folder (LATCHKEY_DATA_DIR)")
    .option("--no-store", "write the settings file only, for a server that runs as somebody else")
    .option("--json", "print JSON, for programs")
    .action(init);

async function init(file: string, { dataDir, json, store }: InitOptions): Promise<void> {
  const settings: Record<string, string> = {
    JWT_SECRET_KEY: randomBytes(64).toString("base64url"),
    LATCHKEY_ROOT_SECRET: randomBytes(64).toString("base64url"),
    ...(dataDir !== undefined && { LATCHKEY_DATA_DIR: dataDir }),
  };
  // Judged before anything is written.
  const config = readConfig({ ...process.env, ...settings });
  const text = toEnvExample().replace(/^# (\w+)=.*$/gm, (line, name: string) =>
    settings[name] === undefined ? line : `${name}=${settings[name]}`,
  );
  try {
    writeFileSync(file, text, { mode: 0o600, flag: "wx" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === "EEXIST" ? "is there already: move it away, or name another file" : `can't be written (${code})`;
    throw new Error(`${file} ${why}.`);
  }
  const database = store ? await makeStore(config) : undefined;
  if (json) return printJson({ file, database });
  print(`${file} has the settings, with new secrets; keep it to yourself.`);
  if (database === undefined) return;
  print(`The database is ${database}.`);
  print("");
  print(`  latchkey --settings ${file} users add ada --email ada@example.com --staff`);
  print(`  latchkey --settings ${file} serve`);
}

async function makeStore(config: Config): Promise<string> {
  const { storage, database } = await chooseStore(config);
  try {
    await storage.migrate();
  } finally {
    await storage.close();
  }
  return database;
}
