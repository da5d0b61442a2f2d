/**
 * What happens to the tabs of a browser in a day, twenty or few: histories, each a test, for one transport.
 * None of them may sign the user out.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "playwright-core";
import type { ClientOptions } from "../../src/client/index.ts";
import { PASSWORD, startServer, type TestServer } from "../client/support.ts";
import { type ChildServer, startChildServer } from "../support/child-server.ts";
import { skip } from "./chromium.ts";
import { openTabs, page, TAB_COUNT, type Tabs } from "./tabs.ts";

const FEW_TABS = 6;

/** Says of every token that it lives for a second. */
const shortLived =
  (handle: TestServer["handle"]): TestServer["handle"] =>
  async (request, connection) => {
    const response = await handle(request, connection);
    const text = (await response.text()).replace(/"expires_in":\d+/, '"expires_in":1');
    return new Response(text || null, response);
  };

/**
 * @param isWhole false plays those alone in which the way that credentials travel makes a difference: a few seconds instead of ten.
 */
export function testHistories(
  name: string,
  browser: () => Promise<Browser>,
  { isWhole, ...options }: Omit<ClientOptions, "baseUrl"> & { readonly isWhole: boolean },
): void {
  const tabCount = isWhole ? TAB_COUNT : FEW_TABS;
  let server: TestServer;
  let tabs: Tabs;

  before(async () => {
    if (skip) return;
    server = await startServer({ page });
    tabs = await openTabs(await browser(), server.url, options, tabCount);
  });
  after(async () => {
    await tabs?.context.close();
    await server?.close();
  });
  afterEach(() => {
    if (skip) return;
    server.intercept = undefined;
    server.onAnswer = undefined;
  });

  /** A history begins with a user who has just signed in, and ends with one who still is. */
  function history(title: string, run: () => Promise<void>, isSpecial = false): void {
    if (!isWhole && !isSpecial) return;
    test(`${name}: ${title}`, { skip }, async () => {
      await tabs.signIn();
      server.requests.length = 0;
      await run();
      assert.deepEqual(new Set(await tabs.statuses()), new Set(["signed-in"]), "nobody is signed out");
    });
  }

  const all = (status: number, count = tabCount) => Array.from({ length: count }, () => status);
  const isRefresh = (url: string | undefined) => url?.endsWith("/refresh") === true;

  history("tokens expire in all tabs at once, and one is asked for, or two; no tab needs a 401 to know", async () => {
    server.engine.system.advance("16m");
    server.handle = shortLived(server.engine.handle);
    assert.deepEqual(await tabs.fetchAll(), all(200));
    server.handle = server.engine.handle;
    server.engine.system.advance("16m");
    // Until all have been told of the token, and it has died.
    await Promise.all(
      tabs.pages.map((tab) =>
        tab.waitForFunction(() => (globalThis.client.session?.expiresIn ?? 1) < 0, undefined, { polling: 20 }),
      ),
    );
    server.requests.length = 0;
    assert.deepEqual(await tabs.fetchAll(), all(200));
    assert.ok(server.refreshCount() <= 2, `${server.refreshCount()} refreshes`);
    assert.equal(server.requests.length - server.refreshCount(), tabCount);
  });

  history(
    "a storm of 401s makes one refresh, or two",
    async () => {
      server.engine.system.advance("16m");
      assert.deepEqual(await tabs.fetchAll(5), all(200, tabCount * 5));
      assert.ok(server.refreshCount() <= 2, `${server.refreshCount()} refreshes`);
    },
    true,
  );

  history(
    "the lid closes on all tabs, one of them in the middle of a refresh, and opens a day later",
    async () => {
      server.engine.system.advance("16m");
      let isHeld = true;
      const onItsWay = new Promise<void>((resolve) => {
        server.onAnswer = async ({ url }) => {
          if (!isRefresh(url) || !isHeld) return undefined;
          isHeld = false;
          resolve();
          await sleep(300);
          return "cut";
        };
      });
      const first = tabs.pages[0]?.evaluate(() => globalThis.client.fetch("/orders").then(({ status }) => status));
      await onItsWay;
      const devices = await Promise.all(tabs.pages.map((tab) => tabs.context.newCDPSession(tab)));
      const setAll = (state: "frozen" | "active") =>
        Promise.all(devices.map((device) => device.send("Page.setWebLifecycleState", { state })));
      await setAll("frozen");
      server.engine.system.advance("24h");
      await sleep(500);
      await setAll("active");
      assert.deepEqual(await tabs.fetchAll(), all(200));
      assert.equal(await first, 200);
      await Promise.all(devices.map((device) => device.detach()));
    },
    true,
  );

  history("the network goes, requests fail, and it comes back", async () => {
    server.engine.system.advance("16m");
    await tabs.context.setOffline(true);
    const asked = tabs.fetchAll();
    await sleep(700);
    assert.equal(server.requests.length, 0);
    await tabs.context.setOffline(false);
    for (const answer of await asked)
      assert.ok(answer === 200 || String(answer).includes("Failed to fetch"), `${answer}`);
    assert.deepEqual(await tabs.fetchAll(), all(200));
  });

  history("answers to a refresh are cut off after the commit, twice", async () => {
    server.engine.system.advance("16m");
    let cut = 2;
    server.onAnswer = ({ url }) => (isRefresh(url) && cut-- > 0 ? "cut" : undefined);
    assert.deepEqual(await tabs.fetchAll(), all(200));
    assert.ok(cut <= 0);
  });

  history(
    "an answer is lost, and asked for again an hour later",
    async () => {
      server.engine.system.advance("16m");
      server.onAnswer = ({ url }) => (isRefresh(url) ? "cut" : undefined);
      const asked = tabs.fetchAll();
      await sleep(400);
      server.engine.system.advance("1h");
      server.onAnswer = undefined;
      assert.deepEqual(await asked, all(200));
    },
    true,
  );

  history("the server answers 503, 429 and with a proxy's HTML for a while", async () => {
    server.engine.system.advance("16m");
    const wrong = [503, 429, 502, 403];
    server.intercept = ({ url }, response) => {
      const status = isRefresh(url) ? wrong.pop() : undefined;
      if (status === undefined) return false;
      response.writeHead(status, { "content-type": "text/html" }).end("<html>Not now</html>");
      return true;
    };
    assert.deepEqual(await tabs.fetchAll(), all(200));
  });

  for (const [direction, offset] of [
    ["a day ahead", 86_400_000],
    ["a day behind", -86_400_000],
  ] as const) {
    history(`the clock of the device jumps ${direction}`, async () => {
      await tabs.setClock(offset);
      assert.deepEqual(await tabs.fetchAll(), all(200));
      assert.equal(server.refreshCount(), 0, "a clock is no reason to refresh");
      server.engine.system.advance("16m");
      assert.deepEqual(await tabs.fetchAll(), all(200));
      assert.ok(server.refreshCount() <= 2);
      await tabs.setClock(0);
    });
  }

  test(`${name}: signing out in one tab while another refreshes signs out all, and the session is over`, {
    skip,
  }, async () => {
    await tabs.signIn();
    const id = await tabs.pages[0]?.evaluate(() => globalThis.client.session?.id);
    server.engine.system.advance("16m");
    server.onAnswer = async ({ url }) => {
      if (isRefresh(url)) await sleep(200);
      return undefined;
    };
    const asked = tabs.fetchAll();
    await sleep(100);
    await tabs.pages.at(-1)?.evaluate(() => globalThis.client.logout());
    await asked;
    await tabs.allAre("signed-out");
    const live = await server.engine.auth.sessions.list(1);
    assert.equal(
      live.some((session) => session.id === id),
      false,
    );
    await sleep(300);
    assert.deepEqual(new Set(await tabs.statuses()), new Set(["signed-out"]), "no late answer signs anybody in");
    assert.deepEqual(new Set(await tabs.fetchAll()), new Set([401]));
  });

  if (!isWhole) return;

  test(`${name}: the server is killed in the middle of a refresh and started again`, { skip }, async () => {
    let child: ChildServer = await startChildServer({ isDirect: true, env: { LATCHKEY_LIMITS: "off" } });
    const { dataDir } = child;
    const own = server.handle;
    // Twenty tabs talk to the child process through the origin that they were loaded from.
    server.handle = async (request) => {
      const { pathname } = new URL(request.url);
      const headers = new Headers(request.headers);
      headers.delete("host");
      try {
        return await fetch(child.url + pathname, {
          method: request.method,
          headers,
          ...(request.method === "POST" && { body: await request.arrayBuffer() }),
        });
      } catch {
        return new Response("<html>Bad gateway</html>", { status: 502 });
      }
    };
    try {
      const email = "ada@example.com";
      await tabs.pages[0]?.evaluate((body) => globalThis.client.register(body), {
        username: "ada",
        email,
        password: PASSWORD,
      });
      await tabs.signIn();
      server.requests.length = 0;
      // What tabs hold now is refused.
      let old: string | undefined;
      server.intercept = async (request, response) => {
        if (isRefresh(request.url) && server.refreshCount() === 1) {
          setTimeout(() => child.process.kill("SIGKILL"), 0);
          return false;
        }
        if (request.url !== "/orders") return false;
        const credential = request.headers.authorization ?? request.headers.cookie;
        old ??= credential;
        response.writeHead(credential === old ? 401 : 200).end();
        return true;
      };
      server.onAnswer = undefined;
      const asked = tabs.fetchAll();
      await new Promise((resolve) => child.process.once("close", resolve));
      child = await startChildServer({ isDirect: true, dataDir, env: { LATCHKEY_LIMITS: "off" } });
      // Who has waited for long enough was told so; what follows is as if nothing had been.
      for (const answer of await asked) assert.ok(answer === 200 || answer === "unexpected_answer", `${answer}`);
      assert.deepEqual(await tabs.fetchAll(), all(200));
      assert.deepEqual(new Set(await tabs.statuses()), new Set(["signed-in"]), "nobody is signed out");
    } finally {
      server.handle = own;
      await child.stop("SIGKILL");
    }
  });
}
