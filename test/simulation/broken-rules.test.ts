/** The checker can fail: an engine with one thing taken out of it is found out. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { BROKEN_RULES, type BrokenRule } from "./broken-rules.ts";
import type { Violation } from "./checker.ts";
import { createServer } from "./server.ts";
import { SETTINGS } from "./settings.ts";
import { simulate } from "./simulate.ts";
import { prepareBackups } from "./stored-rows.ts";

/** Which promise is seen broken. */
const EXPECTED: Readonly<Record<keyof typeof BROKEN_RULES, Violation["invariant"]>> = {
  "there is no grace": "honest",
  "an old token works for as long as it is the last": "fork",
  "only the last attempt id is remembered": "honest",
  "attempt ids are not compared": "fork",
  "a straggler is given the newest token": "child",
  "a rotation does not look at the generation": "fork",
  "a rotation does not look at the end": "end",
  "a rotation does not look at the user's epoch": "end",
  "a change of password does not carry its own session": "honest",
  "reuse is refused and nothing is ended": "end",
  "an end is written over whatever it finds": "end",
  "the index is not told of ends": "end",
};

describe("the simulation notices when", () => {
  for (const [name, broken] of Object.entries(BROKEN_RULES) as [keyof typeof BROKEN_RULES, BrokenRule][]) {
    test(name, async () => {
      const storage = openSqlite(":memory:");
      await prepareBackups(storage);
      const server = createServer({ storage, broken });
      try {
        const { counterexample } = await simulate({
          setting: SETTINGS["shared-ids"],
          server,
          storage,
          histories: 3000,
          seed: 1,
          isUnshrunk: true,
        });
        const broken = counterexample?.violations.map(({ invariant }) => invariant);
        assert.ok(broken?.includes(EXPECTED[name]), `broken: ${broken ?? "nothing"}`);
      } finally {
        await server.close();
      }
    });
  }
});
