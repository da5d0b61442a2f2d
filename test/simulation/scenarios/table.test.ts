import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { latchkey } from "./latchkey.ts";
import { HONEST_SCENARIOS, THEFT_SCENARIOS } from "./scenarios.ts";
import { createScenarioTable } from "./table.ts";

const PAGE = join(import.meta.dirname, "../../../docs/sessions.md");

test("docs/sessions.md shows the scenarios as they are played (checklist 42, 44)", async () => {
  const table = await createScenarioTable();
  assert.ok(readFileSync(PAGE, "utf8").includes(table), `run: npm run simulate -- --table --write\n${table}`);
});

describe("under our rule", () => {
  for (const scenario of HONEST_SCENARIOS) {
    test(`${scenario.title}: nobody is signed out`, async () => {
      assert.match(await scenario.play(latchkey), /^ok/);
    });
  }
  test("thieves who keep step are caught half an hour later, and those inside the grace never", async () => {
    const times = await Promise.all(THEFT_SCENARIOS.map((scenario) => scenario.play(latchkey)));
    assert.deepEqual(times, ["0.5 h", "0.5 h", "never"]);
  });
});
