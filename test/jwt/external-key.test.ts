import assert from "node:assert/strict";
import { sign as nodeSign } from "node:crypto";
import { test } from "node:test";
import { rowOf, type SignatureRow } from "../../src/jwt/algorithms.ts";
import { rawEcdsaSignature } from "../../src/jwt/ecdsa-der.ts";
import {
  createExternalKey,
  createKeySet,
  createSigner,
  createVerifier,
  type ExternalKeyOptions,
  exposePrivatePem,
  generateKey,
  type Key,
  type PairAlgorithm,
  type PrivateKey,
  toJwks,
  toPublicKey,
} from "../../src/jwt/index.ts";
import { fakeSystem } from "../support/fake-system.ts";
import { AUDIENCE, ISSUER, keyFor } from "./support.ts";

/** A key service: it has the private key, and answers after a while. */
function keyService(alg: PairAlgorithm, isDer: boolean): ExternalKeyOptions {
  const key = keyFor(alg) as PrivateKey;
  const { hash, options } = rowOf(alg) as SignatureRow;
  const pem = exposePrivatePem(key);
  return {
    publicKey: toPublicKey(key),
    sign: async (bytes) => nodeSign(hash, bytes, { key: pem, ...options, ...(isDer ? { dsaEncoding: "der" } : {}) }),
    signatureFormat: isDer ? "der" : "raw",
  };
}

const policy = { issuer: ISSUER, audience: AUDIENCE } as const;

for (const [alg, isDer] of [
  ["RS256", false],
  ["PS512", false],
  ["ES256", true],
  ["ES384", true],
  ["ES512", true],
  ["ES256", false],
  ["EdDSA", false],
  ["ML-DSA-44", false],
] as const) {
  test(`an external ${alg} key that answers ${isDer ? "in DER" : "with the bare signature"} signs, and its tokens verify at once`, async () => {
    const system = fakeSystem();
    const keys = createKeySet([createExternalKey(keyService(alg, isDer))]);
    const signer = createSigner({ keys, ...policy, ttl: "15m", system });
    const verifier = createVerifier({ keys, ...policy, system });
    for (let i = 0; i < (isDer ? 40 : 2); i++) {
      const promise = signer.sign({ sub: `${i}` });
      assert.ok(promise instanceof Promise);
      assert.equal(verifier.verify(await promise).sub, `${i}`);
    }
    assert.equal(toJwks(keys).keys[0]?.kid, keyFor(alg).kid);
  });
}

test("a signature that does not fit the public key never leaves", async () => {
  const good = keyService("ES256", false);
  const other = generateKey("ES256");
  const answers: unknown[] = [
    new Uint8Array(64),
    new Uint8Array(0),
    new Uint8Array(63),
    undefined,
    "text",
    { length: 64 },
    nodeSign("sha256", Buffer.from("something else"), exposePrivatePem(keyFor("ES256") as PrivateKey)),
    nodeSign("sha256", Buffer.from("x"), { key: exposePrivatePem(other), dsaEncoding: "ieee-p1363" }),
  ];
  for (const answer of answers) {
    const key = createExternalKey({ ...good, sign: async () => answer as Uint8Array });
    const signer = createSigner({ keys: createKeySet([key]), ...policy, ttl: "15m" });
    await assert.rejects(signer.sign({ sub: "42" }), /did not give an ES256 signature that fits its public key/);
  }
});

test("what the service rejects with is passed on, and bad claims reject instead of throwing", async () => {
  const outage = new Error("the service is away");
  const key = createExternalKey({ ...keyService("ES256", false), sign: () => Promise.reject(outage) });
  const signer = createSigner({ keys: createKeySet([key]), ...policy, ttl: "15m" });
  await assert.rejects(signer.sign({ sub: "42" }), (error) => error === outage);
  await assert.rejects(signer.sign({ sub: "" }), TypeError);
});

test("a signer of local and external keys answers with promises whichever signs, and one of local keys never does", async () => {
  const system = fakeSystem();
  const local = generateKey("EdDSA");
  const external = createExternalKey(keyService("ES256", true));
  const keys = createKeySet([local, external]);
  const signer = createSigner({ keys, ...policy, ttl: "15m", system });
  assert.ok(signer.sign({ sub: "42" }) instanceof Promise);
  const verifier = createVerifier({ keys, ...policy, system });
  assert.equal(verifier.verify(await signer.sign({ sub: "42" })).sub, "42");
  keys.replace([external, local]);
  assert.equal(verifier.verify(await signer.sign({ sub: "43" })).sub, "43");
  const localOnly = createKeySet([local]);
  assert.throws(() => localOnly.replace([external as unknown as PrivateKey]), /answer at once/);
  assert.equal(localOnly.signingKey, local);
});

test("an external key is not made of options that are missing or mean nothing", () => {
  const good = keyService("EdDSA", false);
  const wrong: Record<string, unknown>[] = [
    { publicKey: undefined },
    { publicKey: keyFor("EdDSA") },
    { publicKey: keyFor("HS256") as Key },
    { publicKey: {} },
    { sign: undefined },
    { sign: "sign" },
    { signatureFormat: "der" },
    { signatureFormat: "DER" },
    { signatureFormat: null },
  ];
  for (const options of wrong)
    assert.throws(() => createExternalKey({ ...good, ...options } as never), TypeError, Object.keys(options).join());
  assert.throws(() => createExternalKey(undefined as never), TypeError);
});

test("a DER signature is read strictly", () => {
  const read = (hex: string) => rawEcdsaSignature(Buffer.from(hex, "hex"), 4);
  assert.deepEqual(read("3006020101020102"), new Uint8Array([0, 0, 0, 1, 0, 0, 0, 2]));
  assert.deepEqual(read("300c0204010203040204050607 08".replaceAll(" ", "")), new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
  assert.deepEqual(read("300c020500ff000001020300ff01"), new Uint8Array([0xff, 0, 0, 1, 0, 0, 0xff, 1]));
  const wrong = [
    "",
    "30",
    "3006",
    "3106020101020102",
    "3006030101020102",
    "3006020101030102",
    "300602010102010200",
    "3005020101020102",
    "30060201010201",
    "3003020101",
    "3006020201020102",
    "3080020101020102",
    "30820006020101020102",
    "300e020601020304050602040102030 4".replaceAll(" ", ""),
    "300602010102020102",
  ];
  for (const hex of wrong) assert.equal(read(hex), undefined, hex);
});
