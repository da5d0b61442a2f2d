/** Hydration in a real browser: what a user sees between the server's HTML and the client's knowledge. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { createElement } from "react";
import { renderToString } from "react-dom/server";
import { createClient, type User } from "../../src/client/index.ts";
import { AuthProvider, useAuth } from "../../src/react/index.ts";
import { PASSWORD, startServer, type TestServer } from "../client/support.ts";
import { launchChromium, skip } from "./chromium.ts";

/** The same component in the browser: what it says is noted whenever it changes. */
const SCRIPT = `
  import { createElement } from "react";
  import { hydrateRoot } from "react-dom/client";
  import { createClient } from "./src/client/index.ts";
  import { AuthProvider, useAuth } from "./src/react/index.ts";
  const Who = () => { const { status, user } = useAuth(); return createElement("p", null, status + " " + (user?.username ?? "-")); };
  const root = document.getElementById("root");
  window.seen = [root.textContent];
  window.complaints = [];
  new MutationObserver(() => seen.push(root.textContent)).observe(root, { subtree: true, childList: true, characterData: true });
  window.client = createClient({ baseUrl: location.origin, transport: "bearer", storage: "indexedDB", initialUser: window.initialUser });
  hydrateRoot(root, createElement(AuthProvider, { client }, createElement(Who)), { onRecoverableError: (e) => complaints.push(String(e)) });
`;

declare global {
  var seen: string[];
  var complaints: string[];
}

const Who = () => {
  const { status, user } = useAuth();
  return createElement("p", null, `${status} ${user?.username ?? "-"}`);
};

let server: TestServer;
let browser: Browser;
let tab: Page;
let initialUser: User | null | undefined;

before(async () => {
  if (skip) return;
  const bundled = await build({
    stdin: { contents: SCRIPT, resolveDir: process.cwd() },
    bundle: true,
    format: "esm",
    platform: "browser",
    define: { "process.env.NODE_ENV": '"development"' },
    write: false,
  });
  server = await startServer({
    page({ url }) {
      const { pathname } = new URL(url);
      const script = bundled.outputFiles[0]?.text ?? "";
      if (pathname === "/app.js") return new Response(script, { headers: { "content-type": "text/javascript" } });
      if (pathname !== "/app") return undefined;
      const client = createClient({ baseUrl: new URL(url).origin, initialUser });
      const html = renderToString(createElement(AuthProvider, { client }, createElement(Who)));
      client.close();
      return new Response(
        `<!doctype html><div id="root">${html}</div><script>initialUser = ${JSON.stringify(initialUser)}</script><script type="module" src="/app.js"></script>`,
        { headers: { "content-type": "text/html" } },
      );
    },
  });
  browser = await launchChromium();
  tab = await browser.newPage();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

/** Loads the page and returns all that was to be read on it. */
async function load(user: User | null | undefined): Promise<string[]> {
  initialUser = user;
  await tab.goto(`${server.url}/app`);
  await tab.waitForFunction(() => globalThis.client !== undefined);
  await tab.evaluate(() => globalThis.client.ready);
  await tab.waitForTimeout(100);
  assert.deepEqual(await tab.evaluate(() => globalThis.complaints), []);
  return tab.evaluate(() => globalThis.seen);
}

test("no flash of the wrong state, whatever the server knew", { skip }, async () => {
  assert.deepEqual(await load(undefined), ["loading -", "signed-out -"]);
  assert.deepEqual(await load(null), ["signed-out -"]);
  const ada = await tab.evaluate((password) => globalThis.client.login({ username: "ada", password }), PASSWORD);
  assert.deepEqual((await tab.evaluate(() => globalThis.seen)).at(-1), "signed-in ada");
  assert.deepEqual(await load(ada), ["signed-in ada"], "the server knew");
  assert.deepEqual(await load(undefined), ["loading -", "signed-in ada"], "it did not");
  await tab.evaluate(() => globalThis.client.logout());
  assert.deepEqual((await tab.evaluate(() => globalThis.seen)).at(-1), "signed-out -");
});
