/** The console as `latchkey serve` serves it, for tests in a real browser and for the screenshots of the documents. */
import { rmSync } from "node:fs";
import type { Browser, BrowserContext, Page, Response } from "playwright-core";
import type { Auth } from "../../src/auth.ts";
import { readConfig } from "../../src/server/config.ts";
import { chooseStore, createEngine } from "../../src/server/engine.ts";
import { createTextLogger } from "../../src/server/logger.ts";
import { type RunningServer, startServer } from "../../src/server/server.ts";
import { insertUser } from "../../src/storage/queries.ts";
import { temporaryFolder } from "../support/child-server.ts";
import { documentedByFile } from "../support/documented.ts";
import { launchChromium } from "./chromium.ts";

export const PASSWORD = "correct horse battery staple";

export interface ConsoleServer {
  readonly url: string;
  /** Another instance on the same store: what else happens there. */
  readonly auth: Auth;
  /** Puts users there whom nobody signs in as: it costs no hash. */
  addUsers(usernames: readonly string[]): Promise<void>;
  /** All that the server has printed. */
  readonly lines: readonly string[];
  /** The port goes silent; `start` brings it back. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startConsole(env: Readonly<Record<string, string>> = {}): Promise<ConsoleServer> {
  const folder = temporaryFolder();
  const settings = { LATCHKEY_DATA_DIR: folder, ...env };
  const lines: string[] = [];
  const logger = createTextLogger((line) => lines.push(line));
  let running: RunningServer | undefined = await startServer(readConfig({ PORT: "0", ...settings }), logger);
  const { url } = running;
  const config = readConfig({ PORT: new URL(url).port, ...settings });
  const store = await chooseStore(config);
  const auth = await createEngine(config, store);
  return {
    url,
    auth,
    async addUsers(usernames) {
      const rows = usernames.map((name) =>
        insertUser({
          ...{ username: name, usernameKey: name.toLowerCase(), email: `${name}@example.com`, password: "!", now: 1 },
          ...{ emailKey: `${name.toLowerCase()}@example.com`, firstName: "<i>", lastName: "" },
        }),
      );
      await store.storage.write(rows);
    },
    lines,
    async stop() {
      await running?.close();
      running = undefined;
    },
    async start() {
      running ??= await startServer(config, logger);
    },
    async close() {
      await running?.close();
      await auth.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One window with a session of its own, and all that went wrong in it. */
export interface Tab {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Errors of scripts, violations of the policy, requests to elsewhere. */
  readonly faults: string[];
}

export interface TabOptions {
  readonly colorScheme?: "light" | "dark";
  readonly width?: number;
  readonly height?: number;
  readonly userAgent?: string;
}

/** What the page is answered by the API is held to the document as well. */
async function hold(response: Response, url: string): Promise<void> {
  const path = response.url().slice(url.length);
  if (!path.startsWith("/v1/")) return;
  const method = response.request().method();
  // An answer that a test has made up came from no address.
  if ((await response.serverAddr().catch(() => null)) === null) return;
  const headers = await response.headersArray().catch(() => undefined);
  // Nothing is left of it once the window is closed or the page has gone elsewhere.
  const text = response.status() === 204 ? "" : await response.text().catch(() => undefined);
  if (headers === undefined || text === undefined) return;
  const named = headers.map(({ name, value }) => [name, value] as const);
  documentedByFile().check({ method, path, status: response.status(), headers: named, text });
}

export async function openTab(browser: Browser, url: string, options: TabOptions = {}): Promise<Tab> {
  const { colorScheme = "light", width = 1200, height = 800, userAgent } = options;
  const context = await browser.newContext({
    colorScheme,
    viewport: { width, height },
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "UTC",
    ...(userAgent && { userAgent }),
  });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    if (/Content Security Policy|Trusted Type/i.test(message.text())) faults.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url)) faults.push(`a request to ${request.url()}`);
  });
  page.on("response", (response) => {
    void hold(response, url).catch((problem: Error) => faults.push(problem.message));
  });
  return { page, context, faults };
}

/** Signs in by the form, as a person does. */
export async function signIn({ page }: Tab, url: string, name: string, password = PASSWORD): Promise<void> {
  await page.goto(`${url}/`);
  await page.getByLabel("Username or email").fill(name);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Account" }).waitFor();
}

export { launchChromium };
