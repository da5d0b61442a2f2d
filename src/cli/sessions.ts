/** `latchkey sessions …`: who is signed in where, and ending it. */
import { Command } from "commander";
import { AuthError } from "../errors.ts";
import { confirm } from "./input.ts";
import { findUser, type StoreOptions, storeCommand, withEngine } from "./open-engine.ts";
import { print, printJson, printTable, toDate } from "./output.ts";

export const sessionsCommand = () =>
  new Command("sessions")
    .description("list and end sessions")
    .addCommand(
      storeCommand("list")
        .description("list the live sessions of a user, newest first")
        .argument("<user>", "a username, an email address, or id: and a number")
        .action(list),
    )
    .addCommand(
      storeCommand("end")
        .description("end a session of a user; with --all every session of the user, and without a user everybody's")
        .argument("[user]")
        .argument("[session]", "its id, as `sessions list` shows it")
        .option("--all", "every session")
        .option("--yes", "do not ask before everybody is signed out")
        .action(end),
    );

function list(name: string, options: StoreOptions): Promise<void> {
  return withEngine(options, async (auth) => {
    const sessions = await auth.sessions.list((await findUser(auth, name)).id);
    if (options.json) return printJson({ sessions });
    const rows = sessions.map((session) => [
      session.id,
      toDate(session.createdAt),
      toDate(session.lastUsedAt),
      toDate(session.expiresAt),
      session.ip,
      session.userAgent,
    ]);
    printTable(
      ["ID", "CREATED (UTC)", "LAST USED", "EXPIRES", "ADDRESS", "AGENT"],
      rows,
      "There are no live sessions.",
    );
  });
}

interface EndOptions extends StoreOptions {
  readonly all?: true;
  readonly yes?: true;
}

async function end(
  name: string | undefined,
  sessionId: string | undefined,
  options: EndOptions,
  command: Command,
): Promise<void> {
  if (options.all ? sessionId !== undefined : sessionId === undefined) {
    command.error("error: name a user and a session, or say --all", { exitCode: 2 });
  }
  if (name === undefined) await confirm("Everybody will be signed out.", options);
  await withEngine(options, async (auth) => {
    if (name === undefined) {
      const userCount = await auth.sessions.endEverybodys();
      return options.json ? printJson({ userCount }) : print(`${userCount} users were signed out.`);
    }
    const user = await findUser(auth, name);
    if (sessionId === undefined) {
      const { length: sessionCount } = await auth.sessions.list(user.id);
      await auth.sessions.endAll(user.id);
      return options.json
        ? printJson({ sessionCount })
        : print(`${sessionCount} sessions of ${user.username} have ended.`);
    }
    if (!(await auth.sessions.end(user.id, sessionId))) {
      throw new AuthError("not_found", {
        detail: `User ${user.username} has no live session ${JSON.stringify(sessionId)}.`,
      });
    }
    return options.json ? printJson({ sessionCount: 1 }) : print(`Session ${sessionId} of ${user.username} has ended.`);
  });
}
