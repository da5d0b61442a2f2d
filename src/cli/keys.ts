/** `latchkey keys …`: the key ring of docs/keys.md. */
import { createPublicKey, type webcrypto } from "node:crypto";
import { Command, Option } from "commander";
import { AuthError } from "../errors.ts";
import { type StoreOptions, storeCommand, withEngine } from "./open-engine.ts";
import { print, printJson, printTable, toDate } from "./output.ts";

export const keysCommand = () =>
  new Command("keys")
    .description("list, rotate, withdraw and export the keys that sign access tokens")
    .addCommand(storeCommand("list").description("list all keys, oldest first").action(list))
    .addCommand(
      storeCommand("rotate")
        .description("sign with the next key from now on")
        .option("--now", "even when others may not have seen it yet: they refuse its tokens until they look again")
        .action(rotate),
    )
    .addCommand(
      storeCommand("compromise")
        .description("refuse whatever a key has signed, at once and everywhere; the next key signs")
        .argument("<kid>")
        .option("--note <text>", "why, for the list")
        .action(compromise),
    )
    .addCommand(
      storeCommand("export")
        .description("print the public keys that verify, or one of them")
        .argument("[kid]")
        .addOption(new Option("--format <format>", "how").choices(["jwks", "pem"]).default("jwks"))
        .action(exportKeys),
    );

function list(options: StoreOptions): Promise<void> {
  return withEngine(options, async (auth) => {
    const keys = await auth.keys.list();
    if (options.json) return printJson({ keys });
    const rows = keys.map((key) => [
      key.kid,
      key.alg,
      key.state,
      toDate(key.publishedAt),
      toDate(key.activatedAt),
      key.state === "retiring" ? toDate(key.verifiesUntil) : toDate(key.retiredAt),
      key.note,
    ]);
    printTable(["KID", "ALG", "STATE", "PUBLISHED (UTC)", "ACTIVE SINCE", "UNTIL", "NOTE"], rows, "There are no keys.");
  });
}

function rotate({ now, ...options }: StoreOptions & { readonly now?: true }): Promise<void> {
  return withEngine(options, async (auth) => {
    const key = await auth.keys.rotate({ ignoringLead: now === true });
    if (options.json) return printJson(key);
    print(`Key ${key.kid} (${key.alg}) signs now.`);
  });
}

function compromise(kid: string, { note, ...options }: StoreOptions & { readonly note?: string }): Promise<void> {
  return withEngine(options, async (auth) => {
    const key = await auth.keys.compromise(kid, note);
    if (options.json) return printJson(key);
    print(`Key ${kid} is refused everywhere. Key ${key.kid} (${key.alg}) signs.`);
  });
}

function exportKeys(
  kid: string | undefined,
  options: StoreOptions & { readonly format: "jwks" | "pem" },
): Promise<void> {
  return withEngine(options, async (auth) => {
    const all = auth.keys.jwks().keys;
    const keys = kid === undefined ? all : all.filter((key) => key.kid === kid);
    if (kid !== undefined && keys.length === 0) {
      throw new AuthError("not_found", {
        detail: `There is no public key ${JSON.stringify(kid)} that verifies; a secret is never exported.`,
      });
    }
    if (options.format === "jwks") return print(JSON.stringify({ keys }, null, 2));
    const pems = keys.map((key) => createPublicKey({ key: key as unknown as webcrypto.JsonWebKey, format: "jwk" }));
    for (const pem of pems) process.stdout.write(pem.export({ format: "pem", type: "spki" }));
  });
}
