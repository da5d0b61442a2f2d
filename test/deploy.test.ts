/** What is shown for deployment says nothing that is not so. */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { VARIABLES } from "../src/server/config.ts";

const root = join(import.meta.dirname, "..");
const read = (file: string) => readFileSync(join(root, file), "utf8");
const names = new Set(VARIABLES.map(({ name }) => name));

test("every setting that the deployment files and documents name is one of ours", () => {
  const files = [
    "Dockerfile",
    "compose.yaml",
    ...globSync("deploy/*", { cwd: root }),
    ...globSync("docs/*.md", { cwd: root }),
  ];
  assert.ok(files.length > 8);
  for (const file of files) {
    for (const [name] of read(file).matchAll(/\b(?:LATCHKEY|JWT)_[A-Z][A-Z_]*[A-Z]\b/g)) {
      assert.ok(names.has(name.replace(/_FILE$/, "")), `${file} names ${name}`);
    }
  }
});

test("the container runs what is published, not as root, and asks a path that there is", () => {
  const text = read("Dockerfile");
  assert.match(text, /^USER node$/m);
  const { bin } = JSON.parse(read("package.json")) as { bin: { latchkey: string } };
  assert.ok(text.includes(`/app/node_modules/latchkey/${bin.latchkey}`));
  assert.ok(text.includes("'/livez'") && read("src/server/operations.ts").includes('path: "/livez"'));
});

test("every link between the documents leads somewhere", () => {
  for (const file of ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", ...globSync("docs/*.md", { cwd: root })]) {
    for (const [, target = ""] of read(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)) {
      assert.ok(existsSync(join(root, dirname(file), target)), `${file} links to ${target}`);
    }
  }
});
