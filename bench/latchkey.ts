/** The packed package with its dependencies beside it, as it is once users have installed it. */
import { existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { packedSubject, type Subject } from "./jwt/packed.ts";

export interface InstalledPackage {
  /** URL of the package's dist folder. */
  readonly dist: string;
  dispose(): void;
}

/** @param tarball a package packed earlier; absent: packs the checkout now. */
export function installLatchkey(tarball: string | undefined): InstalledPackage {
  const subject: Subject = packedSubject(tarball);
  const dist = new URL("../", subject.entry).href;
  const dependencies = fileURLToPath(new URL("../node_modules", import.meta.url));
  const link = join(fileURLToPath(dist), "..", "node_modules");
  // The checkout's own dependencies: the same versions as its lockfile names, without a second installation.
  if (!existsSync(link)) symlinkSync(dependencies, link, "junction");
  return { dist, dispose: subject.dispose };
}

/** The front door of the installed package. */
export async function importLatchkey(dist: string): Promise<Latchkey> {
  return (await import(new URL("index.js", dist).href)) as Latchkey;
}

export type Latchkey = typeof import("../src/index.ts");
