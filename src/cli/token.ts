/** `latchkey token …`: issuing access tokens without a password, and finding out what is the matter with one. */
import { Command, Option } from "commander";
import type { SessionMode } from "../auth.ts";
import { readToken, standardInput } from "./input.ts";
import { findUser, type StoreOptions, storeCommand, withEngine } from "./open-engine.ts";
import { print, printJson } from "./output.ts";

export const tokenCommand = () =>
  new Command("token")
    .description("issue, decode, verify and explain access tokens; tokens are read from standard input")
    .addCommand(
      storeCommand("issue")
        .description("start a session for a user, without a password, and print its tokens")
        .argument("<user>", "a username, an email address, or id: and a number")
        .addOption(new Option("--mode <mode>", "of the session").choices(["rotating", "fixed"]).default("rotating"))
        .action(issue),
    )
    .addCommand(
      new Command("decode")
        .description("print what a token says of itself; anyone may have written it, nothing is checked")
        .argument("[-]", "standard input", standardInput)
        .action(decode),
    )
    .addCommand(
      storeCommand("verify")
        .description("check a token as a guard does, and ask the store how its session stands")
        .argument("[-]", "standard input", standardInput)
        .action(verify),
    )
    .addCommand(
      storeCommand("explain")
        .description("tell each check that a token passes or fails")
        .argument("[-]", "standard input", standardInput)
        .action(explain),
    );

function issue(name: string, { mode, ...options }: StoreOptions & { readonly mode: SessionMode }): Promise<void> {
  return withEngine(options, async (auth) => {
    const user = await findUser(auth, name);
    const tokens = await auth.sessions.start(user.id, { userAgent: "latchkey token issue" }, { mode });
    if (options.json) return printJson(tokens);
    print(`access_token   ${tokens.accessToken}`);
    print(`refresh_token  ${tokens.refreshToken}`);
    print(`expires_in     ${tokens.expiresIn}`);
    print(`session_id     ${tokens.sessionId}`);
  });
}

async function decode(): Promise<void> {
  const [header, claims] = (await readToken()).split(".").map(readPart);
  if (header === undefined || claims === undefined)
    throw new Error("that is no token of three parts, or not JSON inside.");
  // ASCII only, so that a token can't draw on the terminal.
  const text = JSON.stringify({ header, claims }, null, 2).replace(/[^\x20-\x7e\n]/g, escapeCharacter);
  print(text);
}

function readPart(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

const escapeCharacter = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

async function verify(_: "-" | undefined, options: StoreOptions): Promise<void> {
  const token = await readToken();
  await withEngine(options, async (auth) => {
    try {
      const { claims } = await auth.authenticate(token, { freshness: "live" });
      if (options.json) print(JSON.stringify({ is_accepted: true, claims }, null, 2));
      else print(`The token is accepted: user ${claims.sub}, session ${claims.sid}.`);
    } catch (error) {
      const { code, reason, message } = error as { code?: string; reason?: string; message: string };
      if (code === undefined) throw error;
      if (options.json) printJson({ isAccepted: false, code, reason });
      throw new Error(`the token is refused (${code}): ${reason ?? message}.`);
    }
  });
}

async function explain(_: "-" | undefined, options: StoreOptions): Promise<void> {
  const token = await readToken();
  await withEngine(options, async (auth) => {
    const { text, ...explanation } = await auth.explain(token);
    if (options.json) print(JSON.stringify(explanation, null, 2));
    else print(text);
    if (!explanation.isAccepted) process.exitCode = 1;
  });
}
