/**
 * What commands read: secrets from a prompt that shows nothing, or from standard input. Never from an argument: arguments
 * are in the shell's history and in everybody's list of processes.
 */
import { createInterface } from "node:readline/promises";
import { InvalidArgumentError } from "commander";

/** Bytes; more than any token or password of ours has. */
const LONGEST = 64 * 1024;

/** Reads a password: asked twice at a terminal, otherwise the first line of standard input. */
export async function readPassword(prompt: string): Promise<string> {
  if (!process.stdin.isTTY) {
    const [password] = (await readStandardInput()).split(/\r?\n/, 1);
    if (!password)
      throw new Error("there is no password: give it at the prompt, or in the first line of standard input.");
    return password;
  }
  const password = await ask(`${prompt}: `);
  if ((await ask(`${prompt}, again: `)) !== password)
    throw new Error("the two were not the same: nothing was changed.");
  return password;
}

/** Reads a token from standard input. */
export async function readToken(): Promise<string> {
  const token = process.stdin.isTTY ? await ask("Token: ") : (await readStandardInput()).trim();
  if (token === "") throw new Error("there is no token: give it in standard input.");
  return token;
}

/** The argument of commands that read a token: "-" or nothing. */
export function standardInput(argument: string): "-" {
  if (argument === "-") return argument;
  throw new InvalidArgumentError("A token is read from standard input, where no list of processes shows it.");
}

/** Asks before what can't be undone. `--yes` answers, which it has to where nobody can be asked. */
export async function confirm(question: string, { yes }: { readonly yes?: true }): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) throw new Error(`${question} Say --yes where nobody can be asked.`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  if (!/^y(?:es)?$/i.test(answer.trim())) throw new Error("nothing was changed.");
}

export async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > LONGEST) throw new Error("standard input has more than 64 KiB.");
  }
  return Buffer.concat(chunks).toString("utf8");
}

const ENTER = new Set(["\r", "\n"]);
const ERASE = new Set(["\b", "\x7f"]);
const INTERRUPT = "\x03";
const END = "\x04";

/** What was typed, or pasted, beyond the line that was asked for. */
let typedAhead = "";

/** Asks at the terminal and shows nothing of what is typed. */
function ask(prompt: string): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(prompt);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  stdin.resume();
  let typed = "";
  return new Promise((resolve, reject) => {
    function finish(): void {
      stdin.off("data", onData);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write("\n");
    }
    function onData(chunk: string | Buffer): void {
      const characters = [...String(chunk)];
      for (const [i, character] of characters.entries()) {
        if (ENTER.has(character) || character === END) {
          typedAhead = characters.slice(i + 1).join("");
          finish();
          resolve(typed);
          return;
        }
        if (character === INTERRUPT) {
          finish();
          reject(new Error("interrupted: nothing was changed."));
          return;
        }
        typed = ERASE.has(character) ? [...typed].slice(0, -1).join("") : typed + character;
      }
    }
    stdin.on("data", onData);
    const ahead = typedAhead;
    typedAhead = "";
    if (ahead !== "") onData(ahead);
  });
}
