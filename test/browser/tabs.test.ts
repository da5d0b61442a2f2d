/** Twenty real tabs against the real server with cookies, and few with tokens in IndexedDB. */
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

testHistories("twenty tabs, cookies", browser, { transport: "cookie", isWhole: true });
testHistories("six tabs, bearer", browser, { transport: "bearer", storage: "indexedDB", isWhole: false });
