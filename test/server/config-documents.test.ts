import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { toEnvExample, toMarkdown } from "../../src/server/config.ts";

const root = join(import.meta.dirname, "../..");

test(".env.example and docs/configuration.md say what the table of settings says", () => {
  assert.equal(readFileSync(join(root, ".env.example"), "utf8"), toEnvExample(), "run: npm run docs");
  assert.ok(readFileSync(join(root, "docs/configuration.md"), "utf8").includes(toMarkdown()), "run: npm run docs");
});
