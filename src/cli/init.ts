/** `latchkey init`: a settings file with secrets of its own, a store, and on request the first user in it. */
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { Command } from "commander";
import type { Registration } from "../auth.ts";
import { type Config, readConfig, toEnvExample } from "../server/config.ts";
import { chooseStore, createEngine } from "../server/engine.ts";
import { readPassword } from "./input.ts";
import { print, printJson } from "./output.ts";

interface InitOptions {
  readonly dataDir?: string;
  readonly json?: true;
  readonly firstUser?: string;
  readonly email?: string;
  /** False with --no-store. */
  readonly store: boolean;
}

export const initCommand = () =>
  new Command("init")
    .description("write a settings file with new secrets, and make the store")
    .argument("[file]", "the settings file", ".env")
    .option("--data-dir <folder>", "the data folder (LATCHKEY_DATA_DIR)")
    .option("--no-store", "write the settings file only, for a server that runs as somebody else")
    .option(
      "--first-user <username>",
      "make a user who is staff; the password is asked for, or the first line of standard input",
    )
    .option("--email <address>", "their email address")
    .option("--json", "print JSON, for programs")
    .action(init);

async function init(file: string, { dataDir, json, store, firstUser, email }: InitOptions): Promise<void> {
  if ((firstUser === undefined) !== (email === undefined)) throw new Error("--first-user and --email belong together.");
  if (firstUser !== undefined && !store) throw new Error("--first-user needs the store, which --no-store leaves out.");
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
  const password = firstUser === undefined ? "" : await readPassword(`Password of ${firstUser}`);
  try {
    writeFileSync(file, text, { mode: 0o600, flag: "wx" });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why =
      code === "EEXIST" ? "is there already: move it away, or name another file" : `can't be written (${code})`;
    throw new Error(`${file} ${why}.`);
  }
  const database = store ? await makeStore(config) : undefined;
  if (firstUser !== undefined && email !== undefined) {
    await makeFirstUser(config, { username: firstUser, email, password }).catch((error: Error) => {
      process.stderr.write(
        `latchkey: ${file} and the store are made, the user is not: latchkey --settings ${file} users add …\n`,
      );
      throw error;
    });
  }
  if (json) return printJson({ file, database, firstUser });
  print(`${file} has the settings, with new secrets; keep it to yourself.`);
  if (database === undefined) return;
  print(`The database is ${database}.`);
  print("");
  if (firstUser === undefined) print(`  latchkey --settings ${file} users add ada --email ada@example.com --staff`);
  else print(`${firstUser} is staff, and signs in at the console.`);
  print(`  latchkey --settings ${file} serve`);
}

async function makeFirstUser(config: Config, registration: Registration): Promise<void> {
  const auth = await createEngine(config, await chooseStore(config));
  try {
    const { id } = await auth.register(registration);
    await auth.users.setRoles(id, { isStaff: true });
  } finally {
    await auth.close();
  }
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
