import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createKeySet,
  createSigner,
  createVerifier,
  generateKey,
  NO_AUDIENCE,
  NO_ISSUER,
  toPublicKey,
} from "../../src/jwt/index.ts";
import { fakeSystem } from "../support/fake-system.ts";
import { AUDIENCE, ISSUER } from "./support.ts";

for (const alg of ["HS256", "HS384", "HS512"] as const) {
  test(`a token signed with ${alg} verifies, and its claims come back`, () => {
    const system = fakeSystem();
    const keys = createKeySet([generateKey(alg)]);
    const signer = createSigner({ keys, issuer: ISSUER, audience: AUDIENCE, ttl: "15m", system });
    const verifier = createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, system });
    const iat = system.now();
    const token = signer.sign(
      { sub: "42", sid: "s1", epoch: 1, jti: "j1", iat, exp: iat + 60, typ: "at+jwt" },
      { role: "admin" },
    );
    assert.deepEqual(
      { ...verifier.verify(token) },
      {
        iss: ISSUER,
        aud: AUDIENCE,
        sub: "42",
        sid: "s1",
        epoch: 1,
        jti: "j1",
        iat,
        exp: iat + 60,
        typ: "at+jwt",
        role: "admin",
      },
    );
    assert.equal(
      Buffer.from(token.split(".")[0] as string, "base64url").toString(),
      `{"alg":"${alg}","typ":"at+jwt","kid":"${alg}"}`,
    );
  });
}

test("the lifetime comes from ttl when the call gives none, and a token dies at its exp", () => {
  const system = fakeSystem();
  const keys = createKeySet([generateKey("HS256")]);
  const signer = createSigner({ keys, issuer: ISSUER, audience: AUDIENCE, ttl: "15m", system });
  const verifier = createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, tolerance: 0, system });
  const token = signer.sign({ sub: "42" });
  system.advance(15 * 60 - 1);
  assert.equal(verifier.verify(token).exp, system.now() + 1);
  system.advance("1s");
  assert.throws(() => verifier.verify(token), { name: "AuthError", code: "token_expired" });
});

test("the application can't set a registered claim, nor one that the issuer has set", () => {
  const keys = createKeySet([generateKey("HS256")]);
  const signer = createSigner({ keys, issuer: ISSUER, audience: NO_AUDIENCE, ttl: "15m" });
  for (const name of ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid"]) {
    assert.throws(() => signer.sign({ sub: "42", sid: "s1" }, { [name]: "x" }), TypeError);
  }
  assert.throws(() => signer.sign({ sub: "42", iss: "me" }), TypeError);
  assert.throws(() => signer.sign({ sub: "42", aud: "you" }), TypeError);
});

test("iss, aud, typ and the order of claims are the signer's", () => {
  const system = fakeSystem(1_800_000_000);
  const keys = createKeySet([generateKey("HS256")]);
  const payloadOf = (token: string) => Buffer.from(token.split(".")[1] as string, "base64url").toString();
  const headerOf = (token: string) => Buffer.from(token.split(".")[0] as string, "base64url").toString();
  const both = createSigner({ keys, issuer: ISSUER, audience: [AUDIENCE, "b"], ttl: 60, typ: "x+jwt", system });
  const token = both.sign({ sub: "42", sid: "s", jti: "j" }, { role: "admin", nested: { a: [1] } });
  assert.equal(
    payloadOf(token),
    `{"iss":"${ISSUER}","aud":["${AUDIENCE}","b"],"sub":"42","sid":"s","jti":"j","iat":1800000000,"exp":1800000060,"role":"admin","nested":{"a":[1]}}`,
  );
  assert.equal(headerOf(token), '{"alg":"HS256","typ":"x+jwt","kid":"HS256"}');
  const bare = createSigner({ keys, issuer: NO_ISSUER, audience: NO_AUDIENCE, ttl: 60, system });
  assert.equal(
    payloadOf(bare.sign({ sub: "42", jti: "j" })),
    '{"sub":"42","jti":"j","iat":1800000000,"exp":1800000060}',
  );
  assert.equal(
    payloadOf(bare.sign({ sub: "42", jti: "j" }, {})),
    '{"sub":"42","jti":"j","iat":1800000000,"exp":1800000060}',
  );
  assert.equal(
    payloadOf(bare.sign({ sub: "42", jti: "j", gone: undefined }, { gone2: undefined })),
    '{"sub":"42","jti":"j","iat":1800000000,"exp":1800000060}',
  );
  const onlyIssuer = createSigner({ keys, issuer: 'é"\\', audience: NO_AUDIENCE, ttl: 60, system });
  assert.equal(JSON.parse(payloadOf(onlyIssuer.sign({ sub: "42" }))).iss, 'é"\\');
});

test("each token has a jti of its own with 128 random bits, unless it is given one (checklist 23)", () => {
  const keys = createKeySet([generateKey("HS256")]);
  const signer = createSigner({ keys, issuer: ISSUER, audience: AUDIENCE, ttl: "15m" });
  const jtis = Array.from(
    { length: 1000 },
    () => JSON.parse(Buffer.from(signer.sign({ sub: "1" }).split(".")[1] as string, "base64url").toString()).jti,
  );
  assert.equal(new Set(jtis).size, 1000);
  assert.match(jtis[0], /^[\w-]{22}$/);
});

test("claims of the wrong type, in the wrong order of time, or too many are refused before anything is signed", () => {
  const system = fakeSystem(1_800_000_000);
  const signer = createSigner({
    keys: createKeySet([generateKey("HS256")]),
    issuer: ISSUER,
    audience: AUDIENCE,
    ttl: "15m",
    system,
  });
  const wrong: Record<string, unknown>[] = [
    { sub: "" },
    { sub: 42 },
    { sub: undefined },
    { sub: null },
    { jti: "" },
    { jti: 7 },
    { exp: 1_800_000_000 },
    { exp: 1_700_000_000 },
    { exp: Number.POSITIVE_INFINITY },
    { exp: Number.NaN },
    { exp: "1900000000" },
    { exp: 1_800_000_000.5 },
    { exp: -1 },
    { iat: Number.NaN },
    { iat: "now" },
    { iat: -1 },
    { iat: 1_900_000_000, exp: 1_900_000_000 },
    { nbf: "now" },
    { nbf: 1.5 },
    { nbf: null },
    { iss: "me" },
    { aud: "you" },
    { toJSON: () => ({ sub: "1" }) },
    { big: 1n },
  ];
  for (const claims of wrong)
    assert.throws(() => signer.sign({ sub: "42", ...claims } as never), TypeError, Object.keys(claims).join());
  assert.throws(() => signer.sign({ sub: "42" }, { toJSON: () => ({ sub: "1" }) }), /toJSON/);
  assert.throws(
    () => signer.sign({ sub: "42" }, { x: "x".repeat(3000) }),
    /more than 4096 characters: put less in them/,
  );
  assert.throws(() => signer.sign({ sub: "42" }, { x: "x".repeat(10_000) }), /more than 8192/);
  assert.throws(() => signer.sign({ sub: "42", x: "é".repeat(9000) }), /more than 8192/);
  assert.match(signer.sign({ sub: "42", nbf: 1_800_000_000 }), /^[\w-]+\.[\w-]+\.[\w-]+$/);
});

test("a signer with a larger limit signs up to what a token may be, and not more", () => {
  const system = fakeSystem();
  const keys = createKeySet([generateKey("HS256")]);
  const limits = { keys, issuer: ISSUER, audience: AUDIENCE, maxClaimsLength: 8192, system } as const;
  const signer = createSigner({ ...limits, ttl: "15m" });
  const verifier = createVerifier(limits);
  let longest = "";
  for (let length = 5500; length < 6200; length++) {
    try {
      longest = signer.sign({ sub: "é".repeat(100), x: "x".repeat(length) });
      assert.equal((verifier.verify(longest).x as string).length, length);
    } catch (error) {
      assert.match((error as TypeError).message, /more than 8192/);
    }
  }
  assert.ok(longest.length > 8186 && longest.length <= 8192, `${longest.length}`);
});

test("a signer is not made of options that are missing or mean nothing", () => {
  const keys = createKeySet([generateKey("HS256")]);
  const good = { keys, issuer: ISSUER, audience: AUDIENCE, ttl: "15m" };
  const wrong: Record<string, unknown>[] = [
    { keys: undefined },
    { keys: [] },
    { issuer: undefined },
    { issuer: "" },
    { audience: undefined },
    { audience: [] },
    { ttl: undefined },
    { ttl: 0 },
    { ttl: "soon" },
    { ttl: -1 },
    { typ: "" },
    { typ: 7 },
    { maxClaimsLength: 9000 },
    { keys: createKeySet([toPublicKey(generateKey("ES256"))]) },
  ];
  for (const options of wrong)
    assert.throws(() => createSigner({ ...good, ...options } as never), TypeError, Object.keys(options).join());
});
