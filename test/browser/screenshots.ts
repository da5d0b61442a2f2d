/**
 * Pictures of the console for the documents: `npm run screenshots`. Every page in both themes, over a store with some history.
 * @see docs/console.md
 */
import { spawnSync } from "node:child_process";
import { globSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { createAuth } from "../../src/auth.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { realSystem } from "../../src/system.ts";
import { call, ROOT, temporaryFolder } from "../support/child-server.ts";
import { TEST_SECRET } from "../support/engine.ts";
import { type ConsoleServer, launchChromium, openTab, PASSWORD, signIn, startConsole } from "./console.ts";

const FOLDER = join(ROOT, "docs/console");
const DAY = 86_400;
const PEOPLE =
  "Grace Hopper, Alan Turing, Edsger Dijkstra, Barbara Liskov, Donald Knuth, Radia Perlman, Leslie Lamport, Frances Allen, Tony Hoare, Shafi Goldwasser, Niklaus Wirth, Karen Jones, John Backus, Lynn Conway";
const DEVICES = [
  ["deploy-bot/2.4 (+https://ci.example.com)", 11],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", 2.1],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1",
    0.2,
  ],
] as const;

const dataDir = temporaryFolder();
await makeHistory();
const server = await startConsole({
  LATCHKEY_DATA_DIR: dataDir,
  JWT_SECRET_KEY: TEST_SECRET,
  JWT_ALGORITHM: "EdDSA",
  LATCHKEY_REFRESH_GRACE_SECONDS: "0",
});
const browser = await launchChromium();
mkdirSync(FOLDER, { recursive: true });
try {
  for (const colorScheme of ["light", "dark"] as const) await takeAll(colorScheme);
} finally {
  await browser.close();
  await server.close();
}
// A third of the size, and no eye tells; where there is no pngquant they stay as they are.
const files = globSync("*.png", { cwd: FOLDER }).map((file) => join(FOLDER, file));
spawnSync("pngquant", ["--force", "--skip-if-larger", "--ext", ".png", "--speed", "1", "--strip", "192", ...files]);

/** Some months in which users came and keys changed. */
async function makeHistory(): Promise<void> {
  let ago = 100 * DAY;
  const system = { ...realSystem, now: () => realSystem.now() - Math.round(ago) };
  const storage = openSqlite(join(dataDir, "latchkey.db"));
  const auth = await createAuth({ storage, secret: TEST_SECRET, algorithm: "EdDSA", system });
  const ada = await auth.register({
    username: "ada",
    email: "ada@example.com",
    password: PASSWORD,
    firstName: "Ada",
    lastName: "Lovelace",
  });
  await auth.users.setRoles(ada.id, { isStaff: true });
  const people = PEOPLE.split(", ");
  for (let days = 98; days > 2; days -= 1) {
    ago = days * DAY;
    if ([72, 41, 12].includes(days)) {
      // Time for the next key to be made, and for what has died to be put away.
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await auth.keys.rotate({ ignoringLead: true });
    }
    const name = days % 7 === 0 ? people.shift() : undefined;
    if (!name) continue;
    const [firstName = "", lastName = ""] = name.split(" ");
    const user = {
      username: lastName.toLowerCase(),
      email: `${firstName.toLowerCase()}@example.com`,
      firstName,
      lastName,
    };
    const { id } = await auth.register({ ...user, password: PASSWORD });
    if (people.length === 8) await auth.users.deactivate(id);
    if (people.length === 11) await auth.users.setRoles(id, { isStaff: true });
  }
  for (const [userAgent, days] of DEVICES) {
    ago = days * DAY;
    for (const [i, username] of ["ada", "hopper"].entries()) {
      await auth.login({ username, password: PASSWORD }, { userAgent, ip: `203.0.113.${Math.round(days) + 7 + i}` });
    }
    if (days < 3) {
      const guess = { username: "ada", password: "a guess" };
      await auth.login(guess, { userAgent: "python-requests/2.32", ip: "198.51.100.77" }).catch(() => {});
    }
  }
  await auth.close();
}

async function takeAll(colorScheme: "light" | "dark"): Promise<void> {
  const tab = await openTab(browser, server.url, {
    colorScheme,
    width: 1180,
    height: 780,
    userAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  });
  const { page } = tab;
  const take = async (name: string) => {
    await page.getByText("Loading…").waitFor({ state: "detached" });
    await page.screenshot({ path: join(FOLDER, `${name}-${colorScheme}.png`) });
  };
  await page.goto(server.url);
  await page.getByLabel("Username or email").waitFor();
  await take("sign-in");
  await page.goto(`${server.url}/console/register`);
  await page.getByLabel("Username").fill("grace");
  await page.getByLabel("Email").fill("grace@example.com");
  await page.getByLabel("Password", { exact: true }).fill("purple engine eleven");
  await take("register");
  await page.goto("about:blank");
  await page.goto(`${server.url}/console/first-user#x`);
  await take("first-user");
  await signIn(tab, server.url, "ada");
  const follow = async (name: string) => {
    await page.getByRole("navigation", { name: "Console" }).getByRole("link", { name, exact: true }).click();
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForLoadState("networkidle");
  };
  await take("account");
  await follow("Sessions");
  await page.getByText("This session").waitFor();
  await take("sessions");
  await page.getByRole("button", { name: "End: session on Firefox" }).click();
  await take("end-session");
  await page.keyboard.press("Escape");
  await follow("Password");
  await page.getByLabel("New password", { exact: true }).fill("four quiet green engines");
  await take("password");
  await follow("Activity");
  await page.locator(".timeline").first().waitFor();
  await take("activity");
  await follow("Tokens");
  await page.getByText("left of").waitFor();
  await take("tokens");
  const { body } = await call(server.url, "POST", "/v1/users/me/token", {
    body: { username: "turing", password: PASSWORD },
  });
  const [header, claims] = body.access_token.split(".");
  await page.getByLabel("Access token").fill(`${header}.${claims}.${"A".repeat(86)}`);
  await page.getByRole("button", { name: "Explain it" }).click();
  await page.getByText("Refused (token_invalid)").waitFor();
  await page
    .getByRole("heading", { name: "Why is a token refused?" })
    .evaluate("(heading) => heading.scrollIntoView()");
  await page.mouse.wheel(0, -40);
  await take("explain");
  await follow("Users");
  await page.getByText("grace@example.com").waitFor();
  await take("users");
  await page.getByRole("link", { name: "hopper" }).click();
  await page.getByRole("button", { name: "End all" }).waitFor();
  await take("user");
  await follow("Keys");
  await page.getByText("Signs since").waitFor();
  await take("keys");
  await follow("Audit");
  await page.locator(".timeline").first().waitFor();
  await take("audit");
  await watch(page, server);
  await take("overview");
  if (tab.faults.length > 0) throw new Error(tab.faults.join("\n"));
  await tab.context.close();
}

/** Five minutes of traffic on the overview, in some seconds. */
async function watch(page: Page, { url }: ConsoleServer): Promise<void> {
  await page.clock.install();
  await page.goto(`${url}/console/overview`);
  await page.getByText("Signed in").first().waitFor();
  const post = async (path: string, body: object) =>
    (await call(url, "POST", `/v1/users/me/token${path}`, { body })).body;
  const people = ["turing", "liskov", "knuth", "lamport", "allen", "hoare"];
  const held = await Promise.all(people.map((username) => post("", { username, password: PASSWORD })));
  const stolen = held[5]?.refresh_token;
  for (let i = 0; i < 100; i++) {
    const wave = 1 + Math.sin(i / 9) + 0.6 * Math.sin(i / 3.1);
    const work: Promise<unknown>[] = [];
    for (let n = 0; n < wave; n++) {
      work.push(post("", { username: people[(i + n) % 6], password: i % 17 === 5 ? "wrong" : PASSWORD }));
    }
    for (let n = 0; n < 1 + wave; n++) {
      const one = held[(i + n) % 5];
      Object.assign(one, await post("/refresh", { refresh_token: one.refresh_token }));
    }
    if (i === 20) await post("/refresh", { refresh_token: stolen });
    if (i === 70) await post("/refresh", { refresh_token: stolen });
    for (let n = 0; n < 6 + 4 * wave; n++)
      work.push(call(url, "GET", "/v1/users/me", { token: held[n % 5].access_token }));
    await Promise.all(work);
    const answered = page.waitForResponse("**/v1/staff/metrics");
    await page.clock.runFor(3_000);
    await answered;
  }
}
