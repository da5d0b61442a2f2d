/** `latchkey secrets …`: new secrets, and the steps by which one takes the place of another without signing anyone out. */
import { randomBytes } from "node:crypto";
import { Command, Option } from "commander";
import { toNumberedSecrets } from "../secrets.ts";
import { readConfig } from "../server/config.ts";
import { writeSecrets } from "../server/secret-list.ts";
import { print, printJson } from "./output.ts";

/** Bytes: enough for HS512. */
const SIZE = 64;

const VARIABLES = { JWT_SECRET_KEY: "secret", LATCHKEY_ROOT_SECRET: "rootSecret" } as const;

export const secretsCommand = () =>
  new Command("secrets")
    .description("make secrets, and change them without signing anyone out")
    .addCommand(new Command("new").description("print a new secret").option("--json", "as JSON").action(makeNew))
    .addCommand(
      new Command("rotate")
        .description(
          "print what to set, step by step, for a new secret to take the place of the one in the environment",
        )
        .addOption(new Option("--of <variable>", "which").choices(Object.keys(VARIABLES)).default("JWT_SECRET_KEY"))
        .option("--json", "as JSON")
        .action(rotate),
    );

const newSecret = () => randomBytes(SIZE).toString("base64url");

function makeNew({ json }: { readonly json?: true }): void {
  const secret = newSecret();
  if (json) printJson({ secret });
  else print(secret);
}

function rotate({ of: variable, json }: { readonly of: keyof typeof VARIABLES; readonly json?: true }): void {
  const config = readConfig(process.env);
  const known = config[VARIABLES[variable]];
  if (known === undefined) throw new Error(`${variable} is not set here: run this with the server's environment.`);
  const secrets = toNumberedSecrets(known);
  const [current] = secrets as [(typeof secrets)[0]];
  const newest = { number: Math.max(...secrets.map(({ number }) => number)) + 1, secret: newSecret() };
  const steps = [writeSecrets([...secrets, newest]), writeSecrets([newest, current]), writeSecrets([newest])];
  if (json) {
    printJson({ variable, steps });
    return;
  }
  const days = config.sessionIdleTtl / (24 * 60 * 60);
  print("# 1. Everywhere, before anything uses it: all instances know both.");
  print(`${variable}="${steps[0]}"`);
  print("# 2. When all have it: new tokens are made with the new one.");
  print(`${variable}="${steps[1]}"`);
  print(`# 3. After ${days} days, when no session has a token of the old one any more.`);
  print(`${variable}="${steps[2]}"`);
}
