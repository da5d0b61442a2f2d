/** Where sessions are kept, and what becomes of a user whose storage fails. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { createClient } from "../../src/client/index.ts";
import { fileStorage } from "../../src/client/node/index.ts";
import { webStorage } from "../../src/client/storage.ts";
import { temporaryFolder } from "../support/child-server.ts";
import { sharedStorage, signIn, startServer, type TestServer } from "./support.ts";

let server: TestServer;
const folder = temporaryFolder();
before(async () => {
  server = await startServer();
});
after(async () => {
  rmSync(folder, { recursive: true });
  await server.close();
});
beforeEach(() => {
  server.requests.length = 0;
});

const status = async (response: Promise<Response>) => (await response).status;

test("a file that only its owner reads keeps the session between runs", async () => {
  const path = join(folder, "deep", "session.json");
  const first = server.client({ storage: fileStorage(path) });
  await signIn(first);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(statSync(join(folder, "deep")).mode & 0o777, 0o700);
  first.close();
  const second = server.client({ storage: fileStorage(path) });
  await second.ready;
  assert.equal(second.user?.username, "ada");
  assert.equal(await status(second.fetch("/orders")), 200);
  await second.logout();
  assert.equal(readFileSync(path, "utf8"), "{}");
  assert.equal(existsSync(`${path}.lock`), false);
});

test("clients on one file meet in one attempt id, and a lock that a dead process left is taken over", async () => {
  const path = join(folder, "shared.json");
  writeFileSync(`${path}.lock`, "");
  utimesSync(`${path}.lock`, 1, 1);
  const storages = [fileStorage(path), fileStorage(path), fileStorage(path)];
  let made = 0;
  const ids = await Promise.all(storages.map((storage) => storage.update("a", (old) => old ?? `id ${++made}`)));
  assert.deepEqual(ids, ["id 1", "id 1", "id 1"]);
});

test("a file that holds something else is no session and no error", async () => {
  const path = join(folder, "garbage.json");
  writeFileSync(path, "not json", { mode: 0o600 });
  const client = server.client({ storage: fileStorage(path) });
  await client.ready;
  assert.equal(client.state.status, "signed-out");
  await signIn(client);
  assert.equal(await status(client.fetch("/orders")), 200);
});

for (const [name, text] of [
  ["no JSON", "{"],
  ["null", "null"],
  ["a record of another kind", '{"token":"x"}'],
] as const) {
  test(`${name} in storage counts as nobody`, async () => {
    const storage = sharedStorage();
    storage.texts.set(`latchkey:${server.url}`, text);
    const client = server.client({ storage });
    await client.ready;
    assert.equal(client.state.status, "signed-out");
    assert.equal((await signIn(client)).username, "ada");
  });
}

test("a token from another deployment in storage leads to the login, not into a loop", async () => {
  const other = await startServer({ secret: "another secret of 32 bytes or more, made for this test" });
  const storage = sharedStorage();
  const there = other.client({ storage });
  await signIn(there);
  await other.close();
  const [text] = storage.texts.values();
  storage.texts.set(`latchkey:${server.url}`, text as string);
  const client = server.client({ storage });
  assert.equal(await status(client.fetch("/orders")), 401);
  assert.deepEqual(client.state, { status: "signed-out", user: undefined, reason: "refresh_token_invalid" });
  assert.equal(server.refreshCount(), 1);
});

for (const [name, fail] of [
  ["forbidden", () => Promise.reject(new DOMException("denied", "SecurityError"))],
  ["silent", () => new Promise<never>(() => {})],
  [
    "full",
    (decide: (text: string | undefined) => unknown) => {
      decide(undefined);
      return Promise.reject(new DOMException("full", "QuotaExceededError"));
    },
  ],
] as const) {
  test(`storage that is ${name} keeps nobody from signing in: this page goes on in memory`, async () => {
    const client = server.client({ storage: { update: (_, decide) => fail(decide) } });
    await signIn(client);
    server.engine.system.advance("16m");
    assert.equal(await status(client.fetch("/orders")), 200);
    assert.equal(client.session?.generation, 1);
    await client.logout();
    assert.equal(client.state.status, "signed-out");
  });
}

test("storage that fills up in the middle signs nobody out, and other tabs are told what they can't read", async () => {
  const storage = sharedStorage();
  let isFull = false;
  const filling = {
    update: (key: string, decide: (text: string | undefined) => string | undefined) =>
      storage.update(key, (old) => {
        const text = decide(old);
        if (isFull && text !== old) throw new DOMException("full", "QuotaExceededError");
        return text;
      }),
  };
  const [one, two] = [server.client({ storage: filling }), server.client({ storage: filling })];
  await signIn(one);
  await two.ready;
  isFull = true;
  for (const generation of [1, 2, 3, 4]) {
    server.engine.system.advance("1h");
    assert.equal(await status(one.fetch("/orders")), 200);
    assert.equal(one.session?.generation, generation);
  }
  assert.equal(await status(two.fetch("/orders")), 200);
});

test("localStorage: what is there after writing counts", async (t) => {
  const localStorage = new Proxy<Record<string, string>>(
    {},
    {
      // Another tab writes at the same time, and last.
      set: (texts, key) => Reflect.set(texts, key, "theirs"),
    },
  );
  const before = Object.getOwnPropertyDescriptor(globalThis, "localStorage");
  Object.defineProperty(globalThis, "localStorage", { value: localStorage, configurable: true });
  t.after(() => Object.defineProperty(globalThis, "localStorage", before ?? { value: undefined, configurable: true }));
  assert.equal(await webStorage().update("k", () => "mine"), "theirs");
  assert.equal(await webStorage().update("k", () => undefined), undefined);
  assert.deepEqual(Object.keys(localStorage), []);
});

test("a wrong option is refused with what would be right", () => {
  const message = "transport must be bearer or cookie, and storage memory, indexedDB or localStorage";
  const wrong = [{ storage: "cookie" }, { transport: "cookies" }, { transport: null }];
  for (const options of wrong) {
    assert.throws(() => createClient({ baseUrl: server.url, ...(options as object) }), { name: "TypeError", message });
  }
});
