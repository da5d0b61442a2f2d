import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import {
  AuthError,
  createKeySet,
  createRemoteKeySet,
  createSigner,
  createVerifier,
  exposePrivateJwk,
  generateKey,
  type Jwk,
  type PrivateKey,
  type RemoteKeySetOptions,
  readJwks,
  toJwks,
  toPublicJwk,
} from "../../src/jwt/index.ts";
import { type FakeSystem, fakeSystem } from "../support/fake-system.ts";
import { AUDIENCE, ISSUER, keyFor } from "./support.ts";

const URL_OF_KEYS = "https://auth.example.com/.well-known/jwks.json";

/** An issuer elsewhere, whose answers and outages the test decides. */
function elsewhere(options: Partial<RemoteKeySetOptions> = {}) {
  const system = fakeSystem();
  const state = {
    calls: 0,
    document: "",
    failures: [] as Error[],
    respond: undefined as undefined | (() => Promise<Response>),
  };
  const publish = (...keys: PrivateKey[]) => {
    state.document = JSON.stringify(toJwks(createKeySet(keys)));
  };
  const fetch = (async () => {
    state.calls++;
    return state.respond ? state.respond() : new Response(state.document);
  }) as typeof globalThis.fetch;
  const keys = createRemoteKeySet(URL_OF_KEYS, {
    algorithms: ["ES256"],
    fetch,
    system,
    onFailure: (cause) => state.failures.push(cause),
    ...options,
  });
  const verifier = createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, system });
  const sign = (key: PrivateKey, sub = "42") =>
    createSigner({ keys: createKeySet([key]), issuer: ISSUER, audience: AUDIENCE, ttl: "1h", system }).sign({ sub });
  return { system, state, publish, keys, verifier, sign };
}

async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

const [one, two, three] = [generateKey("ES256"), generateKey("ES256"), generateKey("ES256")];

test("keys are fetched when the first token comes, once however many come, and then kept (checklist 34)", async () => {
  const { publish, state, verifier, sign } = elsewhere();
  publish(one);
  assert.equal(state.calls, 0);
  const token = sign(one);
  const all = await Promise.all(Array.from({ length: 20 }, () => verifier.verify(token)));
  assert.deepEqual([all.length, all[0]?.sub, state.calls], [20, "42", 1]);
  await verifier.verify(sign(one, "43"));
  assert.equal(state.calls, 1);
});

test("old keys are renewed in the background while they serve (checklist 34)", async () => {
  const { publish, state, verifier, sign, system } = elsewhere({ maxAge: "10m" });
  publish(one);
  await verifier.verify(sign(one));
  publish(one, two);
  system.advance("10m");
  await verifier.verify(sign(one));
  assert.equal(state.calls, 1, "at its age they are still fresh");
  system.advance("1s");
  let answer: (response: Response) => void = () => undefined;
  state.respond = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  assert.equal((await verifier.verify(sign(one))).sub, "42", "the answer has not come, and nobody waits for it");
  assert.equal(state.calls, 2);
  await verifier.verify(sign(one));
  assert.equal(state.calls, 2, "one fetch at a time");
  answer(new Response(state.document));
  await settle();
  assert.equal((await verifier.verify(sign(two))).sub, "42");
  assert.equal(state.calls, 2);
});

test("an unknown kid asks for newer keys, but not more often than the cool-down allows (checklist 34)", async () => {
  const { publish, state, verifier, sign, system } = elsewhere({ cooldown: "30s" });
  publish(one);
  await verifier.verify(sign(one));
  publish(one, two);
  await assert.rejects(verifier.verify(sign(two)), { code: "token_invalid" });
  assert.equal(state.calls, 1, "just fetched");
  system.advance("30s");
  assert.equal((await verifier.verify(sign(two))).sub, "42");
  assert.equal(state.calls, 2);
  for (let i = 0; i < 50; i++)
    await assert.rejects(verifier.verify(sign(three)), { code: "token_invalid", reason: /kid ".*" is unknown/ });
  assert.equal(state.calls, 2);
  system.advance("30s");
  await Promise.all(
    Array.from({ length: 50 }, () => assert.rejects(verifier.verify(sign(three)), { code: "token_invalid" })),
  );
  assert.equal(state.calls, 3);
});

test("forged tokens of a known kid fetch nothing, nor do malformed ones (checklist 34)", async () => {
  const { publish, state, verifier, sign, system } = elsewhere();
  publish(one);
  await verifier.verify(sign(one));
  system.advance("1m");
  const token = sign(one);
  for (const bad of [`${token.slice(0, -4)}AAAA`, "x", "a.b.c", "", `${token}.x`, undefined as unknown as string]) {
    await assert.rejects(verifier.verify(bad), { code: "token_invalid" });
  }
  assert.equal(state.calls, 1);
});

test("when fetching fails the old keys go on serving, for a time (checklist 34)", async () => {
  const { publish, state, verifier, sign, system } = elsewhere({ maxAge: "10m", maxStale: "24h", cooldown: "30s" });
  publish(one);
  await verifier.verify(sign(one));
  state.respond = async () => {
    throw new TypeError("no route");
  };
  for (let hour = 0; hour < 23; hour++) {
    system.advance("1h");
    assert.equal((await verifier.verify(sign(one))).sub, "42");
    await settle();
  }
  assert.equal(state.failures.length, 23);
  assert.match(String(state.failures[0]), /no route/);
  system.advance("1h");
  assert.equal((await verifier.verify(sign(one))).sub, "42");
  await settle();
  system.advance("1s");
  await assert.rejects(
    verifier.verify(sign(one)),
    (error) =>
      error instanceof AuthError && error.code === "secret_unknown" && error.status === 503 && error.retryAfter === 1,
  );
  state.respond = undefined;
  system.advance("30s");
  assert.equal((await verifier.verify(sign(one))).sub, "42");
});

test("before any keys could be fetched the answer is 503, and the next try waits for the cool-down", async () => {
  const { publish, state, verifier, sign, system } = elsewhere({ cooldown: "30s" });
  publish(one);
  const { document } = state;
  state.document = "";
  await assert.rejects(verifier.verify(sign(one)), {
    code: "secret_unknown",
    reason: "no keys from auth.example.com: the answer is not JSON",
  });
  await assert.rejects(verifier.verify("x"), { code: "secret_unknown" });
  assert.equal(state.calls, 1);
  state.document = document;
  await assert.rejects(verifier.verify(sign(one)), { code: "secret_unknown" });
  assert.equal(state.calls, 1);
  system.advance("30s");
  assert.equal((await verifier.verify(sign(one))).sub, "42");
});

test("a key that the issuer withdraws is refused from the next renewal on, also for cached tokens (checklist 32)", async () => {
  const { publish, state, keys, sign, system } = elsewhere({ maxAge: "10m" });
  const verifier = createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, cache: 10, system });
  publish(one, two);
  const token = sign(one);
  assert.equal(await verifier.verify(token), await verifier.verify(token), "cached");
  publish(two);
  system.advance("11m");
  await verifier.verify(token);
  await settle();
  await assert.rejects(verifier.verify(token), { code: "token_invalid", reason: /unknown/ });
  const version = keys.version;
  system.advance("11m");
  await verifier.verify(sign(two));
  await settle();
  assert.equal(state.calls, 3);
  assert.equal(keys.version, version, "the same document again changes nothing");
});

test("a document that publishes secrets, repeats a kid or is no key set is refused whole, and the old keys stay (checklist 6)", async () => {
  const { publish, state, verifier, sign, system } = elsewhere({ maxAge: "1m" });
  publish(one);
  await verifier.verify(sign(one));
  const jwk = toPublicJwk(one);
  const documents = [
    JSON.stringify({ keys: [jwk, exposePrivateJwk(two)] }),
    JSON.stringify({ keys: [jwk, { kty: "oct", k: "A".repeat(43) }] }),
    JSON.stringify({ keys: [jwk, { ...toPublicJwk(two), kid: jwk.kid }] }),
    JSON.stringify({ keys: [] }),
    JSON.stringify({ keys: {} }),
    JSON.stringify([jwk]),
    JSON.stringify({ keys: [null] }),
    JSON.stringify({ keys: [[jwk]] }),
    "null",
    "7",
    "",
    "{",
    '{"keys":[],"keys":[]}',
    JSON.stringify({ keys: Array.from({ length: 65 }, () => jwk) }),
    JSON.stringify({ keys: [toPublicJwk(keyFor("RS256") as PrivateKey)] }),
    `{"keys":[],"x":"${"x".repeat(300_000)}"}`,
  ];
  for (const [index, document] of documents.entries()) {
    state.document = document;
    system.advance("2m");
    assert.equal((await verifier.verify(sign(one))).sub, "42");
    await settle();
    assert.equal(state.failures.length, index + 1, document.slice(0, 60));
    assert.equal((await verifier.verify(sign(one))).sub, "42");
  }
});

test("an answer that is not 200 is a failure", async () => {
  for (const status of [201, 204, 301, 404, 500]) {
    const { state, verifier, sign } = elsewhere();
    state.respond = async () =>
      new Response(status === 204 ? null : JSON.stringify(toJwks(createKeySet([one]))), { status });
    await assert.rejects(verifier.verify(sign(one)), { code: "secret_unknown" });
    assert.match(String(state.failures[0]), new RegExp(`status ${status}`));
  }
});

test("a refusal for want of keys says why the last fetch failed, also while no other is made", async () => {
  const answers: readonly [respond: () => Promise<Response>, why: string][] = [
    [
      async () => Response.json({ keys: [] }),
      "the JWKS is empty, as it is where the issuer signs with a secret (HS256)",
    ],
    [
      async () => Response.json({ keys: [toPublicJwk(keyFor("RS256") as PrivateKey)] }),
      'the JWKS has no key for ES256, but for "RS256"',
    ],
    [async () => new Response("", { status: 404 }), "the answer has status 404"],
    [async () => new Response("<!doctype html>"), "the answer is not JSON"],
    [
      () => Promise.reject(new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } })),
      "fetch failed (ECONNREFUSED)",
    ],
    [() => Promise.reject("in\nwords"), "in words"],
    [() => Promise.reject(new Error("x".repeat(500))), `${"x".repeat(160)}...`],
  ];
  for (const [respond, why] of answers) {
    const { state, verifier, sign } = elsewhere();
    state.respond = respond;
    for (const attempt of ["fetched", "within the cool-down"]) {
      await assert.rejects(verifier.verify(sign(one)), (error: AuthError) => {
        assert.equal(error.reason, `no keys from auth.example.com: ${why}`, attempt);
        assert.equal(error.cause, state.failures[0], attempt);
        assert.ok(error.cause instanceof Error);
        return error.code === "secret_unknown";
      });
    }
    assert.equal(state.calls, 1);
  }
});

test("what failed once and was good since is not told", async () => {
  const { publish, state, verifier, sign, system } = elsewhere({ maxAge: "5s", maxStale: "10s" });
  state.respond = async () => new Response("", { status: 404 });
  await assert.rejects(verifier.verify(sign(one)), /try again/);
  state.respond = undefined;
  publish(one);
  system.advance("30s");
  await verifier.verify(sign(one));
  system.advance("20s");
  await assert.rejects(verifier.verify(sign(one)), { reason: "no keys from auth.example.com" });
});

test("a log that throws, and a failure that is no Error, change nothing", async () => {
  const { state, verifier, sign } = elsewhere({
    onFailure: () => {
      throw new Error("the log is full");
    },
  });
  state.respond = () => Promise.reject("text");
  await assert.rejects(verifier.verify(sign(one)), { code: "secret_unknown" });
});

test("keys without alg get the one trusted algorithm that fits; others, and keys for encryption, are passed over (checklist 6)", () => {
  const { alg: _, use: __, kid: ___, ...bare } = toPublicJwk(one);
  const rsa = toPublicJwk(keyFor("RS256") as PrivateKey);
  const { alg: ____, ...rsaBare } = rsa;
  assert.deepEqual(
    readJwks({ keys: [bare] }, ["ES256", "RS256"]).map(({ alg, kid }) => [alg, kid]),
    [["ES256", one.kid]],
  );
  assert.deepEqual(
    readJwks({ keys: [rsaBare, bare] }, ["ES256", "RS256", "PS256"]).map(({ alg }) => alg),
    ["ES256"],
    "RSA could be either",
  );
  assert.deepEqual(
    readJwks({ keys: [rsa, toPublicJwk(two)] }, ["ES256"]).map(({ kid }) => kid),
    [two.kid],
  );
  assert.deepEqual(
    readJwks(
      { keys: [{ ...toPublicJwk(one), use: "enc" }, { kty: "x" }, { ...toPublicJwk(one), y: "AA" }, toPublicJwk(two)] },
      ["ES256"],
    ).map(({ kid }) => kid),
    [two.kid],
  );
  assert.throws(() => readJwks({ keys: [{ ...bare, alg: "HS256" }] }, ["ES256"]), /no key for ES256/);
  for (const member of ["d", "k", "priv"])
    assert.throws(() => readJwks({ keys: [{ ...bare, [member]: "AA" }] as Jwk[] }, ["ES256"]), /publishes a secret/);
});

test("the address must be https, without credentials, and the algorithms those of key pairs (checklist 10)", () => {
  const algorithms = ["ES256"] as const;
  for (const url of [
    "http://auth.example.com/jwks",
    "ftp://x/y",
    "file:///etc/passwd",
    "data:application/json,{}",
    "auth.example.com",
    "",
    "https://user@x/",
    "https://:pw@x/",
    undefined as unknown as string,
  ]) {
    assert.throws(() => createRemoteKeySet(url, { algorithms }), TypeError, String(url));
  }
  assert.throws(() => createRemoteKeySet("ftp://x/y", { algorithms, allowInsecureHttp: true }), TypeError);
  assert.equal(
    createRemoteKeySet("http://localhost/jwks", { algorithms, allowInsecureHttp: true }).url,
    "http://localhost/jwks",
  );
  assert.equal(createRemoteKeySet(new URL(URL_OF_KEYS), { algorithms }).url, URL_OF_KEYS);
  for (const wrong of [undefined, [], ["HS256"], ["ES256", "HS256"], ["none"], "ES256", [undefined]]) {
    assert.throws(() => createRemoteKeySet(URL_OF_KEYS, { algorithms: wrong as never }), TypeError, String(wrong));
  }
  assert.throws(() => createRemoteKeySet(URL_OF_KEYS, undefined as never), TypeError);
  for (const name of ["maxAge", "maxStale", "cooldown", "timeout"])
    assert.throws(() => createRemoteKeySet(URL_OF_KEYS, { algorithms, [name]: "soon" } as never), new RegExp(name));
});

test("over real HTTP: keys are fetched, a redirect is not followed, a slow or endless answer is cut off", async (t) => {
  const document = JSON.stringify(toJwks(createKeySet([one])));
  const accepts: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    accepts.push(request.headers.accept);
    if (request.url === "/redirect") return void response.writeHead(302, { location: "/jwks" }).end();
    if (request.url === "/slow") return void response.write("{");
    if (request.url === "/endless") {
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(65_536)));
      };
      response.on("drain", more).on("error", () => undefined);
      return void more();
    }
    response.end(document);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const verify = async (path: string) => {
    const failures: Error[] = [];
    const keys = createRemoteKeySet(`http://127.0.0.1:${port}${path}`, {
      algorithms: ["ES256"],
      allowInsecureHttp: true,
      timeout: "1s",
      onFailure: (cause) => failures.push(cause),
    });
    const verifier = createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE });
    const token = createSigner({ keys: createKeySet([one]), issuer: ISSUER, audience: AUDIENCE, ttl: "1h" }).sign({
      sub: "42",
    });
    return {
      answer: await verifier.verify(token).then(
        ({ sub }) => sub,
        (error: AuthError) => error.code,
      ),
      failures,
    };
  };
  assert.equal((await verify("/jwks")).answer, "42");
  assert.match(String(accepts[0]), /application\/jwk-set\+json/);
  const [redirect, slow, endless] = await Promise.all(["/redirect", "/slow", "/endless"].map(verify));
  for (const result of [redirect, slow, endless])
    assert.deepEqual([result?.answer, result?.failures.length], ["secret_unknown", 1]);
  assert.match(String(endless?.failures[0]), /more than 262144 bytes/);
  assert.match(String(slow?.failures[0]), /[Tt]imeout/);
});

test("asynchronous claims schemas are waited for, and one that rejects refuses the token", async () => {
  const { publish, keys, sign, system } = elsewhere();
  publish(one);
  const verifier = (validate: (value: unknown) => unknown) =>
    createVerifier({
      keys,
      issuer: ISSUER,
      audience: AUDIENCE,
      system,
      claims: { "~standard": { version: 1, vendor: "test", validate: validate as never } },
    });
  assert.equal((await verifier(async () => ({ value: { role: "admin" } })).verify(sign(one))).role, "admin");
  await assert.rejects(verifier(async () => ({ issues: [{ message: "no" }] })).verify(sign(one)), {
    code: "token_invalid",
    reason: /do not fit/,
  });
  await assert.rejects(
    verifier(async () => {
      throw new Error("boom");
    }).verify(sign(one)),
    { code: "token_invalid", reason: /threw/ },
  );
});

test("a token without kid is for the only key of the remote set, and refused where there are several", async () => {
  const { publish, verifier, sign, system } = elsewhere();
  const { signRaw } = await import("./support.ts");
  publish(one);
  const now = system.now();
  const token = signRaw(
    one,
    { alg: "ES256", typ: "at+jwt" },
    { iss: ISSUER, aud: AUDIENCE, sub: "42", iat: now, exp: now + 60 },
  );
  assert.equal((await verifier.verify(token)).sub, "42");
  publish(one, two);
  system.advance("30s");
  await assert.rejects(verifier.verify(sign(three)));
  await assert.rejects(verifier.verify(token), { reason: /kid is missing/ });
});

export type { FakeSystem };
