/** Answers that come late, out of order or not at all. */
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { Client } from "../../src/client/index.ts";
import { sharedStorage, signIn, startServer, type TestServer, until } from "./support.ts";

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.close());
beforeEach(() => {
  server.intercept = undefined;
  server.onAnswer = undefined;
  server.requests.length = 0;
});

const isRefresh = (url: string | undefined) => url?.endsWith("/refresh") === true;
const status = async (response: Promise<Response>) => (await response).status;

/** Tabs that share a storage and nothing else: no lock, no messages. */
async function deafTabs(): Promise<{ one: Client; two: Client; stored(): { generation: number; attempt?: string } }> {
  const shared = sharedStorage();
  const storage = {
    update: (_: string, decide: (text: string | undefined) => string | undefined) => shared.update("k", decide),
  };
  const one = server.client({ storage });
  await signIn(one);
  const two = server.client({ storage, baseUrl: server.url.replace("127.0.0.1", "localhost") });
  await two.ready;
  return { one, two, stored: () => JSON.parse(shared.texts.get("k") as string) };
}

test("an older answer never replaces a newer one", async () => {
  const { one, two, stored } = await deafTabs();
  server.engine.system.advance("16m");
  let release: (() => void) | undefined;
  server.onAnswer = ({ url }) => {
    if (!isRefresh(url) || release) return undefined;
    return new Promise((resolve) => {
      release = () => resolve(undefined);
    });
  };
  const late = one.fetch("/orders");
  await until(() => release !== undefined);
  for (const generation of [1, 2]) {
    assert.equal(await status(two.fetch("/orders")), 200);
    assert.equal(stored().generation, generation);
    server.engine.system.advance("16m");
  }
  release?.();
  assert.equal(await status(late), 200);
  assert.equal(stored().generation, 3, "it went on from the newest, not from its own late answer");
});

test("tabs without locks or messages send one attempt id for one token", async () => {
  const { one, two } = await deafTabs();
  const attempts: string[] = [];
  const own = server.handle;
  server.handle = async (request, connection) => {
    if (isRefresh(request.url)) attempts.push(((await request.clone().json()) as { attempt: string }).attempt);
    return own(request, connection);
  };
  server.engine.system.advance("16m");
  server.onAnswer = async ({ url }) => {
    // Nobody is answered before both have asked.
    if (isRefresh(url)) await until(() => attempts.length >= 2);
    return undefined;
  };
  assert.deepEqual(await Promise.all([status(one.fetch("/orders")), status(two.fetch("/orders"))]), [200, 200]);
  assert.equal(attempts.length, 2);
  assert.equal(new Set(attempts).size, 1);
  server.engine.system.advance("16m");
  assert.equal(await status(one.fetch("/orders")), 200);
  assert.equal(new Set(attempts).size, 2, "and another for the next");
  server.handle = own;
});

test("409 refresh_superseded with a newer token in storage: the client goes on with that", async () => {
  const { one, two } = await deafTabs();
  server.engine.system.advance("16m");
  server.intercept = async (request, response) => {
    if (!isRefresh(request.url)) return false;
    server.intercept = undefined;
    await two.fetch("/orders");
    response
      .writeHead(409, { "content-type": "application/problem+json" })
      .end(JSON.stringify({ code: "refresh_superseded", status: 409 }));
    return true;
  };
  assert.equal(await status(one.fetch("/orders")), 200);
  assert.equal(one.state.status, "signed-in");
});

test("an answer that does not come is waited for ten seconds, below the server's grace, and asked for again", async (t) => {
  const client = server.client();
  await signIn(client);
  server.engine.system.advance("16m");
  const timeouts: number[] = [];
  const own = AbortSignal.timeout.bind(AbortSignal);
  t.mock.method(AbortSignal, "timeout", (duration: number) => {
    timeouts.push(duration);
    return own(Math.min(duration, 100));
  });
  let isSilent = true;
  server.intercept = ({ url }) => {
    if (!isRefresh(url) || !isSilent) return false;
    isSilent = false;
    return true;
  };
  assert.equal(await status(client.fetch("/orders")), 200);
  assert.deepEqual(new Set(timeouts), new Set([10_000]));
  assert.equal(server.refreshCount(), 2);
});

test("tabs that failed together come back at different times, and each more slowly", async () => {
  const { one, two } = await deafTabs();
  server.engine.system.advance("16m");
  const tries: number[] = [];
  server.intercept = ({ url }, response) => {
    if (!isRefresh(url)) return false;
    tries.push(performance.now());
    response.writeHead(503).end();
    return true;
  };
  const signal = AbortSignal.timeout(1_500);
  await Promise.allSettled([one.fetch("/orders", { signal }), two.fetch("/orders", { signal })]);
  one.close();
  two.close();
  assert.ok(tries.length >= 4, "each tried again");
  assert.ok(tries.length < 40, `${tries.length} tries are a storm`);
  assert.equal(one.state.status, "signed-in");
});
