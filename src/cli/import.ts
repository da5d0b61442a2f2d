/** `latchkey import`: fills an empty store with an export. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Storage } from "../storage/storage.ts";
import { importStore } from "../storage/transfer.ts";
import { describe } from "./export.ts";
import { importDjangoCommand } from "./import-django.ts";
import { type StoreOptions, storeCommand, withStore } from "./open-engine.ts";
import { print, printJson } from "./output.ts";

export const importCommand = () =>
  storeCommand("import")
    .description("fill an empty store with what `latchkey export` wrote; the secrets have to be the same")
    .argument("[file]", "the export (default: standard input)")
    .action(importAll)
    .addCommand(importDjangoCommand());

function importAll(file: string | undefined, options: StoreOptions): Promise<void> {
  const body = async (storage: Storage, database: string) => {
    const input = file === undefined || file === "-" ? process.stdin : createReadStream(file);
    const failed = new Promise<never>((_, reject) =>
      input.once("error", (error: NodeJS.ErrnoException) =>
        reject(new Error(`${file} can't be read (${error.code}).`)),
      ),
    );
    const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
    const counts = await Promise.race([importStore(storage, lines), failed]);
    if (options.json) printJson(counts);
    else print(`${database} has ${describe(counts)}.`);
  };
  return withStore(options, body, { mustExist: false });
}
