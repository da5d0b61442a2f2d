/** Commands beside a running server: what they do reaches it. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createRemoteKeySet, createVerifier } from "../../src/jwt/index.ts";
import { type ChildServer, call, startChildServer } from "../support/child-server.ts";
import { runCommand } from "../support/command.ts";
import { PASSWORD, TEST_SECRET } from "../support/engine.ts";

let server: ChildServer;
let env: Record<string, string>;
before(async () => {
  const settings = { JWT_SECRET_KEY: TEST_SECRET, JWT_ALGORITHM: "ES256", LATCHKEY_JWKS_MAX_AGE_SECONDS: "0" };
  server = await startChildServer({ isDirect: true, env: settings });
  env = { JWT_SECRET_KEY: TEST_SECRET, LATCHKEY_JWKS_MAX_AGE_SECONDS: "0", LATCHKEY_DATA_DIR: server.dataDir };
  const body = { username: "ada", email: "ada@example.com", password: PASSWORD };
  await call(server.url, "POST", "/v1/users/", { body });
});
after(() => server.stop());

const run = async (args: string) => {
  const result = await runCommand(args.split(" "), { env });
  assert.equal(result.code, 0, `${args}: ${result.errors}`);
  return result;
};
const login = async () => {
  const body = { username: "ada", password: PASSWORD };
  return (await call(server.url, "POST", "/v1/users/me/token", { body })).body as Record<string, string>;
};
const kidOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[0] as string, "base64url").toString()).kid;
const me = async (token: string) => (await call(server.url, "GET", "/v1/users/me", { token })).status;

async function until(condition: () => Promise<boolean>) {
  const start = performance.now();
  while (!(await condition())) {
    assert.ok(performance.now() - start < 5000);
    await sleep(20);
  }
}

describe("beside a running server", () => {
  test("a rotation and a withdrawal by command reach it, and a service that reads its JWKS", async () => {
    const keys = createRemoteKeySet(`${server.url}/.well-known/jwks.json`, {
      algorithms: ["ES256"],
      allowInsecureHttp: true,
    });
    const verifier = createVerifier({ keys, issuer: "latchkey", audience: "latchkey" });
    const first = await login();
    assert.equal((await verifier.verify(first.access_token as string)).sub, "1");
    const { kid } = (await run("keys rotate --json")).json();
    await until(async () => kidOf((await login()).access_token as string) === kid);
    const second = await login();
    assert.equal((await verifier.verify(second.access_token as string)).sub, "1", "published before it signed");
    assert.equal(await me(first.access_token as string), 200);
    await run(`keys compromise ${kidOf(first.access_token as string)}`);
    await until(async () => (await me(first.access_token as string)) === 401);
    assert.equal(await me(second.access_token as string), 200);
    const body = { refresh_token: first.refresh_token };
    assert.equal((await call(server.url, "POST", "/v1/users/me/token/refresh", { body })).status, 200);
  });

  test("a token that the command issues is good there, and a session that it ends is over", async () => {
    const tokens = (await run("token issue ada --json")).json();
    assert.equal(await me(tokens.access_token), 200);
    await run(`sessions end ada ${tokens.session_id}`);
    await until(async () => (await me(tokens.access_token)) === 401);
  });

  test("doctor asks it as the public does", async () => {
    const { output } = await run(`doctor --url ${server.url}`);
    assert.match(output, /^ok {4}url: the server answers$/m);
    assert.match(output, /^ok {4}JWKS: \d public keys$/m);
    assert.match(output, /^ok {4}CORS: a strange origin is not allowed$/m);
    assert.match(output, /^ok {4}server clock: /m);
  });

  test("doctor names a proxy that lets every origin in, a clock that is off, and a JWKS that is none", async () => {
    const careless = createServer((_request, response) => {
      const headers = { "access-control-allow-origin": "*", date: new Date(Date.now() - 60_000).toUTCString() };
      response.writeHead(200, { ...headers, "content-type": "text/html" }).end("<h1>welcome</h1>");
    });
    careless.listen(0, "127.0.0.1");
    await new Promise((resolve) => careless.once("listening", resolve));
    const url = `http://127.0.0.1:${(careless.address() as AddressInfo).port}`;
    const { code, json } = await runCommand(["doctor", "--json", "--url", url], { env });
    careless.closeAllConnections();
    careless.close();
    assert.equal(code, 1);
    const states = (json().findings as { name: string; state: string }[]).map(({ name, state }) => `${name} ${state}`);
    for (const expected of ["CORS failure", "server clock warning", "JWKS failure"]) {
      assert.ok(states.includes(expected), `${expected} in ${states}`);
    }
    for (const wrong of ["nonsense", "ftp://localhost", url]) {
      const result = await runCommand(["doctor", "--json", "--url", wrong], { env });
      assert.equal(result.code, 1);
      const finding = (result.json().findings as { name: string; state: string; mend: string }[]).find(
        (f) => f.name === "url",
      );
      assert.equal(finding?.state, "failure", wrong);
    }
  });
});
