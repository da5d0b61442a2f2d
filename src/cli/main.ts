#!/usr/bin/env node
/**
 * The command line: one file a command, read only when it is called.
 * Exit codes: 0 done, 1 could not be done (one sentence on standard error for each reason), 2 wrong usage.
 */
import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { loadEnvFile } from "node:process";

// What was compiled once is not compiled at the next start.
enableCompileCache();

const { Command, CommanderError } = await import("commander");

const COMMANDS = {
  serve: async () => (await import("./serve.ts")).serveCommand(),
  init: async () => (await import("./init.ts")).initCommand(),
  migrate: async () => (await import("./migrate.ts")).migrateCommand(),
  users: async () => (await import("./users.ts")).usersCommand(),
  sessions: async () => (await import("./sessions.ts")).sessionsCommand(),
  keys: async () => (await import("./keys.ts")).keysCommand(),
  audit: async () => (await import("./audit.ts")).auditCommand(),
  secrets: async () => (await import("./secrets.ts")).secretsCommand(),
  token: async () => (await import("./token.ts")).tokenCommand(),
  doctor: async () => (await import("./doctor.ts")).doctorCommand(),
  env: async () => (await import("./env.ts")).envCommand(),
  export: async () => (await import("./export.ts")).exportCommand(),
  import: async () => (await import("./import.ts")).importCommand(),
};

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("latchkey")
  .description("JWT authentication: issue, validate, refresh and take back tokens.")
  .version(version)
  .option("--settings <file>", "read settings from an .env file; those of the environment win")
  .showHelpAfterError()
  .exitOverride()
  .hook("preAction", () => {
    const { settings } = program.opts<{ settings?: string }>();
    if (settings !== undefined) readSettings(settings);
  });

const called = process.argv.slice(2).find((argument) => Object.hasOwn(COMMANDS, argument)) as keyof typeof COMMANDS;
const isHelp = called === undefined || process.argv[2] === "help";
for (const load of isHelp ? Object.values(COMMANDS) : [COMMANDS[called]]) {
  const command = await load();
  program.addCommand(command);
  inherit(command);
}

// Whoever read the output has gone (`| head`): a command is done then, and a server goes on.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (called !== "serve") process.exit(error.code === "EPIPE" ? 0 : 1);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    const { problems, errors, message } = error as Failure;
    const sentences = problems ?? errors?.map(({ field, message }) => `${field} ${message}`) ?? [message];
    for (const sentence of sentences) process.stderr.write(`latchkey: ${sentence}\n`);
    process.exitCode = 1;
  }
}

interface Failure {
  /** Of a ConfigError. */
  readonly problems?: readonly string[];
  /** Of an AuthError `input_invalid`. */
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
  readonly message: string;
}

/** Commands below commands throw and show their help as the program does. */
function inherit(command: InstanceType<typeof Command>): void {
  command.copyInheritedSettings(command.parent as InstanceType<typeof Command>);
  for (const below of command.commands) inherit(below as InstanceType<typeof Command>);
}

/** Not called --env-file: Node takes that for its own wherever it stands. */
function readSettings(path: string): void {
  try {
    loadEnvFile(path);
  } catch (error) {
    throw new Error(
      `--settings ${path} can't be read (${(error as NodeJS.ErrnoException).code ?? "not an env file"}).`,
    );
  }
}
