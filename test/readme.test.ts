/** What the README shows is run as it stands there. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "./support/child-server.ts";

const root = join(import.meta.dirname, "..");

test("the lines of the README that show the library do what they say", () => {
  const example = /```ts\n(import \{ createAuth[\s\S]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8"))?.[1];
  assert.ok(example);
  assert.ok(example.trim().split("\n").length <= 20);
  const folder = temporaryFolder();
  const file = join(folder, "example.ts");
  writeFileSync(file, example.replace('"latchkey"', JSON.stringify(join(root, "src/index.ts"))));
  const env = { PATH: process.env.PATH ?? "", JWT_SECRET_KEY: "Zx8Kq2Vw5Lt9Rb3Ny7Hm1Jd6Gf4Ps0QaEi" };
  const { status, stdout, stderr } = spawnSync("node", [file], { cwd: folder, encoding: "utf8", env, timeout: 60_000 });
  assert.equal(status, 0, stderr);
  assert.equal(stdout, "1 ada@example.com\n0\n");
  assert.equal(stderr, "");
  rmSync(folder, { recursive: true, force: true });
});

test("the README's commands are scripts of the package", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  assert.ok(scripts.start && scripts.test);
  assert.match(readFileSync(join(root, "README.md"), "utf8"), /^npm ci && npm start\b/m);
});
