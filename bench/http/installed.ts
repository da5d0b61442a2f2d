/** The packed package in an application's node_modules, beside the frameworks that its adapters are for. */
import { mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { packedSubject } from "../jwt/packed.ts";

export interface Installed {
  /** An application could live here. */
  readonly folder: string;
  dispose(): void;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BENCH = fileURLToPath(new URL("..", import.meta.url));

/** @param tarball a package packed earlier; absent: packs the checkout now. */
export function installBesideFrameworks(tarball: string | undefined): Installed {
  const { folder, dispose } = packedSubject(tarball);
  if (folder === undefined) throw new TypeError("a packed package has a folder");
  // What the package depends on, of the versions of the checkout's lockfile; and the frameworks that the bench itself uses:
  // an adapter and its application must share one.
  linkDependencies(ROOT, join(folder, "node_modules", "latchkey", "node_modules"));
  linkDependencies(BENCH, join(folder, "node_modules"));
  return { folder, dispose };
}

/** Imports a package's entry as a module in the folder would. */
export async function importInstalled<Module>(folder: string, name: string): Promise<Module> {
  const path = createRequire(join(folder, "application.js")).resolve(name);
  return (await import(pathToFileURL(path).href)) as Module;
}

function linkDependencies(from: string, to: string): void {
  const { dependencies } = JSON.parse(readFileSync(join(from, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(dependencies)) {
    const link = join(to, name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(from, "node_modules", name), link, "junction");
  }
}
