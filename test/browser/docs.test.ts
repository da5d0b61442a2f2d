/** The page of the document in a real browser: it needs nothing from elsewhere, and everybody can read it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { authRoutes } from "../../src/adapters/node.ts";
import { createEngine, type Engine } from "../support/engine.ts";
import { launchChromium, skip } from "./chromium.ts";
import { openTab } from "./console.ts";

let engine: Engine;
let server: Server;
let browser: Browser;
let url: string;

before(async () => {
  if (skip) return;
  engine = await createEngine();
  server = createServer(authRoutes(engine.auth, { documents: "docs", prefix: "/auth" }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
  await engine?.auth.close();
});

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
interface Axe {
  run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }>;
}

for (const [colorScheme, width] of [
  ["dark", 1200],
  ["light", 360],
] as const) {
  test(`axe finds nothing, nothing is wider than the window, and nothing comes from elsewhere: ${colorScheme}, ${width}`, {
    skip,
  }, async () => {
    const { context, page, faults } = await openTab(browser, url, { colorScheme, width });
    try {
      await page.goto(`${url}/auth/docs`);
      assert.equal(
        await page.evaluate("getComputedStyle(document.querySelector('nav a')).display"),
        "flex",
        "the stylesheet is there",
      );
      assert.ok(Number(await page.evaluate("document.documentElement.scrollWidth")) <= width);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: Axe }).axe.run());
      const said = violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
      assert.deepEqual(said, []);
      await page.getByRole("link", { name: "POST /v1/users/me/token", exact: true }).click();
      assert.match(page.url(), /#postV1UsersMeToken$/);
      assert.ok(await page.getByRole("heading", { name: "POST /v1/users/me/token", exact: true }).isVisible());
      assert.deepEqual(faults, []);
    } finally {
      await context.close();
    }
  });
}
