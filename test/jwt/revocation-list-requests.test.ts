/** What a revocation list asks its issuer, when, and what it makes of each answer. The issuer is a script. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createRevocationList, type RevocationList, type RevocationListOptions } from "../../src/jwt/index.ts";
import { fakeSystem } from "../support/fake-system.ts";

const URL_OF_FEED = "https://auth.example/v1/revocations?tenant=7";
const open: RevocationList[] = [];
after(() => {
  for (const list of open.splice(0)) list.close();
});

interface Asked {
  readonly url: URL;
  readonly headers: Headers;
  readonly at: number;
}

const ENTRY = {
  position: 1,
  session_id: "7",
  user_id: null,
  epoch: null,
  except_session_id: null,
  issued_before: null,
  reason: "ended",
  expires_at: 4_000_000_000,
};
const page = (cursor: string, entries: readonly object[] = [], more = false) => ({
  entries,
  cursor,
  reset: false,
  more,
});

/** A list whose answers come one after the other; the last is never given. */
function scripted(answers: readonly unknown[], options: Partial<RevocationListOptions> = {}) {
  const asked: Asked[] = [];
  const failures: Error[] = [];
  const system = fakeSystem();
  const fetch = async (input: unknown, init?: RequestInit): Promise<Response> => {
    asked.push({ url: new URL(String(input)), headers: new Headers(init?.headers), at: performance.now() });
    const answer = answers[asked.length - 1];
    if (answer === undefined) {
      return new Promise((_, reject) => init?.signal?.addEventListener("abort", () => reject(new Error("aborted"))));
    }
    if (answer instanceof Error || typeof answer === "string") throw answer;
    return Response.json(answer);
  };
  const list = createRevocationList(URL_OF_FEED, {
    credential: "feed token",
    fetch: fetch as typeof globalThis.fetch,
    system,
    onFailure: (cause) => failures.push(cause),
    ...options,
  });
  open.push(list);
  return { list, asked, failures, system };
}

async function until(isTrue: () => boolean, patience = 20_000): Promise<void> {
  for (const start = performance.now(); !isTrue(); await sleep(5)) assert.ok(performance.now() - start < patience);
}

const claims = (more: object = {}) => ({ sub: "1", sid: "9", epoch: 0, iat: 1000, ...more });

test("it reads on while there is more, and waits for news only once it knows everything", async () => {
  const { list, asked } = scripted([
    page("store.2", [ENTRY], true),
    page("store.3", [{ ...ENTRY, position: 3 }]),
    page("store.3"),
  ]);
  await list.ready();
  await until(() => asked.length === 4);
  const queries = asked.map(({ url }) => Object.fromEntries(url.searchParams));
  assert.deepEqual(queries, [
    { tenant: "7", wait: "0" },
    { tenant: "7", since: "store.2", wait: "0" },
    { tenant: "7", since: "store.3", wait: "10" },
    { tenant: "7", since: "store.3", wait: "10" },
  ]);
  for (const { headers } of asked) {
    assert.equal(headers.get("authorization"), "Bearer feed token");
    assert.equal(headers.get("accept"), "application/json");
  }
  assert.equal(list.state().position, 3);
});

test("a store that is another one is read from its beginning", async () => {
  const { list, asked } = scripted([page("store.5", [{ ...ENTRY, position: 5 }]), page("other.1"), page("other.1")]);
  await list.ready();
  await until(() => asked.length === 4);
  assert.equal(asked[2]?.url.searchParams.get("since"), "other.0");
  assert.equal(list.state().entryCount, 0);
});

test("after an answer at once it pauses a second, after one that took longer it does not", async () => {
  const quick = scripted([page("a.1"), page("a.1"), page("a.1")]);
  const slow = scripted([page("a.1"), page("a.1"), page("a.1")], {
    // Each look at the clock finds it two seconds on.
    system: {
      now: () => 1_000_000,
      monotonic: (() => {
        let at = 0;
        return () => (at += 2000);
      })(),
    },
  });
  await Promise.all([quick.list.ready(), slow.list.ready()]);
  await until(() => slow.asked.length === 4, 700);
  assert.equal(quick.asked.length, 2, "the first, and the one that follows it");
  await until(() => quick.asked.length === 3, 3000);
});

test("failures are told as errors, a log that fails ends nothing, and closing is no failure", async () => {
  const { list, failures, asked } = scripted(["in words", new Error("refused"), page("a.1")]);
  await assert.rejects(list.ready());
  await until(() => asked.length >= 3);
  assert.ok(failures.length >= 2 && failures.every((cause) => cause instanceof Error));
  assert.match(failures[0]?.message ?? "", /in words/);
  await until(() => list.state().isFresh);
  const before = failures.length;
  list.close();
  await sleep(30);
  assert.equal(failures.length, before);
  const count = asked.length;
  await sleep(1200);
  assert.equal(asked.length, count, "nothing is asked any more");

  const loud = scripted([new Error("refused"), page("a.1")], {
    onFailure: () => {
      throw new Error("the log is full");
    },
  });
  await assert.rejects(loud.list.ready());
  await until(() => loud.list.state().isFresh);
});

test("what is no page of a feed is refused as that", async () => {
  for (const answer of [
    [],
    {},
    page("nonsense"),
    { ...page("a.1"), entries: {} },
    { ...page("a.1"), more: "no" },
    { ...page("a.1"), cursor: 7 },
  ]) {
    const { list } = scripted([answer]);
    await assert.rejects(list.ready(), /no page of a revocation feed/, JSON.stringify(answer));
    list.close();
  }
});

test("an entry with a field that can't be read is refused, and the field is named", async () => {
  const bad: readonly [field: string, value: unknown][] = [
    ["position", "1"],
    ["position", 1.5],
    ["session_id", "seven"],
    ["session_id", 7.5],
    ["user_id", ""],
    ["epoch", "0"],
    ["except_session_id", {}],
    ["issued_before", "yesterday"],
    ["expires_at", null],
  ];
  for (const [field, value] of bad) {
    const { list } = scripted([page("a.1", [{ ...ENTRY, [field]: value }])]);
    await assert.rejects(list.ready(), new RegExp(`no ${field} that can be read`), `${field} ${JSON.stringify(value)}`);
    list.close();
  }
});

test("each kind of entry refuses what it is about, and nothing else", async () => {
  const { list } = scripted([
    page("a.4", [
      ENTRY,
      { ...ENTRY, position: 2, session_id: null, user_id: "2", epoch: 3, except_session_id: "20" },
      { ...ENTRY, position: 3, session_id: null, user_id: "3", epoch: 1, reason: "inactive" },
      { ...ENTRY, position: 4, session_id: null, issued_before: 500 },
    ]),
  ]);
  await list.ready();
  const codeOf = (more: object) => list.refusal(claims(more))?.code;
  assert.equal(codeOf({}), undefined);
  assert.equal(codeOf({ sid: "7" }), "session_ended");
  assert.equal(codeOf({ sub: "2", epoch: 2 }), "session_ended");
  assert.equal(codeOf({ sub: "2", epoch: 3 }), undefined);
  assert.equal(codeOf({ sub: "2", epoch: 2, sid: "20" }), undefined);
  assert.equal(codeOf({ sub: "3" }), "user_not_found");
});

test("claims that no session can be found by are refused, and a list that is stale says so", async () => {
  const { list, system } = scripted([page("a.1")]);
  assert.equal(list.refusal(claims())?.reason, "the revocation list is stale");
  await list.ready();
  const refusal = list.refusal(claims({ sub: "ada" }));
  assert.equal(refusal?.code, "token_invalid");
  assert.match(refusal?.reason ?? "", /sub/);
  system.advance("30s");
  assert.equal(list.refusal(claims()), undefined);
  system.advance("1s");
  assert.deepEqual(
    [list.refusal(claims())?.code, list.refusal(claims())?.reason],
    ["store_unavailable", "the revocation list is stale"],
  );
});

test("a list that is stale says why the last read failed, until one is good, and never with what credential", async () => {
  const { list, failures, system } = scripted([new Error("refused"), page("a.1")]);
  await assert.rejects(list.ready());
  await until(() => failures.length === 1);
  const refusal = list.refusal(claims());
  assert.deepEqual(
    [refusal?.code, refusal?.reason, refusal?.cause],
    ["store_unavailable", "the revocation list is stale: refused", failures[0]],
  );
  await until(() => list.state().isFresh);
  await sleep(0);
  system.advance("31s");
  assert.deepEqual(
    [list.refusal(claims())?.reason, list.refusal(claims())?.cause],
    ["the revocation list is stale", undefined],
  );

  const unsendable = scripted([new TypeError('"Bearer feed\ntoken" is an invalid header value')], {
    credential: "feed\ntoken",
  });
  await assert.rejects(unsendable.list.ready());
  await until(() => unsendable.failures.length === 1);
  const told = unsendable.list.refusal(claims());
  assert.equal(told?.reason, "the revocation list is stale: the credential can't be sent as a header");
  assert.ok(told?.cause instanceof Error);
  assert.doesNotMatch(told.cause.message, /feed/);
});

test("options are named when they are wrong", () => {
  const make = (url: string, options: object) => () => createRevocationList(url, { credential: "x", ...options });
  assert.throws(make("https://a.example", { freshFor: "soon" }), /freshFor/);
  assert.throws(make("no URL", {}), /the revocation feed/);
});
