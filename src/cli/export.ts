/** `latchkey export`: all that a store holds, as lines of JSON, to move it or to keep it. */

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { exportStore } from "../storage/transfer.ts";
import { type StoreOptions, storeCommand, withStore } from "./open-engine.ts";

export const exportCommand = () =>
  storeCommand("export")
    .description(
      "write all users, sessions, ends and keys as lines of JSON, for `latchkey import`; stop the servers first",
    )
    .option("--out <file>", "a new file that only you can read (default: standard output)")
    .action(exportAll);

function exportAll({ out, ...options }: StoreOptions & { readonly out?: string }): Promise<void> {
  return withStore(options, async (storage) => {
    const target: Writable = out === undefined ? process.stdout : createWriteStream(out, { mode: 0o600, flags: "wx" });
    if (out !== undefined) await opened(target, out);
    const lines = exportStore(storage);
    let step = await lines.next();
    for (; !step.done; step = await lines.next()) {
      if (!target.write(`${step.value}\n`)) await once(target, "drain");
    }
    if (out !== undefined) {
      target.end();
      await finished(target);
    }
    // Beside the lines, not among them.
    const counts = options.json ? JSON.stringify(step.value) : describe(step.value);
    process.stderr.write(`${counts}\n`);
  });
}

async function opened(target: Writable, path: string): Promise<void> {
  try {
    await once(target, "open");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "EEXIST" ? "is there already: name another file" : `can't be written (${code})`;
    throw new Error(`${path} ${why}.`);
  }
}

/** "12 users, 30 sessions, …" */
export const describe = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([table, count]) => `${count} ${table.replace("latchkey_", "").replaceAll("_", " ")}`)
    .join(", ");
