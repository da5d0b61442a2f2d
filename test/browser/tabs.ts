/** Twenty real tabs of one browser, each with a client of its own, and what a test asks of them. */
import { readFileSync } from "node:fs";
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Client, ClientOptions } from "../../src/client/index.ts";
import { ROOT } from "../support/child-server.ts";
import { PASSWORD } from "../support/engine.ts";

export const TAB_COUNT = 20;

export interface Tabs {
  readonly context: BrowserContext;
  readonly pages: readonly Page[];
  /** Signs in in the first tab and waits until all know. */
  signIn(): Promise<void>;
  /** `client.fetch("/orders")` in every tab at once, so many times: the statuses, or codes of what was thrown. */
  fetchAll(times?: number): Promise<(number | string)[]>;
  /** Waits until every tab is in that state. */
  allAre(status: "signed-in" | "signed-out"): Promise<void>;
  statuses(): Promise<string[]>;
  /** The device's clock, in every tab. */
  setClock(offset: number): Promise<void>;
}

declare global {
  var client: Client;
  var clockOffset: number;
}

const HTML = `<!doctype html><meta charset="utf-8"><title>Tab</title>
<script type="module">
  import { createClient } from "/client.js";
  window.client = createClient({ baseUrl: location.origin, ...JSON.parse(decodeURIComponent(location.search.slice(1))) });
</script>`;

/** What a tab loads: the client as it is published. */
export function page(request: Request): Response | undefined {
  const { pathname } = new URL(request.url);
  if (pathname === "/tab") return new Response(HTML, { headers: { "content-type": "text/html" } });
  if (pathname === "/favicon.ico") return new Response(null, { status: 204 });
  if (pathname !== "/client.js") return undefined;
  return new Response(readFileSync(`${ROOT}dist/client/index.js`), { headers: { "content-type": "text/javascript" } });
}

export async function openTabs(
  browser: Browser,
  url: string,
  options: Partial<ClientOptions>,
  count = TAB_COUNT,
): Promise<Tabs> {
  const context = await browser.newContext();
  // The clock of the device: what Date says. performance.now() is another clock, which nobody sets.
  await context.addInitScript(() => {
    const now = Date.now.bind(Date);
    globalThis.clockOffset = 0;
    Date.now = () => now() + globalThis.clockOffset;
  });
  const pages = await Promise.all(
    Array.from({ length: count }, async () => {
      const tab = await context.newPage();
      // Chromium keeps Secure cookies of this name without TLS.
      await tab.goto(`${url.replace("127.0.0.1", "localhost")}/tab?${encodeURIComponent(JSON.stringify(options))}`);
      await tab.evaluate(() => globalThis.client.ready);
      return tab;
    }),
  );

  const allAre = async (status: string) => {
    await Promise.all(
      pages.map((tab) =>
        tab.waitForFunction((status) => globalThis.client.state.status === status, status, {
          timeout: 30_000,
          polling: 20,
        }),
      ),
    );
  };

  return {
    context,
    pages,
    allAre,
    async signIn() {
      await pages[0]?.evaluate((password) => globalThis.client.login({ username: "ada", password }), PASSWORD);
      const session = await pages[0]?.evaluate(() => globalThis.client.session?.id);
      await Promise.all(
        pages.map((tab) => tab.waitForFunction((id) => globalThis.client.session?.id === id, session, { polling: 20 })),
      );
    },
    async fetchAll(times = 1) {
      const answers = await Promise.all(
        pages.map((tab) =>
          tab.evaluate(
            (times) =>
              Promise.all(
                Array.from({ length: times }, () =>
                  globalThis.client.fetch("/orders").then(
                    ({ status }) => status,
                    (error: { code?: string }) => String(error.code ?? error),
                  ),
                ),
              ),
            times,
          ),
        ),
      );
      return answers.flat();
    },
    statuses: () => Promise.all(pages.map((tab) => tab.evaluate(() => globalThis.client.state.status))),
    async setClock(offset) {
      await Promise.all(
        pages.map((tab) =>
          tab.evaluate((offset) => {
            globalThis.clockOffset = offset;
          }, offset),
        ),
      );
    },
  };
}
