import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createKeySet,
  createSigner,
  createVerifier,
  generateKey,
  type Key,
  type PrivateKey,
  toJwks,
  toPublicKey,
} from "../../src/jwt/index.ts";
import { fakeSystem } from "../support/fake-system.ts";
import { AUDIENCE, ISSUER, keyFor, refusalOf } from "./support.ts";

test("two keys of one kid are refused, as is a set without keys (checklist 6)", () => {
  assert.throws(
    () => createKeySet([generateKey("HS256"), generateKey("HS256")]),
    /two keys have the kid "HS256": give each its own/,
  );
  assert.throws(() => createKeySet([]), TypeError);
  assert.throws(() => createKeySet(undefined as unknown as Key[]), TypeError);
  assert.throws(() => createKeySet([{ type: "secret", alg: "HS256", kid: "1" } as unknown as Key]), /made of keys/);
});

test("the first key that can sign signs, or the one that is named", () => {
  const [one, two] = [generateKey("ES256"), generateKey("HS256")];
  assert.equal(createKeySet([toPublicKey(one), two]).signingKey, two);
  assert.equal(createKeySet([one, two]).signingKey, one);
  assert.equal(createKeySet<Key>([one, two], { signWith: "HS256" }).signingKey, two);
  assert.equal(createKeySet([toPublicKey(one)]).signingKey, undefined);
  assert.throws(() => createKeySet([one], { signWith: "other" }), /signWith is "other", and no key has that kid/);
  assert.throws(() => createKeySet([one], { withoutKid: "other" }), /withoutKid is "other"/);
  assert.throws(() => createKeySet([toPublicKey(one)], { signWith: one.kid }), /only a private one signs/);
});

test("a key is found by its own kid and not by what objects inherit (checklist 11)", () => {
  const keys = createKeySet([generateKey("HS256")]);
  assert.equal(keys.find("HS256")?.kid, "HS256");
  for (const kid of ["__proto__", "constructor", "toString", ""]) assert.equal(keys.find(kid), undefined);
});

test("the published set has public members only, and secrets are not in it at all (checklist 33)", () => {
  const keys = createKeySet<Key>([
    generateKey("HS256"),
    keyFor("RS256"),
    generateKey("ES256"),
    generateKey("EdDSA"),
    generateKey("ML-DSA-44"),
  ]);
  const jwks = toJwks(keys);
  assert.deepEqual(
    jwks.keys.map(({ alg }) => alg),
    ["RS256", "ES256", "EdDSA", "ML-DSA-44"],
  );
  for (const jwk of jwks.keys) {
    const members = Object.keys(jwk).sort().join();
    assert.match(members, /^(alg,e,kid,kty,n,use|alg,crv,kid,kty,use,x,y|alg,crv,kid,kty,use,x|alg,kid,kty,pub,use)$/);
    assert.match(String(jwk.kid), /^[\w-]{43}$/, "an RFC 7638 thumbprint");
  }
  assert.deepEqual(toJwks(createKeySet([generateKey("HS256")])), { keys: [] });
});

test("rotation: the old key verifies until it is retired, and not a call longer (checklist 32)", () => {
  const system = fakeSystem();
  const [old, next] = [generateKey("HS256", { kid: "1" }), generateKey("HS256", { kid: "2" })];
  const keys = createKeySet([old]);
  const signer = createSigner({ keys, issuer: ISSUER, audience: AUDIENCE, ttl: "15m", system });
  const verifiers = [0, 100].map((cache) =>
    createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, cache, system }),
  );
  const verifyAll = (token: string) => verifiers.map((verifier) => verifier.verify(token).sub);
  const before = signer.sign({ sub: "before" });
  assert.deepEqual(verifyAll(before), ["before", "before"]);

  keys.replace([next, old]);
  const after = signer.sign({ sub: "after" });
  assert.match(Buffer.from(after.split(".")[0] as string, "base64url").toString(), /"kid":"2"/);
  assert.deepEqual(verifyAll(before), ["before", "before"]);
  assert.deepEqual(verifyAll(after), ["after", "after"]);

  keys.replace([next]);
  assert.deepEqual(verifyAll(after), ["after", "after"]);
  for (const verifier of verifiers) assert.match(refusalOf(() => verifier.verify(before)).reason, /kid "1" is unknown/);

  assert.throws(() => keys.replace([]), TypeError);
  assert.throws(() => keys.replace([next, next]), TypeError);
  assert.deepEqual(verifyAll(after), ["after", "after"], "a refused replacement leaves the set as it was");
});

test("a kid that comes back with other material is another key: nothing of the old one is remembered (checklist 32)", () => {
  const system = fakeSystem();
  const keys = createKeySet([generateKey("HS256")]);
  const signer = createSigner({ keys, issuer: ISSUER, audience: AUDIENCE, ttl: "15m", system });
  const verifier = createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, cache: 10, system });
  const token = signer.sign({ sub: "42" });
  verifier.verify(token);
  keys.replace([generateKey("HS256")]);
  assert.match(refusalOf(() => verifier.verify(token)).reason, /signature/);
  assert.equal(verifier.verify(signer.sign({ sub: "43" })).sub, "43");
});

test("a set can't be changed but by replace, nor by the array that it was made of", () => {
  const list: PrivateKey[] = [generateKey("ES256")];
  const keys = createKeySet(list);
  list.push(generateKey("ES256"));
  assert.equal(keys.keys.length, 1);
  assert.throws(() => (keys.keys as Key[]).push(generateKey("ES256")), TypeError);
  assert.throws(() => Object.assign(keys, { find: () => undefined }), TypeError);
});
