/**
 * What the client costs: `node bench/client.ts`, some twenty seconds, in Node and, where Chromium is, in a tab and in twenty.
 * `client.fetch` is held against `fetch` with the same header over a network that answers at once, in interleaved rounds, because
 * a real one costs a hundred times what is measured. Then twenty tabs whose tokens expire together, over the real server.
 */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { transform } from "esbuild";
import { createClient } from "../dist/client/index.js";
import { launchChromium, skip } from "../test/browser/chromium.ts";
import { openTabs, page } from "../test/browser/tabs.ts";
import { signIn, startServer } from "../test/client/support.ts";
import { measureInterleaved, spreadOf } from "./measure.ts";

const ROUNDS = 21;
const CALLS = 2_000;

const server = await startServer({ page });
const print = (name: string, value: string) => console.log(`${name.padEnd(48)} ${value}`);

const { code } = await transform(readFileSync("dist/client/index.js", "utf8"), { minify: true, format: "esm" });
print("latchkey/client, minified and gzipped", `${gzipSync(code, { level: 9 }).length} bytes`);

await inNode();
if (skip) print("Chromium", skip);
else await inChromium();
await server.close();

async function inNode(): Promise<void> {
  const client = createClient({ baseUrl: server.url });
  await signIn(client);
  const authorization = `Bearer ${await client.accessToken()}`;
  const own = globalThis.fetch;
  const answer = new Response("{}");
  globalThis.fetch = async (input, init) => {
    // What any fetch does first, and nothing more.
    new Headers(init?.headers);
    return input ? answer : own(input);
  };
  const url = `${server.url}/orders`;
  const [plain, ours] = await measureInterleaved(
    [
      {
        name: "fetch",
        async run(count) {
          for (let i = 0; i < count; i++) await fetch(url, { headers: { authorization } });
        },
      },
      {
        name: "client.fetch",
        async run(count) {
          for (let i = 0; i < count; i++) await client.fetch(url);
        },
      },
    ],
    { rounds: ROUNDS, batchMs: 50, warmUpMs: 300 },
  );
  globalThis.fetch = own;
  const { median, p10, p90 } = spreadOf(ours!.wall.map((wall, round) => (wall - plain!.wall[round]!) / 1_000));
  print("Node: client.fetch over fetch", `${median.toFixed(1)} µs (${p10.toFixed(1)} to ${p90.toFixed(1)})`);
}

async function inChromium(): Promise<void> {
  const browser = await launchChromium();
  const tabs = await openTabs(browser, server.url, { transport: "bearer", storage: "indexedDB" });
  await tabs.signIn();
  const differences = await tabs.pages[0]!.evaluate(
    async ({ rounds, calls }) => {
      const { client } = globalThis;
      const authorization = `Bearer ${await client.accessToken()}`;
      const own = globalThis.fetch;
      const answer = new Response("{}");
      globalThis.fetch = async (_, init) => {
        new Headers(init?.headers);
        return answer;
      };
      const timed = async (call: () => Promise<unknown>) => {
        const before = performance.now();
        for (let i = 0; i < calls; i++) await call();
        return ((performance.now() - before) / calls) * 1_000;
      };
      const plain = () => fetch("/orders", { headers: { authorization } });
      const ours = () => client.fetch("/orders");
      const found: number[] = [];
      for (let round = -5; round < rounds; round++) {
        const difference = -(await timed(plain)) + (await timed(ours));
        if (round >= 0) found.push(difference);
      }
      globalThis.fetch = own;
      return found;
    },
    { rounds: ROUNDS, calls: CALLS },
  );
  const { median, p10, p90 } = spreadOf(differences);
  print("Chromium: client.fetch over fetch", `${median.toFixed(1)} µs (${p10.toFixed(1)} to ${p90.toFixed(1)})`);
  const counts: number[] = [];
  for (let round = 0; round < 10; round++) {
    server.engine.system.advance("16m");
    server.requests.length = 0;
    await tabs.fetchAll();
    counts.push(server.refreshCount());
  }
  print(
    "20 tabs, one expiry: refresh requests",
    `${spreadOf(counts).median} (${Math.max(...counts)} at most, of 10 expiries)`,
  );
  await browser.close();
}
