/** The example, run as its README says, in two tabs. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { ROOT } from "../support/child-server.ts";
import { launchChromium, skip } from "./chromium.ts";

test("examples/browser shows a token, its time running down, and a refresh in both tabs", { skip }, async (t) => {
  const child = spawn("node", ["examples/browser/server.ts"], {
    cwd: ROOT,
    env: { ...process.env, PORT: "0", TOKEN_TTL: "2s" },
  });
  t.after(() => child.kill());
  const url = await new Promise<string>((resolve, reject) => {
    child.once("close", (code) => reject(new Error(`the example exited with ${code}`)));
    child.stderr.on("data", (chunk: Buffer) => t.diagnostic(chunk.toString()));
    child.stdout.on("data", (chunk: Buffer) => {
      const found = /http:\/\/localhost:\d+/.exec(chunk.toString());
      if (found) resolve(found[0]);
    });
  });
  const browser = await launchChromium();
  t.after(() => browser.close());
  const context = await browser.newContext();
  const [one, two] = [await context.newPage(), await context.newPage()];
  const faults: string[] = [];
  for (const tab of [one, two]) {
    tab.on("pageerror", (error) => faults.push(String(error)));
    await tab.goto(url);
  }
  await one.getByRole("button", { name: "Sign in" }).click();
  await two.getByText("ada <ada@example.com>").waitFor();
  assert.match(await one.locator("#claims").innerText(), /"sub":"1"/);
  assert.match(await one.locator("#left").innerText(), /^(\d s|not known.*)?$/);
  for (const tab of [one, two]) {
    await tab.getByText("has token 1").first().waitFor();
    assert.equal(await tab.locator("#generation").innerText(), "1");
  }
  await two.getByRole("button", { name: "Sign out" }).click();
  await one.getByRole("button", { name: "Sign in" }).waitFor();
  assert.match(await one.locator("#log").innerText(), /is signed out \(logout\)/);
  assert.deepEqual(faults, []);
});
