/** Every example compiles, and does what it is there for: as its own process, over real HTTP. That of Next.js is built and run by `npm run test:next`. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { ExampleClient, keepNotes, startExample } from "./support/example.ts";
import { ROOT } from "./support/root.ts";

const EXAMPLES: Readonly<Record<string, string>> = {
  express: "examples/express/server.ts",
  fastify: "examples/fastify/server.ts",
  hono: "examples/hono/server.ts",
  koa: "examples/koa/server.ts",
  node: "examples/node/server.ts",
  nestjs: "examples/nestjs/dist/nestjs/server.js",
};

function compile(project: string): void {
  const { status, stdout } = spawnSync("tsc", ["-p", project], { cwd: ROOT, encoding: "utf8" });
  assert.equal(status, 0, stdout);
}

test("the examples compile", () => {
  compile("examples");
  compile("test/types/next"); // against as much of Next.js as is written down there
});

describe("an example signs in, keeps notes, and lets nobody but staff see the statistics", { concurrency: 3 }, () => {
  for (const [name, file] of Object.entries(EXAMPLES)) {
    test(name, async (t) => {
      if (name === "nestjs") compile("examples/nestjs");
      const client = new ExampleClient(await startExample(t, { command: "node", args: [file] }), t.signal);
      const token = await keepNotes(client, { notes: "/notes", statistics: "/statistics" });
      assert.deepEqual((await client.call("GET", "/")).body, { hello: "stranger" });
      assert.deepEqual((await client.call("GET", "/", { token })).body, { hello: "ada" });
      assert.equal((await client.call("GET", "/", { token: "garbage" })).status, 401);
    });
  }
});
