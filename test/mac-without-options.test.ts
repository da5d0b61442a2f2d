/** The MAC on a runtime whose `crypto.hash` takes the encoding of its output and no options, as Bun's. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const WITHOUT_OPTIONS = `
  import crypto from "node:crypto";
  import { syncBuiltinESMExports } from "node:module";
  const { hash } = crypto;
  crypto.hash = (name, data, encoding) => {
    if (typeof encoding === "object") throw new TypeError("no options");
    return hash(name, data, encoding);
  };
  syncBuiltinESMExports();`;

test("every test of the MAC passes where crypto.hash takes no options", () => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout } = spawnSync(
    process.execPath,
    [
      "--import",
      `data:text/javascript,${encodeURIComponent(WITHOUT_OPTIONS)}`,
      join(import.meta.dirname, "mac.test.ts"),
    ],
    { env, encoding: "utf8" },
  );
  assert.equal(status, 0, stdout);
  assert.match(stdout, /pass [5-9]/);
});
