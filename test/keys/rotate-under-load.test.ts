import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { temporaryFolder } from "../support/child-server.ts";
import { rotateUnderLoad } from "./rotate-under-load.ts";

test("keys that rotate three times a second, without a lead, cost no honest client a refusal (checklist 32)", async () => {
  const folder = temporaryFolder();
  const outcome = await rotateUnderLoad({
    open: () => openSqlite(join(folder, "auth.db")),
    instances: 3,
    clients: 6,
    milliseconds: 3000,
    rotateEvery: 300,
  });
  rmSync(folder, { recursive: true });
  assert.deepEqual(outcome.refusals, []);
  assert.ok(outcome.rotations >= 3 && outcome.refreshed >= 10 && outcome.verified >= 50, JSON.stringify(outcome));
});
