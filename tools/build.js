/**
 * Builds dist/ from src/ when something has changed since it was last built: types by tsc, JavaScript by esbuild.
 * `npm start` runs what is published: stripping types at every start would cost 40 MB and half a second. The modules of
 * an entry are put together, because reading fifty small files costs an importer five times what reading two does; what
 * entries share is shared, so that there is one AuthError.
 */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const STAMP = "dist/.built";
const sources = [...globSync("src/**/*.ts"), "tsconfig.json", "tsconfig.build.json", "package.json", "tools/build.js"];

/** @param {string} file */
const changedAt = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

/**
 * What is put into dist/ goes with its licence.
 * @param {readonly string[]} inputs paths of modules.
 */
function writeLicences(inputs) {
  const folders = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const [file] = globSync(join(folder, "{LICENSE,LICENCE,license}*"));
    if (file === undefined) throw new Error(`${name} has no licence to carry`);
    return `${name} ${version} (${license})\n\n${readFileSync(file, "utf8").trim()}\n`;
  });
  const rule = `\n${"-".repeat(80)}\n\n`;
  writeFileSync(
    "dist/THIRD-PARTY.txt",
    `Parts of these packages are in the files beside this one.\n${rule}${texts.join(rule)}`,
  );
}

const isFresh = changedAt(STAMP) > Math.max(...sources.map(changedAt), changedAt("src"));
if (!isFresh || process.argv.includes("--force")) {
  rmSync("dist", { recursive: true, force: true });
  const { status } = spawnSync("tsc", ["-p", "tsconfig.build.json"], {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (status !== 0) process.exit(status ?? 1);
  const { build } = await import("esbuild");
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync("package.json", "utf8"));
  const { metafile } = await build({
    entryPoints: [
      "src/index.ts",
      "src/jwt/index.ts",
      "src/client/node/index.ts",
      "src/client/server/index.ts",
      "src/cli/main.ts",
      "src/testing/index.ts",
      ...["node", "express", "fastify", "hono", "koa", "nestjs", "next", "fetch"].map(
        (name) => `src/adapters/${name}.ts`,
      ),
    ],
    outbase: "src",
    outdir: "dist",
    bundle: true,
    splitting: true,
    chunkNames: "shared/[name]-[hash]",
    // What is a dependency is installed beside us; the rest of what the source imports is put into dist/, with its licence. The
    // server has a hono of its own even where an application brings another.
    external: Object.keys({ ...dependencies, ...peerDependencies }).filter((name) => name !== "hono"),
    mainFields: ["module", "main"], // as Node's import sees a package; its other form would hide its names
    platform: "node",
    format: "esm",
    target: "node24",
    logLevel: "warning",
    metafile: true,
  });
  writeLicences(Object.keys(metafile.inputs));
  await build({
    // The client is for browsers: nothing of it is shared with the rest.
    entryPoints: ["src/client/index.ts", "src/react/index.ts"],
    outbase: "src",
    outdir: "dist",
    bundle: true,
    packages: "external",
    // Names that only our own modules see: every byte of the client is loaded by somebody's page.
    mangleProps: /^(held|expiresAt|inTurn|isAlone|isCookie|resume|revoke|tell|tokens)$/,
    platform: "browser",
    format: "esm",
    target: "es2022",
    logLevel: "warning",
  });
  writeFileSync(STAMP, "");
}
