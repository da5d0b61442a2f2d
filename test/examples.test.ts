/** Every example compiles, and does what it is there for: as its own process, over real HTTP. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { describe, type TestContext, test } from "node:test";
import { ROOT } from "./support/root.ts";

/** Milliseconds that an example has to come up on a busy machine. */
const PATIENCE = 60_000;
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
  compile("test/types/next"); // Next.js itself is not installed
});

/** Starts an example; it is gone when the test has ended, however it ended. @returns its address. */
function start(t: TestContext, file: string): Promise<string> {
  const child = spawn("node", [file], { cwd: ROOT, env: { ...process.env, PORT: "0" } });
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not up after ${PATIENCE / 1000} s:\n${output}`)), PATIENCE);
    child.once("error", reject);
    child.once("close", (code) => {
      clearTimeout(timer);
      reject(new Error(`it exited with ${code}:\n${output}`));
    });
    const read = (chunk: Buffer) => {
      output += chunk;
      const found = /listens on (http:\/\/[\w.:[\]]+)/.exec(output)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
  });
}

describe("an example signs in, keeps notes, and lets nobody but staff see the statistics", { concurrency: 3 }, () => {
  for (const [name, file] of Object.entries(EXAMPLES)) {
    test(name, async (t) => {
      if (name === "nestjs") compile("examples/nestjs");
      const url = await start(t, file);
      const call = async (method: string, path: string, { token, body }: { token?: string; body?: object } = {}) => {
        const headers = {
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { "content-type": "application/json" }),
        };
        const init = { method, headers, signal: t.signal, ...(body !== undefined && { body: JSON.stringify(body) }) };
        const answer = await fetch(new URL(path, url), init);
        // Refusals are worded by each framework in its own way.
        const isJson = answer.headers.get("content-type")?.includes("json");
        const text = await answer.text();
        return { status: answer.status, body: isJson ? JSON.parse(text) : text, headers: answer.headers };
      };
      const signIn = async (username: string): Promise<string> => {
        const body = { username, password: "correct horse battery" };
        return (await call("POST", "/auth/v1/users/me/token", { body })).body.access_token;
      };
      const token = await signIn("ada");

      const nobody = await call("GET", "/notes");
      assert.equal(nobody.status, 401);
      assert.match(nobody.headers.get("www-authenticate") ?? "", /^Bearer realm=/);
      assert.equal((await call("GET", "/notes", { token: `${token}x` })).status, 401);

      const added = await call("POST", "/notes", { token, body: { text: "milk" } });
      assert.deepEqual([added.status, added.body], [201, { notes: ["milk"] }]);
      assert.equal((await call("POST", "/notes", { token, body: { text: 7 } })).status, 422);
      assert.deepEqual((await call("GET", "/notes", { token })).body, { notes: ["milk"] });

      assert.equal((await call("GET", "/statistics", { token })).status, 403);
      const staff = await signIn("grace");
      assert.deepEqual((await call("GET", "/notes", { token: staff })).body, { notes: [] });
      const statistics = await call("GET", "/statistics", { token: staff });
      assert.deepEqual([statistics.status, statistics.body], [200, { notes: 1, askedBy: ["staff"] }]);

      assert.deepEqual((await call("GET", "/")).body, { hello: "stranger" });
      assert.deepEqual((await call("GET", "/", { token })).body, { hello: "ada" });
      assert.equal((await call("GET", "/", { token: "garbage" })).status, 401);
    });
  }
});
