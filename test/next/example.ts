/**
 * `npm run test:next`: examples/next with the package as it is published, built by the real Next.js, started, and used over HTTP and in a browser.
 * Aside from `npm test`, since it installs 400 MB. There is no lockfile beside the example: it would name a package that is packed anew each time.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import type { BrowserContext, Page } from "playwright-core";
import { launchChromium, skip } from "../browser/chromium.ts";
import { temporaryFolder } from "../support/child-server.ts";
import { ExampleClient, keepNotes, startExample } from "../support/example.ts";
import { ROOT } from "../support/root.ts";

const PATHS = { notes: "/api/notes", statistics: "/api/statistics" };
const folder = temporaryFolder();
const application = join(folder, "next");
const NEXT = join(application, "node_modules/next/dist/bin/next");

/** The Node of the tests, and nothing that an application would be configured by: what is built may know no secret. */
const { JWT_SECRET_KEY: _, NODE_ENV: __, NODE_TEST_CONTEXT: ___, ...inherited } = process.env;
const env = {
  ...inherited,
  PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
  NEXT_TELEMETRY_DISABLED: "1",
};

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env,
    encoding: "utf8",
    timeout: 300_000,
    shell: process.platform === "win32",
  });
  assert.equal(status, 0, `${command} ${args.join(" ")}:\n${stdout}\n${stderr}`);
  return stdout;
}

before(() => {
  const isSource = (path: string) => !/[\\/](?:node_modules|\.next)(?:[\\/]|$)/.test(path);
  cpSync(join(ROOT, "examples/next"), application, { recursive: true, filter: isSource });
  const packed = run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], ROOT);
  const manifestFile = join(application, "package.json");
  const manifest = JSON.parse(readFileSync(manifestFile, "utf8"));
  manifest.dependencies.latchkey = `file:${join(folder, packed.trim().split("\n").at(-1) as string)}`;
  writeFileSync(manifestFile, JSON.stringify(manifest));
  run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"], application);
  // The types too: a route handler that is not what Next expects of one fails here.
  const built = run(process.execPath, [NEXT, "build"], application);
  assert.match(built, /\/api\/notes\/\[text\]/);
  assert.match(built, /Proxy/);
});
after(() => rmSync(folder, { recursive: true, force: true }));

function startNext(t: Parameters<typeof startExample>[0], more: Readonly<Record<string, string>> = {}) {
  const args = [NEXT, "start", "--port", "0"];
  return startExample(t, { command: process.execPath, args, cwd: application, env: { ...env, ...more } });
}

test("the routes sign in, keep notes, and let nobody but staff see the statistics", async (t) => {
  const url = await startNext(t);
  const client = new ExampleClient(url, t.signal);
  const token = await keepNotes(client, PATHS);
  assert.equal((await client.call("DELETE", "/api/notes/milk")).status, 401);
  assert.equal((await client.call("DELETE", "/api/notes/milk", { token })).status, 204);
  assert.equal((await client.call("DELETE", "/api/notes/milk", { token })).status, 404);
  assert.equal((await client.call("GET", `/api/notes?access_token=${token}`)).status, 400);
  assert.match((await client.call("GET", "/")).body, /Hello, <!-- -->stranger/);
  assert.match((await client.call("GET", "/", { token })).body, /Hello, <!-- -->ada/);

  // Who only wants to know what they would get is told the same.
  const head = await fetch(`${url}/api/notes`, { method: "HEAD", headers: { authorization: `Bearer ${token}` } });
  assert.equal(head.status, 200);
  assert.equal((await fetch(`${url}/api/notes`, { method: "HEAD" })).status, 401);
  assert.equal((await fetch(`${url}/api/notes`, { method: "PUT" })).status, 405);

  const away = await fetch(`${url}/notes?page=2`, { redirect: "manual" });
  assert.equal(away.status, 307);
  assert.equal(new URL(away.headers.get("location") ?? "", url).href, `${url}/login?next=%2Fnotes%3Fpage%3D2`);
  // The proxy looks for a credential and judges none; the page does.
  const page = await fetch(`${url}/notes`, { redirect: "manual", headers: { cookie: "__Host-latchkey_access=a.b.c" } });
  assert.equal(page.status, 307);
  assert.equal(new URL(page.headers.get("location") ?? "", url).pathname, "/login");
});

test("a cookie counts where our own pages send it, and a foreign page is refused", async (t) => {
  const url = await startNext(t);
  const token = await new ExampleClient(url, t.signal).signIn("ada");
  const headers = { cookie: `__Host-latchkey_access=${token}`, "content-type": "application/json" };
  const post = async (more: Readonly<Record<string, string>>) => {
    const init = { method: "POST", headers: { ...headers, ...more }, body: JSON.stringify({ text: "bread" }) };
    return (await fetch(`${url}/api/notes`, init)).status;
  };
  assert.equal(await post({ "sec-fetch-site": "same-origin", origin: url }), 201);
  assert.equal(await post({ "sec-fetch-site": "cross-site", origin: "https://evil.example" }), 403);
  assert.equal(await post({ origin: "https://evil.example" }), 403);
  assert.match(await (await fetch(`${url}/notes`, { headers })).text(), /bread/);
});

test("in a browser: the form, a page behind it, a session that is renewed on the way, signing out", {
  skip,
}, async (t) => {
  const url = await startNext(t, { TOKEN_TTL: "2s" });
  const browser = await launchChromium();
  t.after(() => browser.close());
  const context = await browser.newContext();
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error)));

  await page.goto(`${url}/notes`);
  assert.equal(new URL(page.url()).pathname, "/login");
  await page.getByLabel("Password").fill("not this one");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Invalid username or password").waitFor();
  await page.getByLabel("Password").fill("correct horse battery");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Notes" }).waitFor();
  assert.equal(await page.evaluate("document.cookie"), "", "no script can read a token");
  const refreshCookie = await refreshCookieOf(context);
  assert.equal(refreshCookie?.path, "/auth/v1/users/me/token");

  await hasExpired(context);
  await page.goto(`${url}/notes`);
  await page.waitForURL(`${url}/notes`);
  await page.getByRole("heading", { name: "Notes" }).waitFor();
  assert.notEqual(
    (await refreshCookieOf(context))?.value,
    refreshCookie?.value,
    "it went over /login, where it was renewed",
  );

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("Hello, stranger").waitFor();
  assert.deepEqual(await context.cookies(), []);
  await page.goto(`${url}/notes`);
  await staysAt(page, "/login");
  assert.deepEqual(faults, []);
});

const refreshCookieOf = async (context: BrowserContext) =>
  (await context.cookies()).find(({ name }) => name.startsWith("__Secure-"));

/** Waits until the browser has dropped the access cookie. */
async function hasExpired(context: BrowserContext): Promise<void> {
  const isThere = async () => (await context.cookies()).some(({ name }) => name.startsWith("__Host-"));
  while (await isThere()) await new Promise((resolve) => setTimeout(resolve, 100));
}

async function staysAt(page: Page, path: string): Promise<void> {
  await page.waitForLoadState("networkidle");
  assert.equal(new URL(page.url()).pathname, path);
}

test("next dev, as the README of the example starts it, answers the same", async (t) => {
  const args = [NEXT, "dev", "--port", "0"];
  const url = await startExample(t, { command: process.execPath, args, cwd: application, env });
  await keepNotes(new ExampleClient(url, t.signal), PATHS);
});
