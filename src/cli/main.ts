#!/usr/bin/env node
/**
 * The command line: one file a command.
 * Exit codes: 0 done, 1 could not be done (one sentence on standard error for each reason), 2 wrong usage.
 */
import { readFileSync } from "node:fs";
import { enableCompileCache } from "node:module";

// What was compiled once is not compiled at the next start.
enableCompileCache();

const { Command, CommanderError } = await import("commander");
const { serveCommand } = await import("./serve.ts");
const { envCommand } = await import("./env.ts");

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("latchkey")
  .description("JWT authentication: issue, validate, refresh and take back tokens.")
  .version(version)
  .showHelpAfterError()
  .exitOverride();
for (const command of [serveCommand(), envCommand()]) program.addCommand(command.copyInheritedSettings(program));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    const { problems, message } = error as { problems?: readonly string[]; message: string };
    for (const sentence of problems ?? [message]) process.stderr.write(`latchkey: ${sentence}\n`);
    process.exitCode = 1;
  }
}
