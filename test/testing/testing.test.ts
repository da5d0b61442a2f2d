import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { requireAuth } from "../../src/adapters/node.ts";
import { createRemoteKeySet, createVerifier, generateKey, toPublicPem } from "../../src/jwt/index.ts";
import { createTestIssuer, expectRejects, hostileRequests } from "../../src/testing/index.ts";
import { createEngine, TEST_SECRET } from "../support/engine.ts";

const servers: { close(): unknown }[] = [];
after(() => {
  for (const server of servers) server.close();
});

async function serving(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const welcome: RequestListener = (_request, response) => void response.end("welcome");

test("our own guards let nothing in: an engine's, and a verifier's (checklist 1, 2, 18, 21, 22, 24)", async () => {
  const engine = await createEngine();
  const issuer = createTestIssuer({ secret: TEST_SECRET, now: engine.system.now() });
  await expectRejects(await serving(requireAuth(engine.auth)(welcome)), { issuer });
  await expectRejects(await serving(requireAuth(issuer.verifier)(welcome)), { issuer });
  await engine.auth.close();
});

test("a guard as people write it is found out, by name", async () => {
  const issuer = createTestIssuer();
  const url = await serving((request, response) => {
    const [head = "", body = "", mac] = (request.headers.authorization ?? "").replace("Bearer ", "").split(".");
    const expected = createHmac("sha256", issuer.secret).update(`${head}.${body}`).digest("base64url");
    const { exp } = JSON.parse(Buffer.from(body, "base64url").toString() || "{}") ?? {};
    const isGood = mac === expected && !(typeof exp === "number" && exp < Date.now() / 1000);
    response.writeHead(isGood ? 200 : 401).end();
  });
  const error = await expectRejects(url, { issuer }).then(
    () => assert.fail("it has holes"),
    (cause: Error) => cause,
  );
  for (const hole of [
    "no exp (200)",
    "exp infinite (200)",
    "another issuer (200)",
    "another audience (200)",
    "a token of another kind (typ) (200)",
    "two Authorization headers (200)",
    "a critical extension (crit) (200)",
  ]) {
    assert.ok(error.message.includes(hole), `${hole} is named`);
  }
  assert.ok(!error.message.includes("another key"), "and nothing that was refused");
  const all = hostileRequests(issuer).map(({ name }) => name);
  await expectRejects(url, { issuer, allow: all });
  await assert.rejects(expectRejects(url, { issuer, allow: ["nonsense"] }), /there is no attack "nonsense"/);
  assert.ok(all.length >= 40);
  assert.equal(new Set(all).size, all.length);
});

test("an application with a key pair is attacked with its own public key, too (checklist 1, 3)", async () => {
  for (const alg of ["ES256", "RS256", "EdDSA", "HS512"] as const) {
    const key = generateKey(alg);
    const issuer = createTestIssuer({ key });
    await expectRejects(await serving(requireAuth(issuer.verifier)(welcome)), { issuer });
    if (key.type === "secret") continue;
    const fetched = createRemoteKeySet("https://issuer.example/jwks", {
      algorithms: [key.alg],
      fetch: async () => Response.json(issuer.jwks()),
    });
    const verifier = createVerifier({ keys: fetched, issuer: "latchkey", audience: "latchkey" });
    await expectRejects(await serving(requireAuth(verifier)(welcome)), { issuer });
    // As who lets the token say how it is verified.
    const confused = await serving((request, response) => {
      const token = (request.headers.authorization ?? "").replace("Bearer ", "");
      const [head = "", body = "", mac] = token.split(".");
      const expected = createHmac("sha256", toPublicPem(key)).update(`${head}.${body}`).digest("base64url");
      if (mac === expected) return welcome(request, response);
      requireAuth(issuer.verifier)(welcome)(request, response);
    });
    await assert.rejects(expectRejects(confused, { issuer }), /were not refused: a public key as secret \(200\)/);
  }
  assert.throws(() => createTestIssuer({ secret: TEST_SECRET, key: generateKey("ES256") }), /not both/);
});

test("a route that asks for roles is attacked with them, so that nothing is refused for the lack of them", async () => {
  const issuer = createTestIssuer();
  const claims = { roles: ["staff"], plan: "pro" };
  const guard = requireAuth(issuer.verifier, { roles: ["staff"], claims: { plan: "pro" } });
  const url = await serving(guard(welcome));
  await assert.rejects(expectRejects(url, { issuer }), /answered with 403: .* the claims that the route asks for/);
  await expectRejects(url, { issuer, user: 7, claims });
  // Whoever looks at roles alone is found out by all that has them.
  const careless = await serving((request, response) => {
    const body = (request.headers.authorization ?? "").split(".")[1] ?? "";
    const read = JSON.parse(Buffer.from(body, "base64url").toString().replace(/\0+$/, "") || "{}");
    response.writeHead(read?.roles?.includes("staff") ? 200 : 403).end();
  });
  const { message } = await expectRejects(careless, { issuer, claims }).then(
    () => assert.fail("it has holes"),
    (cause: Error) => cause,
  );
  assert.ok(Number(/^(\d+) of/.exec(message)?.[1]) > 30, message);
});

test("a server that hangs up has not refused, nor has one that redirects", async () => {
  const issuer = createTestIssuer();
  const good = (authorization = "") => authorization.startsWith("Bearer ey") && authorization.split(".").length === 3;
  const url = await serving((request, response) => {
    if (request.headers.authorization === undefined) return void request.socket.destroy();
    if (good(request.headers.authorization) && !request.url?.includes("?")) return void response.end("in");
    response.writeHead(302, { location: "/login" }).end();
  });
  const { message } = await expectRejects(url, { issuer }).then(
    () => assert.fail("it has holes"),
    (cause: Error) => cause,
  );
  assert.match(message, /no credential \(socket hang up\)/);
  assert.match(message, /garbage \(302\)/);
});

test("a route that refuses everybody, and one that falls over, show nothing", async () => {
  const issuer = createTestIssuer();
  await assert.rejects(
    expectRejects(() => 401, { issuer }),
    /a good token was answered with 401/,
  );
  const good = `Bearer ${issuer.tokenFor(1)}`;
  await assert.rejects(
    expectRejects(
      ({ headers }) =>
        headers.authorization?.length === good.length && headers.authorization.slice(0, 60) === good.slice(0, 60)
          ? 200
          : 500,
      { issuer },
    ),
    /attacks were not refused: .*\(500\)/,
  );
});

test("the clock moves by hand, and claims are what the test wants", () => {
  const issuer = createTestIssuer({ issuer: "shop", audience: "api", now: 1_800_000_000 });
  const token = issuer.tokenFor(7, { roles: ["staff"] }, { expiresIn: "5m" });
  const claims = issuer.verifier.verify(token) as Record<string, unknown>;
  assert.deepEqual([claims.sub, claims.iss, claims.roles, claims.exp], ["7", "shop", ["staff"], 1_800_000_300]);
  issuer.advance("6m");
  assert.throws(() => issuer.verifier.verify(token), { code: "token_expired" });
  assert.throws(() => issuer.verifier.verify(issuer.tokenFor(7, { iat: 1, exp: 2 })), { code: "token_expired" });
});
