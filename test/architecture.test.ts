/** Holds the source to the table of ARCHITECTURE.md: who may import whom, and what may come from npm. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";

const SRC = join(import.meta.dirname, "../src");
const FOUNDATION = ["promise", "errors", "system", "json", "mac", "buffer-text", "known-options"];

/** A place is a folder of src, or a file at its top; "storage/drivers" are the files of storage that only the top may see. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  promise: [],
  system: [],
  json: [],
  "buffer-text": [],
  "known-options": [],
  mac: ["buffer-text"],
  secrets: [],
  revocations: ["errors", "system"],
  jwt: [...FOUNDATION, "revocations"],
  storage: ["errors", "system"],
  metrics: ["errors", "storage", "revocations", "users"],
  limits: ["errors", "system", "storage"],
  audit: ["errors", "system", "storage"],
  users: [...FOUNDATION, "storage"],
  sessions: [...FOUNDATION, "audit", "secrets", "revocations", "storage"],
  keys: [...FOUNDATION, "secrets", "revocations", "jwt", "storage"],
  "dialect-tokens": [...FOUNDATION, "secrets", "revocations", "users", "sessions", "jwt"],
  watch: ["promise", "errors", "system", "auth-interface"],
  staff: [...FOUNDATION, "audit", "revocations", "storage", "users", "sessions"],
  "auth-interface": [
    "audit",
    "limits",
    "watch",
    "metrics",
    "staff",
    ...FOUNDATION,
    "secrets",
    "revocations",
    "storage",
    "users",
    "sessions",
    "keys",
    "jwt",
    "dialect-tokens",
  ],
  "sight-registry": ["auth-interface"],
  "by-sight": ["sight-registry", "system", "auth-interface", "revocations", "keys", "jwt"],
  "access-tokens": [
    ...FOUNDATION,
    "by-sight",
    "sight-registry",
    "auth-interface",
    "metrics",
    "revocations",
    "users",
    "sessions",
    "keys",
    "jwt",
  ],
  auth: [
    "sight-registry",
    "access-tokens",
    "auth-interface",
    "audit",
    "limits",
    "watch",
    "metrics",
    "staff",
    "dialect-tokens",
    ...FOUNDATION,
    "secrets",
    "revocations",
    "storage",
    "users",
    "sessions",
    "keys",
    "jwt",
  ],
  http: [...FOUNDATION, "sight-registry", "metrics", "limits", "auth", "users", "sessions", "jwt"],
  contracts: [...FOUNDATION, "audit", "auth", "http", "users", "sessions", "revocations", "jwt"],
  handler: ["promise", "known-options", "auth", "http", "contracts", "jwt"],
  adapters: ["promise", "errors", "auth", "handler", "http"],
  testing: ["system", "jwt"],
  server: [
    ...FOUNDATION,
    "metrics",
    "secrets",
    "jwt",
    "auth",
    "contracts",
    "handler",
    "http",
    "sessions",
    "storage",
    "drivers",
  ],
  cli: ["audit", "errors", "secrets", "auth", "server", "users", "storage", "drivers"],
  client: [],
  react: ["client"],
  index: [
    "errors",
    "system",
    "jwt",
    "storage",
    "drivers",
    "auth",
    "http",
    "contracts",
    "users",
    "sessions",
    "secrets",
    "metrics",
    "handler",
  ],
};

/** Files of storage/ that are the seam; all others are drivers. */
const SEAM = ["storage/storage.ts", "storage/queries.ts", "storage/user-statements.ts", "storage/users-in-place.ts"];

const NPM_FREE = [
  "errors",
  "system",
  "json",
  "mac",
  "buffer-text",
  "known-options",
  "secrets",
  "jwt",
  "revocations",
  "sessions",
  "keys",
  "client",
];

interface Import {
  readonly from: string;
  readonly to: string;
}

function importsOf(file: string): Import[] {
  const source = readFileSync(join(SRC, file), "utf8");
  const found = source.matchAll(
    /^(?:import|export)\s[^;]*?from\s+"([^"]+)"|\bimport\("([^"]+)"\)|^import\s+"([^"]+)"/gm,
  );
  return [...found].map((match) => ({ from: file, to: (match[1] ?? match[2] ?? match[3]) as string }));
}

const files = globSync("**/*.ts", { cwd: SRC }).map((file) => file.replaceAll("\\", "/"));
const imports = files.flatMap(importsOf);

const placeOf = (file: string) => (file.includes("/") ? file.slice(0, file.indexOf("/")) : file.replace(/\.ts$/, ""));

function targetOf({ from, to }: Import): string {
  const file = relative(SRC, join(SRC, dirname(from), to)).replaceAll("\\", "/");
  const place = placeOf(file);
  return place === "storage" && placeOf(from) !== "storage" && !SEAM.includes(file) ? "drivers" : place;
}

test("every file lies in a place that the table knows", () => {
  assert.ok(files.length > 20);
  for (const file of files) assert.ok(placeOf(file) in MAY_IMPORT, `${file} is in no place of the table`);
});

test("imports point down, as ARCHITECTURE.md says", () => {
  const wrong = imports
    .filter(({ to }) => to.startsWith("."))
    .map((edge) => ({ edge, place: placeOf(edge.from), target: targetOf(edge) }))
    .filter(({ place, target }) => place !== target && !MAY_IMPORT[place]?.includes(target))
    .map(({ edge, target }) => `${edge.from} imports ${edge.to} (${target})`);
  assert.deepEqual(wrong, []);
});

test("the token core and the session rule import nothing from npm (checklist 99)", () => {
  const wrong = imports
    .filter(({ from, to }) => NPM_FREE.includes(placeOf(from)) && !to.startsWith(".") && !to.startsWith("node:"))
    .map(({ from, to }) => `${from} imports ${to}`);
  assert.deepEqual(wrong, []);
});

test("the console is a client like any other: it imports latchkey/client and Preact", () => {
  const folder = join(SRC, "../console");
  const wrong = globSync("**/*.{ts,tsx}", { cwd: folder }).flatMap((file) => {
    const source = readFileSync(join(folder, file), "utf8");
    const targets = [...source.matchAll(/\bfrom\s+"([^"]+)"|\bimport\("([^"]+)"\)/g)].map(([, a, b]) => a ?? b ?? "");
    return targets
      .filter((to) => !/^preact(?:\/hooks)?$|^latchkey\/client$/.test(to))
      .filter((to) => !to.startsWith(".") || join(folder, dirname(file), to).startsWith(folder) === false)
      .map((to) => `console/${file} imports ${to}`);
  });
  assert.deepEqual(wrong, []);
});

/** Development dependencies that the build puts into dist/. */
const BUNDLED = ["hono", "@hono/node-server", "zod", "@zxcvbn-ts/language-common"];

test("every runtime dependency is used and has its line in docs/dependencies.md", () => {
  const root = join(SRC, "..");
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
    peerDependencies: Record<string, string>;
  };
  const documented = readFileSync(join(root, "docs/dependencies.md"), "utf8");
  const known = [...Object.keys(dependencies), ...BUNDLED];
  for (const name of known) {
    assert.ok(documented.includes(`\`${name}\``), `${name} has no line in docs/dependencies.md`);
    assert.ok(
      imports.some(({ to }) => to === name || to.startsWith(`${name}/`)),
      `${name} is not imported`,
    );
  }
  const undeclared = imports.filter(
    ({ to }) =>
      !to.startsWith(".") &&
      !to.startsWith("node:") &&
      ![...known, ...Object.keys(peerDependencies)].some((n) => to === n || to.startsWith(`${n}/`)),
  );
  assert.deepEqual(undeclared, []);
});
