/** What `latchkey serve` tells of its API, and that it can keep it to itself. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, test } from "node:test";
import type { OpenapiDocument } from "../../src/http/openapi.ts";
import { readConfig } from "../../src/server/config.ts";
import { createTextLogger } from "../../src/server/logger.ts";
import { startServer } from "../../src/server/server.ts";
import { temporaryFolder } from "../support/child-server.ts";
import { documentedByFile } from "../support/documented.ts";

const folder = temporaryFolder();
after(() => rmSync(folder, { recursive: true, force: true }));

/** What is answered under these settings. */
async function ask(settings: Record<string, string>, paths: readonly string[]) {
  const config = readConfig({ PORT: "0", LATCHKEY_DATA_DIR: folder, LATCHKEY_CONSOLE: "off", ...settings });
  const server = await startServer(
    config,
    createTextLogger(() => {}),
  );
  try {
    return await Promise.all(
      paths.map(async (path) => {
        const response = await fetch(server.url + path);
        const [{ status, headers }, text] = [response, await response.text()];
        documentedByFile().check({ method: "GET", path, status, headers, text });
        return { status, text };
      }),
    );
  } finally {
    await server.close();
  }
}

test("the document is of what this server serves", async () => {
  const [answer] = await ask({ LATCHKEY_CONTRACTS: "latchkey,drf", LATCHKEY_DRF_PATH: "/accounts" }, ["/openapi.json"]);
  const { paths, servers }: OpenapiDocument = JSON.parse(answer?.text ?? "");
  assert.deepEqual(servers, [{ url: "/" }]);
  for (const path of ["/v1/users/{id}", "/accounts/login/", "/readyz", "/docs"]) assert.ok(path in paths, path);
  for (const path of ["/api/token/", "/metrics"]) assert.ok(!(path in paths), path);
});

test("LATCHKEY_DOCS=openapi serves the document alone, off nothing", async () => {
  const paths = ["/openapi.json", "/docs", "/docs/style.css"];
  const statuses = async (value: string) => (await ask({ LATCHKEY_DOCS: value }, paths)).map(({ status }) => status);
  assert.deepEqual(await statuses("on"), [200, 200, 200]);
  assert.deepEqual(await statuses("openapi"), [200, 404, 404]);
  assert.deepEqual(await statuses("off"), [404, 404, 404]);
  assert.throws(() => readConfig({ LATCHKEY_DOCS: "yes" }), /LATCHKEY_DOCS must be one of on, openapi, off/);
});
