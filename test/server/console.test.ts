/** The console's files as the server gives them: small, kept for ever or asked for anew, and with nothing of a stranger's in them. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { get } from "node:http";
import { after, before, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { readConfig } from "../../src/server/config.ts";
import { createTextLogger } from "../../src/server/logger.ts";
import { type RunningServer, startServer } from "../../src/server/server.ts";
import { temporaryFolder } from "../support/child-server.ts";

const folder = temporaryFolder();
const lines: string[] = [];
const start = (env: Readonly<Record<string, string>> = {}) =>
  startServer(
    readConfig({ PORT: "0", LATCHKEY_DATA_DIR: folder, ...env }),
    createTextLogger((line) => lines.push(line)),
  );

let server: RunningServer;
before(async () => {
  server = await start();
});
after(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Got {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Byte for byte: fetch would unpack and tidy. */
function ask(
  path: string,
  { method = "GET", headers = {} }: { method?: string; headers?: Record<string, string> } = {},
) {
  return new Promise<Got>((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    get({ hostname, port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    }).on("error", reject);
  });
}

const GZIP = { "accept-encoding": "gzip, deflate, br" };

/** The page, and every file that it names. */
async function firstLoad(): Promise<readonly string[]> {
  const page = (await ask("/")).body.toString();
  return ["/", ...[...page.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path]) => path as string)];
}

test("the first load is under 60 KB gzipped, and all of it from here", async (t) => {
  const paths = await firstLoad();
  assert.equal(paths.length, 4);
  let size = 0;
  for (const path of paths) {
    assert.match(path, /^\/(?:console\/assets\/\w+-[A-Z0-9]{8}\.\w+)?$/);
    const { status, headers, body } = await ask(path, { headers: GZIP });
    assert.deepEqual([status, headers["content-encoding"]], [200, "gzip"]);
    size += body.length;
    assert.deepEqual(gunzipSync(body), (await ask(path)).body);
  }
  t.diagnostic(`${size} bytes`);
  assert.ok(size < 60_000, `${size} bytes`);
});

test("files are kept for a year, the page is asked for each time; who has them is told 304", async () => {
  for (const path of await firstLoad()) {
    const { headers } = await ask(path, { headers: GZIP });
    assert.equal(headers["cache-control"], path === "/" ? "no-cache" : "public, max-age=31536000, immutable");
    assert.equal(headers.vary, "Accept-Encoding");
    const etag = headers.etag as string;
    for (const tag of [etag, `"other", ${etag}`, etag.replace("W/", "")]) {
      const again = await ask(path, { headers: { ...GZIP, "if-none-match": tag } });
      assert.deepEqual([again.status, again.body.length, again.headers["content-encoding"]], [304, 0, undefined], tag);
    }
    assert.equal((await ask(path, { headers: { "if-none-match": '"other"' } })).status, 200);
  }
});

test("every file has the policy: nothing inline, nothing from elsewhere, no frame around it (checklist 88)", async () => {
  for (const path of [...(await firstLoad()), "/console/sessions", "/console/users/1"]) {
    const { headers, body } = await ask(path);
    const policy = String(headers["content-security-policy"]);
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; /);
    assert.match(policy, /frame-ancestors 'none'; require-trusted-types-for 'script'/);
    assert.doesNotMatch(policy, /unsafe|\*|data:|https?:/);
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["referrer-policy"], "no-referrer");
    assert.equal(headers["x-frame-options"], "DENY");
    if (String(headers["content-type"]).startsWith("text/html")) {
      assert.doesNotMatch(body.toString(), /<script(?![^>]* src=)|<style| style=| on\w+=/i);
    }
  }
});

test("a page's path is the page, a file's that is not there is 404, and an endpoint's is the endpoint's", async () => {
  for (const path of ["/", "/console/sessions", "/console/nowhere", "/console/", "/?x=1"]) {
    assert.match(String((await ask(path)).headers["content-type"]), /^text\/html/, path);
  }
  for (const path of [
    "/console/assets/",
    "/console/assets/main.js",
    "/console/assets/index.html",
    "/console/assets/constructor",
    "/console",
    "/consoles/x",
    "/index.html",
  ]) {
    const { status, headers } = await ask(path);
    assert.deepEqual([status, headers["content-type"]], [404, "application/problem+json"], path);
  }
  for (const path of [
    "/console/assets/../index.html",
    "/console/assets/%2e%2e/index.html",
    "/console/..%2f..%2fpackage.json",
  ]) {
    const { status, headers } = await ask(path);
    assert.ok(status === 400 || status === 404, path);
    assert.equal(headers["content-type"], "application/problem+json", path);
  }
  assert.equal((await ask("/v1/health")).headers["content-type"], "application/json");
});

test("HEAD is GET without the body; other methods are 405 with Allow", async () => {
  const head = await ask("/", { method: "HEAD" });
  assert.deepEqual([head.status, head.body.length], [200, 0]);
  assert.equal(head.headers["content-length"], String((await ask("/")).body.length));
  for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
    const { status, headers } = await ask("/console/sessions", { method });
    assert.deepEqual([status, headers.allow], [405, "GET, HEAD"], method);
  }
});

test("who does not take gzip is not given it", async () => {
  for (const encoding of ["", "identity", "br", "gzip;q=0", "gzip; q=0.000, br", "xgzip"]) {
    const { headers } = await ask("/", { headers: { "accept-encoding": encoding } });
    assert.equal(headers["content-encoding"], undefined, encoding);
  }
  for (const encoding of ["gzip", "br, gzip;q=0.5", "GZIP"]) {
    const { headers, body } = await ask("/", { headers: { "accept-encoding": encoding } });
    assert.equal(headers["content-encoding"], "gzip", encoding);
    assert.ok(body.length <= gzipSync(gunzipSync(body), { level: 1 }).length);
  }
});

test("without cookies or the default dialect there is no console, and the server says why; off is off", async () => {
  for (const [env, why] of [
    [{ LATCHKEY_CONSOLE: "off" }, undefined],
    [{ LATCHKEY_COOKIES: "off" }, "there is no console: LATCHKEY_COOKIES is off"],
    [{ LATCHKEY_CONTRACTS: "drf" }, "there is no console: LATCHKEY_CONTRACTS does not name latchkey"],
  ] as const) {
    lines.length = 0;
    const other = await start(env);
    try {
      assert.equal((await fetch(other.url)).status, 404);
      assert.equal(other.hasConsole, false);
      assert.equal(await other.firstUserLink(), undefined);
      assert.deepEqual(
        lines.filter((line) => line.includes("no console")),
        why ? [why] : [],
      );
    } finally {
      await other.close();
    }
  }
});
