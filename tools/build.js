/**
 * Builds dist/ from src/ when something has changed since it was last built.
 * `npm start` runs what is published, JavaScript: stripping types at every start would cost 40 MB and half a second.
 */
import { spawnSync } from "node:child_process";
import { globSync, rmSync, statSync, writeFileSync } from "node:fs";

const STAMP = "dist/.built";
const sources = [...globSync("src/**/*.ts"), "tsconfig.json", "tsconfig.build.json", "package.json"];

/** @param {string} file */
const changedAt = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

const isFresh = changedAt(STAMP) > Math.max(...sources.map(changedAt), changedAt("src"));
if (!isFresh || process.argv.includes("--force")) {
  rmSync("dist", { recursive: true, force: true });
  const { status } = spawnSync("tsc", ["-p", "tsconfig.build.json"], {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exit(status ?? 1);
  writeFileSync(STAMP, "");
}
