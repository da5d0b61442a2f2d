/** What the client costs a page. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { transform } from "esbuild";

const dist = join(import.meta.dirname, "../../dist/client/index.js");

test("the client is at most 4 KB, minified and gzipped, and imports nothing", async (t) => {
  const built = readFileSync(dist, "utf8");
  assert.doesNotMatch(built, /^import |\bimport\(|\brequire\(|node:/m);
  const { code } = await transform(built, { minify: true, format: "esm", target: "es2022" });
  const { length } = gzipSync(code, { level: 9 });
  t.diagnostic(`${length} bytes`);
  assert.ok(length <= 4096, `${length} bytes`);
  assert.ok(length > 2048, "not an empty file");
});
