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
  server = await startConsole({ JWT_ALGORITHM: "EdDSA" });
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

test("after too many guesses the page says for how long, and keeps what was typed", { skip }, async () => {
  const { page } = await open();
  const { username } = await register();
  for (let i = 0; i < 5; i++) {
    const guess = { username, password: `guess ${i}` };
    await assert.rejects(server.auth.login(guess, { ip: "203.0.113.50" }), { code: "invalid_credentials" });
  }
  await page.goto(server.url);
  await page.getByLabel("Username or email").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await button(page, "Sign in").click();
  await page.getByText(/^Too many attempts\. Try again in \d+ seconds?\.$/).waitFor();
  assert.equal(await page.getByLabel("Username or email").inputValue(), username);
});

test("the first user: the link is taken out of the address, makes one who is staff, and is then spent", {
  skip,
}, async () => {
  const own = await startConsole();
  try {
    const token = await own.auth.firstUser.offer();
    const tab = await openTab(browser, own.url);
    const { page } = tab;
    await page.goto(`${own.url}/console/first-user#${token}`);
    await page.getByRole("heading", { name: "The first user" }).waitFor();
    assert.equal(new URL(page.url()).hash, "");
    await page.getByLabel("Username").fill("grace");
    await page.getByLabel("Email").fill("grace@example.com");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(page, "Create account").click();
    await page.getByText("Signed in as grace").waitFor();
    await page.getByRole("navigation").getByRole("link", { name: "Users" }).waitFor();
    await page.goto("about:blank");
    await page.goto(`${own.url}/console/first-user#${token}`);
    await page.getByLabel("Username").fill("eve");
    await page.getByLabel("Email").fill("eve@example.com");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await button(page, "Create account").click();
    await page.getByText("That link is not good any more").waitFor();
    assert.deepEqual(tab.faults, []);
    await tab.context.close();
  } finally {
    await own.close();
  }
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
  // biome-ignore lint/suspicious/noExplicitAny: the DOM's types are not among ours.
  readonly document: any;
  readonly localStorage: object;
  readonly axe: {
    run(options: object): Promise<{ violations: readonly { id: string; nodes: readonly { html: string }[] }[] }>;
  };
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

/** A window in which a member of staff is signed in. */
async function openStaff(options?: TabOptions) {
  const [tab, user] = [await open(options), await register()];
  await server.auth.users.setRoles(user.id, { isStaff: true });
  await signIn(tab, server.url, user.username);
  return { tab, page: tab.page, user };
}

test("tokens: my own taken apart, its refresh seen, a forged one explained, a refresh token kept at home", {
  skip,
}, async () => {
  const { tab, page, user } = await openSignedIn();
  await follow(page, "Tokens");
  await page.getByText(/^\d\d:\d\d$/).waitFor();
  const claim = (name: string) =>
    page
      .getByRole("row")
      .filter({ has: page.getByRole("rowheader", { name, exact: true }) })
      .first();
  assert.match(await claim("sub").innerText(), new RegExp(`\\b${user.id}\\b`));
  assert.match(await claim("exp").innerText(), /When it expires\. \d/);
  // As if it had expired: the next call is refused, and the client renews it and asks again.
  await tab.context.clearCookies({ name: "__Host-latchkey_access" });
  const { accessToken } = await server.auth.login({ username: user.username, password: PASSWORD });
  await page.getByLabel("Access token").fill(`Bearer ${accessToken}`);
  await button(page, "Explain it").click();
  await page.getByText("Every check passes.").waitFor();
  await page.getByText(/^Refreshed: token \d+ of this session$/).waitFor();
  await page
    .getByLabel("Access token")
    .fill(accessToken.slice(0, -4) + (accessToken.endsWith("AAAA") ? "BBBB" : "AAAA"));
  await button(page, "Explain it").click();
  await page.getByText(/^Refused \(token_invalid\)/).waitFor();
  assert.equal(await page.locator(".checks li", { hasText: "failed" }).count(), 1);
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.getByLabel("Access token").fill("lkr_1.2.3");
  await button(page, "Explain it").click();
  await page.getByText("That is a refresh token").waitFor();
  assert.deepEqual(asked, []);
  await page.getByLabel("Access token").fill("x".repeat(9000));
  await button(page, "Explain it").click();
  await page.getByText("Access token must have at most 8192 characters.").waitFor();
});

test("who is not staff sees nothing of staff, whatever the address", { skip }, async () => {
  const { page } = await openSignedIn();
  assert.equal(await page.getByRole("link", { name: "Users" }).count(), 0);
  for (const path of ["users", "users/1", "keys", "overview", "nowhere"]) {
    await page.goto(`${server.url}/console/${path}`);
    await page.getByRole("heading", { name: "There is no such page" }).waitFor();
  }
});

test("staff: a user is found, taken out of service and back; two of them at it do no harm", { skip }, async () => {
  const [one, two] = [await openStaff(), await openStaff()];
  const victim = await register({ username: "mallory" });
  const { refreshToken } = await server.auth.sessions.start(victim.id, { userAgent: "curl/8.5.0", ip: "203.0.113.9" });
  for (const { page } of [one, two]) {
    await follow(page, "Users");
    await page.getByLabel("Search by the beginning").fill("MALL");
    await page.getByRole("link", { name: "mallory" }).click();
    await page.getByText("curl 8.5").waitFor();
    await button(page, "Deactivate").click();
  }
  for (const { page } of [one, two]) {
    await page.getByRole("dialog").getByRole("button", { name: "Deactivate" }).click();
    await page.getByText("The user is out of service").waitFor();
    await page.getByText("Not signed in anywhere").waitFor();
  }
  await assert.rejects(server.auth.refresh(refreshToken));
  await button(two.page, "Reactivate").click();
  await two.page.getByRole("dialog").getByRole("button", { name: "Reactivate" }).click();
  await two.page.getByText("The user is back in service.").waitFor();
  // The other page is a step behind; what it asks for is so already, or is said in words.
  await server.auth.users.delete(victim.id);
  await button(one.page, "Reactivate").click();
  await one.page.getByRole("dialog").getByRole("button", { name: "Reactivate" }).click();
  await one.page.getByRole("dialog").getByText("That is not there any more.").waitFor();
});

test("staff: whose role is taken while they look are told so, and see nothing more", { skip }, async () => {
  const { page, user } = await openStaff();
  await follow(page, "Users");
  await page.getByRole("table").waitFor();
  await server.auth.users.setRoles(user.id, { isStaff: false });
  await page.getByLabel("Search by the beginning").fill("x");
  const words = page
    .getByText("Your account may not do this.")
    .or(page.getByRole("dialog", { name: "Sign in to go on" }));
  await words.first().waitFor();
});

test("staff: pages of users, and hostile names among them", { skip }, async () => {
  for (let i = 0; i < 30; i++) {
    await server.auth.register({
      username: `zz${i}`,
      email: `zz${i}@example.com`,
      password: PASSWORD,
      firstName: "<i>",
    });
  }
  await register({ username: `zz${"W".repeat(148)}` });
  const { page } = await openStaff({ width: 360 });
  await button(page, "Menu").click();
  await follow(page, "Users");
  const searched = page.waitForResponse(/search=zz/);
  await page.getByLabel("Search by the beginning").fill("zz");
  await searched;
  const rows = page.getByRole("rowheader");
  await page.getByText("25 users on this page").waitFor();
  await button(page, "Next").click();
  await page.getByText("6 users on this page", { exact: true }).waitFor();
  assert.equal(await rows.count(), 6);
  assert.ok((await overflow(page)) <= 0, "the table scrolls, the page does not");
  await button(page, "Previous").click();
  await page.getByText("25 users on this page").waitFor();
  await page.getByLabel("Search by the beginning").fill("nobody at all");
  await page.getByText("Nobody's name begins like that").waitFor();
});

test("staff: keys and their life; a rotation that comes too early is told when it may", { skip }, async () => {
  const { page } = await openStaff();
  await follow(page, "Keys");
  await page.getByText("Signs since").waitFor();
  await button(page, "Rotate now").click();
  await page.getByRole("dialog").getByRole("button", { name: "Rotate now" }).click();
  await page.getByText(/The next key is too new: .* in 1\d minutes\./).waitFor();
});

test("activity: what has happened to my account, and that it was the staff; staff find it by user and by kind", {
  skip,
}, async () => {
  const { page, user } = await openSignedIn({
    userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  });
  await server.auth.login({ username: user.username, password: "not that one" }, { ip: "203.0.113.9" }).catch(() => {});
  const staff = await openStaff();
  await server.auth.staff.endSessions(staff.user.id, (await register()).id);
  await follow(page, "Activity");
  const entry = (words: string) => page.getByRole("listitem").filter({ hasText: words });
  await entry("Account created").waitFor();
  assert.match(await entry("Signed in").innerText(), /Firefox on Linux · 127\.0\.0\.1/);
  assert.match(await entry("Sign-in refused").innerText(), /203\.0\.113\.9/);
  assert.doesNotMatch(await page.locator("main").innerText(), /not that one/);
  await follow(staff.page, "Audit");
  await staff.page.getByLabel("User id").fill(String(user.id));
  await staff.page.getByRole("listitem").filter({ hasText: "Account created" }).nth(1).waitFor({ state: "detached" });
  await staff.page.getByLabel("What").selectOption("sign_in_refused");
  await staff.page.getByRole("listitem").filter({ hasText: "Sign-in refused" }).waitFor();
  await staff.page.getByRole("listitem").filter({ hasText: "Account created" }).waitFor({ state: "detached" });
  await staff.page.getByLabel("What").selectOption("password_changed");
  await staff.page.getByText("Nothing of the kind has happened").waitFor();
});

test("staff: the overview counts what happens", { skip }, async () => {
  const { page, user } = await openStaff();
  await follow(page, "Overview");
  await page.getByText("Tokens at guards").waitFor();
  const figure = page.locator(".figures li", { hasText: "Signed in" }).locator("strong");
  const before = Number(await figure.innerText());
  assert.ok(before >= 1);
  const body = JSON.stringify({ username: user.username, password: PASSWORD });
  const headers = { "content-type": "application/json" };
  await fetch(`${server.url}/v1/users/me/token`, { method: "POST", headers, body });
  await page.waitForFunction(
    (count) => Number((globalThis as unknown as Dom).document.querySelector(".figures strong").textContent) > count,
    before,
  );
  assert.ok((await page.locator(".chart polyline").first().getAttribute("points"))?.includes(","));
});

test("a session that ends while a form is open: nothing typed is lost", { skip }, async () => {
  const { page, user } = await openSignedIn();
  await follow(page, "Password");
  await page.getByLabel("Current password", { exact: true }).fill(PASSWORD);
  await page.getByLabel("New password", { exact: true }).fill("eleven purple engines");
  await server.auth.sessions.endAll(user.id);
  // Until the instance that serves has heard of it.
  await page.evaluate(async () => {
    while ((await fetch("/v1/users/me")).ok) await new Promise((resolve) => setTimeout(resolve, 20));
  });
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
  const { page } = await openStaff({ width: 360 });
  for (const firstName of [
    '<img src=x onerror="fail()">',
    "\u202eevil",
    "W".repeat(150),
    "👩‍👩‍👧‍👦",
    "{{7*7}} ${7*7}",
  ]) {
    const user = await register({ firstName });
    await page.goto(`${server.url}/console/users/${user.id}`);
    const shown = page.locator("dd", { hasText: firstName });
    await shown.waitFor();
    assert.equal(await shown.locator("bdi").count(), 1);
    assert.equal(await shown.locator("img").count(), 0);
    assert.ok((await overflow(page)) <= 0, "nothing sticks out");
  }
});

/** How much wider the page is than the window. */
const overflow = (page: Page): Promise<number> =>
  page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");

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

test("over plain http from afar the page says that it can't be used so, before a password is typed", {
  skip,
}, async () => {
  const { page, context } = await openTab(browser, "http://console.test");
  try {
    await page.route("http://console.test/**", async (route) => {
      const { pathname } = new URL(route.request().url());
      await route.fulfill({ response: await route.fetch({ url: server.url + pathname }) });
    });
    await page.goto("http://console.test/");
    await page.getByText("This page came over plain http").waitFor();
  } finally {
    await context.close();
  }
});

test("a browser that keeps no Secure cookie from localhost is told where it would", { skip }, async () => {
  const tab = await open();
  const user = await register();
  // As Safari does.
  await tab.page.route("**/v1/users/me/token", async (route) => {
    const request = route.request();
    const asked = { method: request.method(), headers: request.headers(), body: request.postData() ?? "" };
    const answer = await fetch(request.url(), asked);
    const contentType = answer.headers.get("content-type") ?? "";
    await route.fulfill({ status: answer.status, contentType, body: await answer.text() });
  });
  await tab.page.goto(server.url);
  await tab.page.getByLabel("Username or email").fill(user.username);
  await tab.page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await button(tab.page, "Sign in").click();
  await tab.page.getByText("Your browser keeps no sign-in cookie from a page without TLS.").waitFor();
});

test("the page can be used a moment after it was asked for", { skip }, async (t) => {
  const { page } = await open();
  await page.addInitScript(`new MutationObserver(() => {
    if (document.activeElement?.name === "name") globalThis.usableAt ??= performance.now();
  }).observe(document, { childList: true, subtree: true })`);
  const took: number[] = [];
  for (let i = 0; i < 5; i++) {
    await page.context().clearCookies();
    await page.goto(server.url);
    await page.waitForFunction(() => (globalThis as { usableAt?: number }).usableAt !== undefined);
    took.push(Math.round(await page.evaluate<number>("globalThis.usableAt")));
  }
  t.diagnostic(`the sign-in form has the focus after ${took.join(", ")} ms`);
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

/** What axe-core has to say of a page, in both themes; only the colours differ between them. */
async function findings(page: Page): Promise<string[]> {
  // The page's own policy lets no script in; the browser's own tools may.
  if (await page.evaluate("!globalThis.axe")) await page.evaluate(axe);
  const run = (runOnly: readonly string[]) =>
    page.evaluate(async (only) => {
      const { violations } = await (globalThis as unknown as Dom).axe.run({
        runOnly: only,
        resultTypes: ["violations"],
      });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
    }, runOnly);
  const found = await run(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]);
  await page.emulateMedia({ colorScheme: "dark" });
  found.push(...(await run(["color-contrast"])).map((one) => `dark ${one}`));
  await page.emulateMedia({ colorScheme: "light" });
  // WCAG 1.4.10: nothing has to be read by scrolling to the side.
  await page.setViewportSize({ width: 320, height: 640 });
  if ((await overflow(page)) > 0) found.push("wider than 320 pixels");
  await page.setViewportSize({ width: 1200, height: 800 });
  return found;
}

test("axe finds nothing on any page, light and dark, and none is wider than a phone", { skip }, async () => {
  const tab = await open();
  const { page } = tab;
  const found: Record<string, string[]> = {};
  for (const path of ["/", "/console/register", "/console/first-user#x"]) {
    await page.goto("about:blank");
    await page.goto(server.url + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    found[path] = await findings(page);
  }
  const user = await register();
  await server.auth.sessions.start(user.id, { userAgent: "curl/8.5.0" });
  await server.auth.users.setRoles(user.id, { isStaff: true });
  await signIn(tab, server.url, user.username);
  for (const name of ["Account", "Sessions", "Password", "Activity", "Tokens", "Overview", "Users", "Keys", "Audit"]) {
    await follow(page, name);
    await page.getByRole("heading", { level: 1, name }).waitFor();
    await page.getByText("Loading…").waitFor({ state: "detached" });
    found[name] = await findings(page);
  }
  await page.goto(`${server.url}/console/users/${user.id}`);
  await page.getByText("curl 8.5").waitFor();
  found.user = await findings(page);
  await button(page, "End all").click();
  found.dialog = await findings(page);
  assert.deepEqual(
    Object.entries(found).filter(([, list]) => list.length > 0),
    [],
  );
});
