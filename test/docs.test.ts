/** The documents are true: every TypeScript block compiles against the source, and docs/openapi.json is what is served. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openapiText } from "../tools/openapi-document.ts";

const root = join(import.meta.dirname, "..");
const pages = ["README.md", ...globSync("docs/**/*.md", { cwd: root })];

/** What a block takes for granted because an earlier one has made it. */
const GIVEN: Readonly<Record<string, string>> = {
  auth: 'declare const auth: import("latchkey").Auth;',
  keys: 'declare const keys: import("latchkey/jwt").KeySet;',
  verifier: 'declare const verifier: import("latchkey/jwt").Verifier;',
  token: "declare const token: string;",
};

test("every TypeScript block of the documents compiles", () => {
  // Within the repository, so that packages are found.
  const folder = mkdtempSync(join(root, "test", ".docs-"));
  try {
    let count = 0;
    for (const page of pages) {
      const blocks = [...readFileSync(join(root, page), "utf8").matchAll(/^```ts\n([\s\S]*?)^```/gm)];
      for (const [i, [, code = ""]] of blocks.entries()) {
        const given = Object.entries(GIVEN)
          .filter(
            ([name]) =>
              new RegExp(`\\b${name}\\b`).test(code) &&
              !new RegExp(`\\b(?:const|let) ${name}\\b|\\{[^}]*\\b${name}\\b[^}]*\\} =`).test(code),
          )
          .map(([, line]) => line);
        const name = `${page.replaceAll(/\W+/g, "-")}-${i + 1}.ts`;
        writeFileSync(join(folder, name), `${given.join("\n")}\n${code}\nexport {};\n`);
        count++;
      }
    }
    assert.ok(count >= 3);
    const paths = {
      latchkey: ["../../src/index.ts"],
      "latchkey/jwt": ["../../src/jwt/index.ts"],
      "latchkey/client": ["../../src/client/index.ts"],
      "latchkey/client/node": ["../../src/client/node/index.ts"],
      "latchkey/client/server": ["../../src/client/server/index.ts"],
      "latchkey/react": ["../../src/react/index.ts"],
      "latchkey/testing": ["../../src/testing/index.ts"],
      "latchkey/*": ["../../src/adapters/*.ts"],
    };
    const compilerOptions = { paths, noUnusedLocals: false, noUnusedParameters: false, experimentalDecorators: true };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"] }),
    );
    const { status, stdout } = spawnSync("tsc", ["-p", folder], { encoding: "utf8", cwd: root });
    assert.equal(status, 0, stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("docs/openapi.json is what is served, so that the wire contract never changes by accident", async () => {
  const kept = JSON.parse(readFileSync(join(root, "docs/openapi.json"), "utf8"));
  const changes = differences(kept, JSON.parse(await openapiText()));
  const told =
    "What clients see has changed. If that is meant: npm run docs, look at the diff of docs/openapi.json, and say it in CHANGELOG.md.";
  assert.equal(changes.length, 0, `${told}\n${changes.slice(0, 20).join("\n")}`);
});

/** Where two documents differ, a line each. */
function differences(one: unknown, other: unknown, pointer = ""): string[] {
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) {
    return Object.is(one, other)
      ? []
      : [`${pointer}: ${JSON.stringify(one)?.slice(0, 80)} → ${JSON.stringify(other)?.slice(0, 80)}`];
  }
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].flatMap((name) =>
    differences((one as Record<string, unknown>)[name], (other as Record<string, unknown>)[name], `${pointer}/${name}`),
  );
}
