import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { createRemoteKeySet, createVerifier } from "../../src/jwt/index.ts";
import { createEngine, signIn } from "../support/engine.ts";

test("the JWKS may be kept: Cache-Control, an ETag, and 304 for who has it (checklist 33, 34)", async () => {
  const engine = await createEngine({ algorithm: "ES256", keys: { jwksMaxAge: "2m", jwksStale: "3m" } });
  const path = "/.well-known/jwks.json";
  const first = await engine.call("GET", path);
  assert.equal(first.status, 200);
  assert.equal(first.headers.get("cache-control"), "public, max-age=120, stale-while-revalidate=180");
  assert.equal(first.headers.get("content-type"), "application/json");
  assert.equal(first.body.keys.length, 2);
  const etag = first.headers.get("etag") as string;
  assert.match(etag, /^"[\w-]{22}"$/);
  for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
    const again = await engine.call("GET", path, { headers: { "if-none-match": tag } });
    assert.equal(again.status, 304, tag);
    assert.equal(again.body, undefined);
    assert.equal(again.headers.get("etag"), etag);
  }
  assert.equal((await engine.call("GET", path, { headers: { "if-none-match": '"other"' } })).status, 200);
  await engine.auth.keys.rotate({ ignoringLead: true });
  const changed = await engine.call("GET", path, { headers: { "if-none-match": etag } });
  assert.equal(changed.status, 200);
  assert.notEqual(changed.headers.get("etag"), etag);
  assert.equal(changed.body.keys.length, 3);
  await engine.auth.close();
});

test("where a secret signs, the JWKS is empty", async () => {
  const engine = await createEngine();
  assert.deepEqual((await engine.call("GET", "/.well-known/jwks.json")).body, { keys: [] });
  await engine.auth.close();
});

test("a service that fetches the JWKS over HTTP goes on verifying over a rotation (checklist 32)", async () => {
  const engine = await createEngine({ algorithm: "EdDSA" });
  const server = createServer(async (_request, response) => {
    const answer = await engine.handle(new Request("http://localhost/.well-known/jwks.json"));
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const keys = createRemoteKeySet(`http://127.0.0.1:${port}/.well-known/jwks.json`, {
    algorithms: ["EdDSA"],
    allowInsecureHttp: true,
    maxAge: "1h",
    system: engine.system,
  });
  const verifier = createVerifier({ keys, issuer: "latchkey", audience: "latchkey", system: engine.system });
  const { tokens } = await signIn(engine);
  assert.equal((await verifier.verify(tokens.accessToken)).sub, "1");
  const fetched = keys.version;
  engine.system.advance("15m");
  await engine.auth.keys.rotate();
  const newer = await engine.auth.refresh(tokens.refreshToken);
  // Within the service's cool-down no fetch would have been possible: it had the key before it was used.
  assert.equal((await verifier.verify(newer.accessToken)).sub, "1");
  assert.equal(keys.version, fetched);
  server.closeAllConnections();
  server.close();
  await engine.auth.close();
});
