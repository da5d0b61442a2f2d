/** The short form of `npm run simulate`: 2,000 histories that are the same every time. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openSqlite } from "../../src/storage/sqlite.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { describeHistory, describeRecord } from "./describe.ts";
import { createServer, type Server } from "./server.ts";
import { SETTINGS, type Setting, type SettingName } from "./settings.ts";
import { type SimulationOptions, simulate } from "./simulate.ts";
import { prepareBackups } from "./stored-rows.ts";

const SEED = 20_260_101;
const HISTORIES = 500;

describe("the refresh rule in generated histories", () => {
  let storage: Storage;
  let server: Server;
  before(async () => {
    storage = openSqlite(":memory:");
    await prepareBackups(storage);
    server = createServer({ storage });
  });
  after(() => server.close());

  const run = (setting: Setting, options: Partial<SimulationOptions> = {}) =>
    simulate({ setting, server, storage, histories: HISTORIES, seed: SEED, ...options });

  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const setting: Setting = SETTINGS[name];
    if (!setting.isSound) continue;
    test(`${setting.title}: no honest session is lost, and no thief stays (checklist 42, 44, 49, 50, 101)`, async () => {
      const { counts, counterexample } = await run(setting);
      if (counterexample) {
        const { history, recording, violations } = counterexample;
        assert.fail(`${describeHistory(history)}\n\n${describeRecord(recording, violations)}`);
      }
      assert.equal(counts.histories, HISTORIES);
      assert.ok(counts.honest > HISTORIES / 2, `${counts.honest} honest sessions`);
      assert.equal(counts.lost, 0);
      assert.ok(counts.thieves.caught > HISTORIES / 20, `${counts.thieves.caught} thieves caught`);
      assert.equal(counts.thieves["at large"], 0);
    });
  }

  test("attempt ids that tabs do not share sign honest users out, and the history that shows it is short", async () => {
    const { counts } = await run(SETTINGS["per-tab-ids"], { histories: 200, onlyCounts: true });
    assert.ok(counts.lost > 0);
    const { counterexample } = await run(SETTINGS["per-tab-ids"]);
    assert.equal(counterexample?.violations[0]?.invariant, "honest");
    assert.ok(counterexample.history.events.length <= 3, describeHistory(counterexample.history));
  });

  test("the same seed makes the same history of the world", async () => {
    const [first, second] = [
      await run(SETTINGS["delay-40"], { histories: 50 }),
      await run(SETTINGS["delay-40"], { histories: 50 }),
    ];
    assert.deepEqual(first.counts, second.counts);
  });
});
