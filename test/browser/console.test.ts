/** The console in a real browser: what a person sees and does, with the keyboard too, and what an attacker can't. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, afterEach, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { skip } from "./chromium.ts";
import {
  type ConsoleServer,
  launchChromium,
  openTab,
  PASSWORD,
  signIn,
  startConsole,
  type Tab,
  type TabOptions,
} from "./console.ts";

let server: ConsoleServer;
let browser: Browser;
const opened: Tab[] = [];
let users = 0;

before(async () => {
  if (skip) return;
  server = await startConsole();
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await server?.close();
});
afterEach(async () => {
  for (const { context, faults } of opened.splice(0)) {
    await context.close();
    assert.deepEqual(faults, [], "no script failed, no policy was violated, nothing was asked of others");
  }
});

async function open(options?: TabOptions): Promise<Tab> {
  const tab = await openTab(browser, server.url, options);
  opened.push(tab);
  return tab;
}

/** Registers somebody new. */
async function register(more: { readonly username?: string; readonly firstName?: string } = {}) {
  const username = more.username ?? `user${++users}`;
  return server.auth.register({ username, email: `mail${++users}@example.com`, password: PASSWORD, ...more });
}

/** A window in which somebody new is signed in. */
async function openSignedIn(options?: TabOptions) {
  const [tab, user] = [await open(options), await register()];
  await signIn(tab, server.url, user.username);
  return { tab, page: tab.page, user };
}

const button = (page: Page, name: string | RegExp) =>
  page.getByRole("button", { name, exact: typeof name === "string" });
const follow = (page: Page, name: string) =>
  page.getByRole("navigation").getByRole("link", { name, exact: true }).click();

test("registering, signing out and signing in by email", { skip }, async () => {
  const { page } = await open();
  await page.goto(server.url);
  await page.getByRole("link", { name: "Create an account" }).click();
  await page.getByLabel("Username").fill("grace");
  await page.getByLabel("Email").fill("not an address");
  const password = page.getByLabel("Password", { exact: true });
  await password.fill("password1");
  assert.match(await page.locator(".hint").innerText(), /guess/);
  await button(page, "Create account").click();
  await page.getByText("Email must be an email address such as name@example.com.").waitFor();
  await page.getByText("Password is one of the most common passwords: choose another.").waitFor();
  assert.equal(await page.locator(":focus").getAttribute("name"), "email", "the first field that is wrong");
  await page.getByLabel("Email").fill("grace@example.com");
  await password.fill(PASSWORD);
  assert.match(await page.locator(".hint").innerText(), /Good|Strong/);
  await button(page, "Create account").click();
  await page.getByText("Signed in as grace").waitFor();
  await page.getByText("Here, and nowhere else.").waitFor();
  await button(page, "Sign out").click();
  await page.getByLabel("Username or email").fill("GRACE@example.com");
  await password.fill("not that one");
  await button(page, "Sign in").click();
  await page.getByText("The name or the password is not right.").waitFor();
  await password.fill(PASSWORD);
  await button(page, "Sign in").click();
  await page.getByText("Signed in as grace").waitFor();
});

test("no script can read a token of the console's, and a reload changes nothing (checklist 59)", { skip }, async () => {
  const { page, tab, user } = await openSignedIn();
  await page.reload();
  await page.getByText(`Signed in as ${user.username}`).waitFor();
  const readable = await page.evaluate(async () => {
    const { document, indexedDB, localStorage } = globalThis as unknown as Dom;
    const opening = indexedDB.open("latchkey");
    const stored = await new Promise((resolve) => {
      opening.onsuccess = () => {
        const reading = opening.result.transaction("latchkey").objectStore("latchkey").getAll();
        reading.onsuccess = () => resolve(reading.result);
      };
    });
    return JSON.stringify([document.cookie, localStorage, stored]);
  });
  assert.match(readable, new RegExp(user.email));
  assert.doesNotMatch(readable, /eyJ|lkr_/);
  const cookies = await tab.context.cookies();
  assert.equal(cookies.length, 2);
  for (const cookie of cookies) assert.ok(cookie.httpOnly && cookie.secure && /^__(?:Host|Secure)-/.test(cookie.name));
});

interface Dom {
  readonly document: { readonly cookie: string };
  readonly localStorage: object;
  // biome-ignore lint/suspicious/noExplicitAny: the DOM's types are not among ours.
  readonly indexedDB: any;
}

test("my sessions: each named by its device, one ended, all others ended", { skip }, async () => {
  const { page, user } = await openSignedIn();
  const start = (userAgent: string, ip: string) => server.auth.sessions.start(user.id, { userAgent, ip });
  const phone =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1";
  await start(phone, "203.0.113.7");
  await start("curl/8.5.0", "2001:db8::1");
  await start("<b>bold</b>", "203.0.113.8");
  await follow(page, "Sessions");
  const rows = page.getByRole("listitem").filter({ has: page.locator(".icon") });
  await rows.nth(3).waitFor();
  assert.match(await rows.nth(0).innerText(), /This session/);
  await rows.filter({ hasText: "<b>bold</b>" }).waitFor();
  await button(page, "End: session on Safari on iPhone, 203.0.113.7").click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  assert.equal(await rows.count(), 4);
  await button(page, "End: session on Safari on iPhone, 203.0.113.7").click();
  await page.getByRole("dialog").getByRole("button", { name: "End" }).click();
  await page.getByText("The session on Safari on iPhone has ended.").waitFor();
  assert.equal(await rows.count(), 3);
  await button(page, "End all others").click();
  await page.getByRole("dialog").getByRole("button", { name: "End all others" }).click();
  await page.getByText("All other sessions have ended.").waitFor();
  assert.equal(await rows.count(), 1);
  assert.equal((await server.auth.sessions.list(user.id)).length, 1);
});

test("changing the password: the current one first, then every other session ends", { skip }, async () => {
  const { page, user } = await openSignedIn();
  const { refreshToken } = await server.auth.sessions.start(user.id);
  await follow(page, "Password");
  await page.getByLabel("Current password", { exact: true }).fill("not that one");
  await page.getByLabel("New password", { exact: true }).fill("eleven purple engines");
  await button(page, "Change password").click();
  await page.getByText("That is not your current password.").waitFor();
  await page.getByLabel("Current password", { exact: true }).fill(PASSWORD);
  await button(page, "Change password").click();
  await page.getByText("Your password has been changed.").waitFor();
  assert.equal(await page.getByLabel("New password", { exact: true }).inputValue(), "");
  await assert.rejects(server.auth.refresh(refreshToken), { code: "session_ended" });
  await server.auth.login({ username: user.username, password: "eleven purple engines" });
});

test("a session that ends while a form is open: nothing typed is lost", { skip }, async () => {
  const { page, user } = await openSignedIn();
  await follow(page, "Password");
  await page.getByLabel("Current password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("New password", { exact: true }).fill("eleven purple engines");
  await server.auth.sessions.endAll(user.id);
  await button(page, "Change password").click();
  const dialog = page.getByRole("dialog", { name: "Sign in to go on" });
  await dialog.waitFor();
  assert.equal(await page.locator(":focus").getAttribute("name"), "password", "one can go on typing");
  await page.keyboard.press("Escape");
  await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
  assert.equal(await page.getByLabel("New password", { exact: true }).inputValue(), "eleven purple engines");
  await button(page, "Change password").click();
  await page.getByText("Your password has been changed.").waitFor();
});

test("the server goes and comes back: the page says so, and goes on", { skip }, async () => {
  const { page, user } = await openSignedIn();
  await server.stop();
  try {
    await follow(page, "Sessions");
    await page.getByText("The server does not answer. Trying again").waitFor();
    await page.getByText("Check your connection").waitFor();
  } finally {
    await server.start();
  }
  await page.getByText("This session").waitFor();
  await page.getByText("The server does not answer").waitFor({ state: "hidden" });
  await follow(page, "Account");
  await page.getByText(`Signed in as ${user.username}`).waitFor();
});

test("names are shown as they are, and do nothing: markup, right to left, 150 letters, emoji", { skip }, async () => {
  const tab = await open({ width: 360 });
  for (const firstName of [
    '<img src=x onerror="fail()">',
    "\u202eevil",
    "W".repeat(150),
    "👩‍👩‍👧‍👦",
    "{{7*7}} ${7*7}",
  ]) {
    const user = await register({ firstName });
    await signIn(tab, server.url, user.username);
    const shown = tab.page.locator("dd", { hasText: firstName });
    assert.equal(await shown.locator("bdi").count(), 1);
    assert.equal(await shown.locator("img").count(), 0);
    const { scrollWidth, clientWidth } = await tab.page.evaluate<Record<string, number>>(
      "(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }))(document.documentElement)",
    );
    assert.ok((scrollWidth as number) <= (clientWidth as number), "nothing sticks out");
    await button(tab.page, "Menu").click();
    await button(tab.page, "Sign out").click();
    await button(tab.page, "Sign in").waitFor();
  }
});

test("the policy holds: a script, a style and a handler that were planted do not run", { skip }, async () => {
  const { page, faults } = await openTab(browser, server.url);
  try {
    // As a proxy that adds to pages would, or a defect of ours.
    await page.route(`${server.url}/`, async (route) => {
      const answer = await route.fetch();
      const planted = `<script>globalThis.planted = 1</script><img src=x onerror="planted = 2"><p style="color: red">x</p></body>`;
      await route.fulfill({ response: answer, body: (await answer.text()).replace("</body>", planted) });
    });
    await page.goto(`${server.url}/`);
    await page.getByLabel("Username or email").waitFor();
    assert.equal(await page.evaluate("globalThis.planted"), undefined);
    assert.ok(faults.length >= 3, faults.join("\n"));
    assert.equal(await page.evaluate("fetch('http://example.com/').then(() => 1, () => 0)"), 0);
    assert.equal(
      await page.evaluate("(() => { try { document.body.innerHTML = '<p>'; return 1 } catch { return 0 } })()"),
      0,
    );
  } finally {
    await page.context().close();
  }
});

test("with the keyboard alone: to a field, through the menu, into a dialog and out of it", { skip }, async () => {
  const { page } = await open();
  const user = await register();
  await page.goto(server.url);
  await page.getByLabel("Username or email").waitFor();
  await page.keyboard.type(user.username);
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press("Enter");
  await page.getByText("Signed in as").waitFor();
  await server.auth.sessions.start(user.id, { userAgent: "curl/8.5.0" });
  await page.keyboard.press("Tab");
  const focused = () => page.evaluate("document.activeElement.textContent");
  for (let i = 0; i < 10 && (await focused()) !== "Sessions"; i++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Sessions" }).waitFor();
  await page.getByText("curl 8.5").waitFor();
  for (let i = 0; i < 20 && (await focused()) !== "End"; i++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(await focused(), "End", "the focus is back where it was");
});

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const axe = readFileSync(AXE, "utf8");

/** What axe-core has to say of a page. */
async function findings(page: Page): Promise<string[]> {
  // The page's own policy lets no script in; the browser's own tools may.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run({
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
}

interface Axe {
  run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
}

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing on any page, ${colorScheme}`, { skip }, async () => {
    const tab = await open({ colorScheme });
    const { page } = tab;
    const found: Record<string, string[]> = {};
    for (const path of ["/", "/console/register"]) {
      await page.goto(server.url + path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      found[path] = await findings(page);
    }
    const user = await register();
    await server.auth.sessions.start(user.id, { userAgent: "curl/8.5.0" });
    await signIn(tab, server.url, user.username);
    for (const name of ["Account", "Sessions", "Password"]) {
      await follow(page, name);
      await page.getByRole("heading", { level: 1, name }).waitFor();
      await page.getByText("Loading…").waitFor({ state: "detached" });
      found[name] = await findings(page);
    }
    assert.deepEqual(
      Object.entries(found).filter(([, list]) => list.length > 0),
      [],
    );
  });
}
