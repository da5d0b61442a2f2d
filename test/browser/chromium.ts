/**
 * A real Chromium, where there is one: tests that need it are skipped elsewhere, visibly.
 * LATCHKEY_REQUIRE_CHROMIUM=1 (as in .ci/run) makes it a must; LATCHKEY_CHROMIUM names another than the usual ones.
 */
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const USUAL = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

const executablePath = process.env.LATCHKEY_CHROMIUM ?? USUAL.find((path) => existsSync(path));

/** For `test(name, { skip }, …)`: why it is skipped, or false. */
export const skip: string | false =
  executablePath || process.env.LATCHKEY_REQUIRE_CHROMIUM === "1"
    ? false
    : "no Chromium here: apt-get install chromium, or name one in LATCHKEY_CHROMIUM";

/** With a profile of its own that is gone afterwards. */
export function launchChromium(): Promise<Browser> {
  if (!executablePath) throw new Error("LATCHKEY_REQUIRE_CHROMIUM is set, and there is no Chromium");
  return chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
