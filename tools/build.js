/**
 * Builds dist/ from src/ when something has changed since it was last built: types by tsc, JavaScript by esbuild.
 * `npm start` runs what is published: stripping types at every start would cost 40 MB and half a second. The modules of
 * an entry are put together, because reading fifty small files costs an importer five times what reading two does; what
 * entries share is shared, so that there is one AuthError.
 */
import { spawnSync } from "node:child_process";
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const STAMP = "dist/.built";
const sources = [
  ...globSync(["src/**/*.ts", "console/**/*"]),
  "tsconfig.json",
  "tsconfig.build.json",
  "package.json",
  "tools/build.js",
];

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

/** How many of the most common passwords the console knows by itself; the server knows them all. */
const KNOWN_PASSWORDS = 2_000;

/**
 * The console: a page, and files whose names change with what is in them, so that browsers may keep them for ever.
 * @param {typeof import("esbuild").build} build
 * @returns {Promise<string[]>} the modules that went into it.
 */
async function buildConsole(build) {
  const { dictionary } = await import("@zxcvbn-ts/language-common");
  const { metafile } = await build({
    entryPoints: ["console/main.tsx", "console/style.css", "console/icon.svg"],
    outdir: "dist/console/assets",
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    bundle: true,
    splitting: true,
    minify: true,
    jsx: "automatic",
    jsxImportSource: "preact",
    // The very files that are published.
    alias: { "latchkey/client": "./dist/client/index.js" },
    loader: { ".svg": "copy" },
    define: { COMMON_PASSWORDS: JSON.stringify(dictionary["passwords-common"].slice(0, KNOWN_PASSWORDS).join("\n")) },
    platform: "browser",
    format: "esm",
    target: ["chrome123", "firefox121", "safari17.5"],
    legalComments: "none",
    logLevel: "warning",
    metafile: true,
  });
  const outputs = Object.keys(metafile.outputs).map((file) => basename(file));
  const page = readFileSync("console/index.html", "utf8").replace(/\{(\w+)\.(\w+)\}/g, (_, name, ending) => {
    const built = outputs.filter((file) => file.startsWith(`${name}-`) && file.endsWith(`.${ending}`));
    if (built.length !== 1) throw new Error(`console/index.html names ${name}.${ending}, which was not built`);
    return `/console/assets/${built[0]}`;
  });
  mkdirSync("dist/console", { recursive: true });
  writeFileSync("dist/console/index.html", page);
  return Object.keys(metafile.inputs);
}

const isFresh = changedAt(STAMP) > Math.max(...sources.map(changedAt), changedAt("src"));
if (!isFresh || process.argv.includes("--force")) {
  rmSync("dist", { recursive: true, force: true });
  const { status, error } = spawnSync("tsc", ["-p", "tsconfig.build.json"], {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  // Without npm's PATH there is no tsc.
  if (error) throw new Error("run this through npm: npm run build", { cause: error });
  if (status !== 0) process.exit(status ?? 1);
  const { build } = await import("esbuild");
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(readFileSync("package.json", "utf8"));
  const { metafile } = await build({
    entryPoints: [
      "src/index.ts",
      "src/jwt/index.ts",
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
    // What nearly everything stands on is one file: each by itself, as some use the one and some the other, would be read by itself.
    inject: [
      ...["errors", "promise", "system", "json", "known-options"].map((name) => `src/${name}.ts`),
      "src/jwt/limits.ts",
    ],
    // What is a dependency is installed beside us; the rest of what the source imports is put into dist/, with its licence. The
    // server has a hono of its own even where an application brings another.
    external: [
      ...Object.keys({ ...dependencies, ...peerDependencies }).filter((name) => name !== "hono"),
      // An error is known by its class: the one of the application whose errors these are.
      "hono/http-exception",
    ],
    mainFields: ["module", "main"], // as Node's import sees a package; its other form would hide its names
    platform: "node",
    format: "esm",
    target: "node24",
    logLevel: "warning",
    metafile: true,
  });
  await build({
    // Of no use to them is what the engine stands on, and runtimes at the edge have no node:crypto.
    entryPoints: ["src/client/node/index.ts", "src/client/server/index.ts"],
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
    // Names that only our own modules see: every byte of the client is loaded by somebody's page.
    mangleProps: /^(held|expiresAt|inTurn|isAlone|isCookie|resume|revoke|tell|tokens)$/,
    platform: "browser",
    format: "esm",
    target: "es2022",
    logLevel: "warning",
  });
  writeLicences([...Object.keys(metafile.inputs), ...(await buildConsole(build))]);
  writeFileSync(STAMP, "");
}
