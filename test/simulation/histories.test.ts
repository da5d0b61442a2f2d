/** Single histories that the simulation has taught us, written out. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openSqlite } from "../../src/storage/sqlite.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { check } from "./checker.ts";
import { type DeviceSpec, type HistoryEvent, type Link, PERFECT } from "./history.ts";
import { runHistory } from "./run-history.ts";
import { createServer, type Server } from "./server.ts";
import { prepareBackups } from "./stored-rows.ts";

const HOUR = 60 * 60;
const BROWSER: DeviceSpec = { tabCount: 1, attemptIds: "shared", endsSuperseded: true };
const CRASH: Link = { ...PERFECT, crashes: true };

const use = (after: number, ...links: Link[]): HistoryEvent => ({ after, do: "use", device: 0, tab: 0, links });
const steal = (after: number): HistoryEvent => ({ after, do: "steal", thief: 0, attempt: "own", link: PERFECT });

describe("a history in which", () => {
  let storage: Storage;
  let server: Server;
  before(async () => {
    storage = openSqlite(":memory:");
    await prepareBackups(storage);
    server = createServer({ storage });
  });
  after(() => server.close());

  async function violationsIn(events: readonly HistoryEvent[], device: DeviceSpec = BROWSER) {
    const history = { devices: [device], events };
    return check(history, await runHistory(history, server, storage));
  }

  // The thief gets inside the grace of an answer that the owner's tab crashed over, and goes ahead while that tab is away.
  const overtaken: readonly HistoryEvent[] = [
    { after: 1, do: "copy", thief: 0, device: 0 },
    use(HOUR, CRASH),
    steal(5),
    steal(HOUR),
  ];

  test("a thief has overtaken an owner whose answers were lost: 'superseded' over the token in storage ends the session", async () => {
    assert.deepEqual(await violationsIn(overtaken), []);
  });

  test("the client does not end what it is told is superseded: the thief keeps the session", async () => {
    const violations = await violationsIn(overtaken, { ...BROWSER, endsSuperseded: false });
    assert.deepEqual(
      violations.map(({ invariant }) => invariant),
      ["fork"],
    );
  });

  const mishaps: Readonly<Record<string, readonly HistoryEvent[]>> = {
    "the clock has jumped ahead and back": [
      use(60),
      { after: 60, do: "log-out", device: 0, link: PERFECT },
      { after: 60, do: "jump", seconds: HOUR, mendedAfter: 30 },
    ],
    "a backup was restored": [
      { after: 10, do: "back-up" },
      use(600),
      { after: 1, do: "restore" },
      { after: 301, do: "log-out", device: 0, link: PERFECT },
      { after: 400, do: "log-out", device: 0, link: PERFECT },
    ],
  };
  for (const [mishap, events] of Object.entries(mishaps)) {
    test(`${mishap}: no access token of an ended session is let in (checklist 49, 101)`, async () => {
      assert.deepEqual(await violationsIn(events), []);
    });
  }
});
