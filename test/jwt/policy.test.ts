/** Options that can't be meant are refused when a verifier, a signer or a key set is made, and named. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createExternalKey,
  createKeySet,
  createRemoteKeySet,
  createRevocationList,
  createSigner,
  createVerifier,
  generateKey,
  NO_AUDIENCE,
  NO_ISSUER,
  readJwks,
  toPublicJwk,
  UNTYPED,
} from "../../src/jwt/index.ts";
import { fakeSystem } from "../support/fake-system.ts";
import { AUDIENCE, ISSUER, keyFor, refusalOf, signRaw } from "./support.ts";

const keys = createKeySet([keyFor("HS256")]);
const base = { keys, issuer: ISSUER, audience: AUDIENCE };
const verifierWith = (options: object) => () => createVerifier({ ...base, ...options } as never);

test("each option of a verifier is named when it is wrong", () => {
  const wrong: readonly [options: object, message: RegExp][] = [
    [{ keys: undefined }, /keys is a key set: use createKeySet or createRemoteKeySet/],
    [{ keys: {} }, /keys is a key set/],
    [{ issuer: "" }, /issuer.*NO_ISSUER/s],
    [{ issuer: undefined }, /issuer/],
    [{ audience: [] }, /audience is empty: name at least one/],
    [{ audience: [""] }, /audience.*NO_AUDIENCE/s],
    [{ tolerance: "soon" }, /tolerance/],
    [{ tolerance: 61 }, /tolerance is at most 60 s/],
    [{ maxLifetime: "ages" }, /maxLifetime/],
    [{ maxLifetime: 0 }, /maxLifetime is longer than 0 s/],
    [{ typ: "" }, /typ/],
    [{ cache: -1 }, /cache is how many tokens to keep, 0 to 1000000/],
    [{ cache: 1_000_001 }, /cache/],
    [{ cache: 1.5 }, /cache/],
    [{ claims: {} }, /Standard Schema/],
    [{ requiredClaims: [""] }, /each of requiredClaims/],
    [{ subjectClaim: "" }, /subjectClaim/],
    [{ maxClaimsLength: 0 }, /maxClaimsLength is a count of characters, at most 8192/],
    [{ maxClaimsLength: 8193 }, /maxClaimsLength/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(
      verifierWith(options),
      (error) => error instanceof TypeError && message.test(error.message),
      JSON.stringify(options),
    );
  }
  for (const right of [{ tolerance: 60 }, { cache: 1_000_000 }, { maxClaimsLength: 8192 }, { maxClaimsLength: 1 }]) {
    assert.doesNotThrow(verifierWith(right), JSON.stringify(right));
  }
});

test("an option that there is not is named, with those that there are", () => {
  const makers: readonly [name: string, make: (options: object) => unknown, known: string][] = [
    ["createVerifier", (options) => verifierWith(options)(), "keys, issuer, audience, typ, "],
    ["createSigner", (options) => createSigner({ ...base, ttl: "1m", ...options }), "keys, issuer, audience, ttl, "],
    [
      "createRemoteKeySet",
      (options) => createRemoteKeySet("https://a.example", { algorithms: ["ES256"], ...options }),
      "algorithms, maxAge, ",
    ],
    [
      "createRevocationList",
      (options) => createRevocationList("https://a.example", { credential: "x", ...options }),
      "credential, onStale, ",
    ],
  ];
  for (const [name, make, known] of makers) {
    for (const option of ["revocation", "isues", "toString"]) {
      assert.throws(
        () => make({ [option]: undefined }),
        (error) =>
          error instanceof TypeError &&
          error.message.startsWith(`${name} has no option "${option}": there are ${known}`),
        `${name} ${option}`,
      );
    }
  }
  for (const make of [createVerifier, createSigner] as unknown as readonly (() => unknown)[]) {
    assert.throws(() => make(), {
      name: "TypeError",
      message: /^create\w+ takes an object of options: keys, issuer, /,
    });
  }
});

test("revocations are a list", () => {
  const revocations = createRevocationList as unknown;
  assert.throws(verifierWith({ revocations }), /revocations is a list: use createRevocationList/);
  assert.throws(verifierWith({ revocations: null }), /revocations is a list/);
});

test("the loud names say in messages what they are", () => {
  assert.equal(NO_AUDIENCE.description, "tokens carry no aud");
  assert.equal(NO_ISSUER.description, "tokens carry no iss");
  assert.equal(UNTYPED.description, "tokens carry no typ but JWT");
  const untyped = createVerifier({ ...base, typ: UNTYPED, system: fakeSystem() });
  const token = signRaw(keyFor("HS256"), { alg: "HS256", typ: "at+jwt" }, {});
  assert.equal(refusalOf(() => untyped.verify(token)).reason, 'typ is "at+jwt", not absent or "JWT"');
  const typed = createVerifier({ ...base, system: fakeSystem() });
  const plain = signRaw(keyFor("HS256"), { alg: "HS256", typ: "JWT" }, {});
  assert.equal(refusalOf(() => typed.verify(plain)).reason, 'typ is "JWT", not "at+jwt"');
});

test("each option of a signer is named when it is wrong", () => {
  const make = (options: object) => () => createSigner({ ...base, ttl: "15m", ...options } as never);
  assert.throws(make({ keys: undefined }), /keys is a key set: use createKeySet/);
  assert.throws(make({ ttl: "soon" }), /ttl/);
  const verifying = createKeySet(readJwks({ keys: [toPublicJwk(generateKey("ES256"))] }, ["ES256"]));
  assert.throws(make({ keys: verifying }), /no key of this set can sign: give it a secret or a private key/);
});

test("a JWKS that is none, too long, or holds what no key is, is refused as that", () => {
  const jwk = toPublicJwk(generateKey("ES256"));
  const read = (document: unknown) => () => readJwks(document, ["ES256"]);
  for (const document of [null, {}, { keys: {} }, { keys: "no" }]) {
    assert.throws(read(document), /a JWKS has an array of at most 64 keys/, JSON.stringify(document));
  }
  const many = (count: number) => ({ keys: Array.from({ length: count }, (_, i) => ({ ...jwk, kid: `k${i}` })) });
  assert.equal(readJwks(many(64), ["ES256"]).length, 64);
  assert.throws(read(many(65)), /at most 64 keys/);
  for (const odd of [null, 7, "key", [jwk]])
    assert.throws(read({ keys: [odd] }), /a JWKS holds JSON objects/, JSON.stringify(odd));
  for (const secret of [{ kty: "oct" }, { ...jwk, k: "AA" }, { ...jwk, d: "AA" }, { ...jwk, priv: "AA" }]) {
    assert.throws(read({ keys: [secret] }), /publishes a secret or private key/);
  }
  assert.throws(read({ keys: [jwk, jwk] }), /twice/);
  assert.throws(read({ keys: [{ ...jwk, use: "enc" }] }), /no key for ES256/);
  assert.throws(read({ keys: [{ ...jwk, alg: "ES384" }] }), /no key for ES256/);
  const { alg: _, ...unnamed } = jwk;
  assert.equal(readJwks({ keys: [unnamed] }, ["ES256", "RS256"])[0]?.alg, "ES256", "the one that fits");
  assert.throws(() => readJwks({ keys: [unnamed] }, ["ES384"]), /no key for ES384/);
});

test("a remote key set and an external key name what is wrong with their options", () => {
  assert.throws(() => createRemoteKeySet("no URL", { algorithms: ["ES256"] }), /a remote key set/);
  assert.throws(() => createExternalKey({} as never), TypeError);
  assert.throws(() => createExternalKey(undefined as never), TypeError);
});
