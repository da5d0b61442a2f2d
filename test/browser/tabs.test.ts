/** Twenty real tabs against the real server, for each way that credentials travel. */
import { after } from "node:test";
import type { Browser } from "playwright-core";
import { launchChromium } from "./chromium.ts";
import { testHistories } from "./histories.ts";

let launched: Promise<Browser> | undefined;
const browser = () => {
  launched ??= launchChromium();
  return launched;
};
after(async () => (await launched)?.close());

testHistories("cookie", browser, { transport: "cookie", isWhole: true });
testHistories("bearer", browser, { transport: "bearer", storage: "indexedDB", isWhole: false });
