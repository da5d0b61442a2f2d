/**
 * Builds dist/ from src/ when something has changed since it was last built: types by tsc, JavaScript by esbuild.
 * `npm start` runs what is published: stripping types at every start would cost 40 MB and half a second. The modules of
 * an entry are put together, because reading fifty small files costs an importer five times what reading two does; what
 * entries share is shared, so that there is one AuthError.
 */
import { spawnSync } from "node:child_process";
import { globSync, rmSync, statSync, writeFileSync } from "node:fs";

const STAMP = "dist/.built";
const sources = [...globSync("src/**/*.ts"), "tsconfig.json", "tsconfig.build.json", "package.json", "tools/build.js"];

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
  const { build } = await import("esbuild");
  await build({
    entryPoints: ["src/index.ts", "src/jwt/index.ts", "src/client/node/index.ts", "src/cli/main.ts"],
    outbase: "src",
    outdir: "dist",
    bundle: true,
    splitting: true,
    chunkNames: "shared/[name]-[hash]",
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node24",
    logLevel: "warning",
  });
  await build({
    // The client is for browsers: nothing of it is shared with the rest.
    entryPoints: ["src/client/index.ts", "src/react/index.ts"],
    outbase: "src",
    outdir: "dist",
    bundle: true,
    packages: "external",
    platform: "browser",
    format: "esm",
    target: "es2022",
    logLevel: "warning",
  });
  writeFileSync(STAMP, "");
}
