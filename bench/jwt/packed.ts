/**
 * What is measured is what users install: the package as npm packs it, unpacked into an empty folder *without its
 * dependencies*. That `latchkey/jwt` runs there at all is the proof that it imports nothing from npm.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export interface Subject {
  /** The module to import. */
  readonly entry: string;
  /** How it was measured, for the report. */
  readonly form: "the packed package" | "the TypeScript source";
  /** A folder from which `import "latchkey/jwt"` finds the package; undefined when the source is measured. */
  readonly folder: string | undefined;
  dispose(): void;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

export function sourceSubject(): Subject {
  const entry = new URL("../../src/jwt/index.ts", import.meta.url).href;
  return { entry, form: "the TypeScript source", folder: undefined, dispose() {} };
}

/** @param tarball a package packed earlier; absent: packs the checkout now, which builds it first. */
export function packedSubject(tarball: string | undefined): Subject {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
  const dispose = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const installed = join(folder, "node_modules", "latchkey");
    mkdirSync(installed, { recursive: true });
    execFileSync("tar", ["-xzf", tarball ? resolve(tarball) : pack(folder), "-C", installed, "--strip-components=1"]);
    const entry = pathToFileURL(join(installed, "dist", "jwt", "index.js")).href;
    return { entry, form: "the packed package", folder, dispose };
  } catch (cause) {
    dispose();
    throw cause;
  }
}

function pack(destination: string): string {
  execFileSync("npm", ["pack", "--silent", "--pack-destination", destination], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
    shell: process.platform === "win32",
  });
  const tarball = readdirSync(destination).find((name) => name.endsWith(".tgz"));
  if (!tarball) throw new Error("npm pack wrote no package");
  return join(destination, tarball);
}
