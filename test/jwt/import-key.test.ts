import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { test } from "node:test";
import { inspect } from "node:util";
import {
  type Algorithm,
  algorithms,
  exposePrivateJwk,
  exposePrivatePem,
  generateKey,
  importKey,
  type Jwk,
  type PairAlgorithm,
  type PrivateKey,
  toPublicJwk,
  toPublicKey,
  toPublicPem,
} from "../../src/jwt/index.ts";
import { jwsVectors, keyFor } from "./support.ts";

const pairAlgorithms = algorithms.filter((alg): alg is PairAlgorithm => !alg.startsWith("HS"));

function exportJwk(key: KeyObject): Jwk {
  return key.export({ format: "jwk" }) as unknown as Jwk;
}

function throwsTypeError(call: () => unknown, message: RegExp): void {
  assert.throws(
    call,
    (error) => error instanceof TypeError && message.test(error.message) && !/-----BEGIN/.test(error.message),
  );
}

const rsa2048 = jwsVectors.find(({ source }) => source === "RFC 7520 §4.1")?.jwk as Jwk;

for (const alg of pairAlgorithms) {
  test(`a ${alg} key comes back from JWK and PEM, public and private, with the same thumbprint as kid`, () => {
    const key = keyFor(alg) as PrivateKey;
    for (const source of [exposePrivateJwk(key), exposePrivatePem(key), Buffer.from(exposePrivatePem(key))]) {
      const again = importKey(source, { alg, type: "private" });
      assert.deepEqual({ ...again }, { type: "private", alg, kid: key.kid });
      assert.ok(again.canSign);
    }
    for (const source of [toPublicJwk(key), toPublicPem(key), `\n ${toPublicPem(key)}\n`]) {
      const again = importKey(source, { alg, type: "public" });
      assert.deepEqual({ ...again }, { type: "public", alg, kid: key.kid });
      assert.ok(!again.canSign);
    }
    assert.equal(toPublicKey(key).type, "public");
    assert.equal(toPublicKey(toPublicKey(key)).kid, key.kid);
  });
}

test("a key is for the one algorithm that was stated, and it has to be one of ours (checklist 1, 2)", () => {
  for (const alg of [
    "none",
    "None",
    "NONE",
    "nOnE",
    " none",
    "",
    "hs256",
    "HS255",
    "RS1",
    "ES256K",
    "PBES2-HS256+A128KW",
    "dir",
    "__proto__",
    "toString",
    undefined,
    null,
    7,
    {},
  ]) {
    throwsTypeError(() => importKey(Buffer.alloc(64, 1), { alg: alg as Algorithm }), /state the key's algorithm/);
    throwsTypeError(() => generateKey(alg as Algorithm), /state the key's algorithm/);
  }
  throwsTypeError(
    () => importKey(Buffer.alloc(64, 1), undefined as unknown as { alg: Algorithm }),
    /state the key's algorithm/,
  );
});

test("the text of a public key is no HMAC secret, whatever stands around it (checklist 3)", () => {
  const pem = toPublicPem(keyFor("RS256") as PrivateKey);
  const jwk = JSON.stringify(toPublicJwk(keyFor("RS256") as PrivateKey));
  const ssh = `ssh-ed25519 ${"A".repeat(68)} alice@example.com`;
  const der = createPublicKey(pem).export({ format: "der", type: "spki" });
  const texts = [
    pem,
    ` ${pem}`,
    `\n\t${pem}`,
    `\ufeff${pem}`,
    pem.replaceAll("\n", "\r\n"),
    pem.trim(),
    `comment ${pem}`,
    `\v\f${pem}`,
    jwk,
    ` ${jwk}`,
    JSON.stringify(JSON.parse(jwk), undefined, 2),
    JSON.stringify({ keys: [JSON.parse(jwk)] }),
    ssh,
    `ecdsa-sha2-nistp256 ${"A".repeat(100)}`,
    `ssh-rsa ${"A".repeat(100)}`,
    Buffer.from(pem).toString("base64"),
    exposePrivatePem(keyFor("ES256") as PrivateKey),
  ];
  for (const text of texts) {
    for (const source of [text, Buffer.from(text), Buffer.from(text, "utf16le")]) {
      throwsTypeError(() => importKey(source, { alg: "HS256" }), /not a secret/);
    }
  }
  throwsTypeError(() => importKey(der, { alg: "HS256" }), /not a secret/);
  throwsTypeError(
    () => importKey({ kty: "oct", k: Buffer.from(pem).toString("base64url") }, { alg: "HS256" }),
    /not a secret/,
  );
  assert.equal(importKey(Buffer.concat([Buffer.from([0x30]), Buffer.alloc(40, 7)]), { alg: "HS256" }).type, "secret");
});

test("an HMAC secret has at least as many bytes as the hash, and none is refused (checklist 4)", () => {
  for (const [alg, size] of [
    ["HS256", 32],
    ["HS384", 48],
    ["HS512", 64],
  ] as const) {
    throwsTypeError(() => importKey("", { alg }), /is empty/);
    throwsTypeError(() => importKey(new Uint8Array(0), { alg }), /is empty/);
    throwsTypeError(
      () => importKey(Buffer.alloc(size - 1, 1), { alg }),
      new RegExp(`has ${size - 1} bytes.* at least ${size}`),
    );
    throwsTypeError(() => importKey({ kty: "oct", k: "" }, { alg }), /k is the secret/);
    throwsTypeError(
      () => importKey({ kty: "oct", k: Buffer.alloc(size - 1, 1).toString("base64url") }, { alg }),
      /needs at least/,
    );
    assert.equal(importKey(Buffer.alloc(size, 1), { alg }).alg, alg);
    assert.equal(importKey("é".repeat(size / 2), { alg }).alg, alg, "a text counts in UTF-8 bytes");
    assert.equal(Buffer.from(exposePrivateJwk(generateKey(alg)).k as string, "base64url").length, size);
  }
});

test("the default kid of a secret is the name of its algorithm: nothing about the secret is in it", () => {
  assert.equal(importKey("a secret of at least 32 bytes, one", { alg: "HS256" }).kid, "HS256");
  assert.equal(importKey("a secret of at least 32 bytes, two", { alg: "HS256" }).kid, "HS256");
  assert.equal(importKey({ kty: "oct", k: "A".repeat(43), kid: "mine" }, { alg: "HS256" }).kid, "mine");
  assert.equal(importKey({ kty: "oct", k: "A".repeat(43), kid: "mine" }, { alg: "HS256", kid: "other" }).kid, "other");
});

test("an RSA key whose maker made keys that can be factored is refused, public or private (checklist 5)", () => {
  // Such a modulus is a power of 65537 modulo every small prime.
  const primes: number[] = [];
  for (let n = 3; n <= 167; n += 2) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  const product = primes.reduce((all, prime) => all * BigInt(prime), 1n);
  let power = 1n;
  for (let i = 0; i < 1000; i++) power = (power * 65_537n) % product;
  const toJwk = (n: bigint): Jwk => ({
    kty: "RSA",
    e: "AQAB",
    n: Buffer.from(n.toString(16).padStart(512, "0"), "hex").toString("base64url"),
  });
  const large = (2n ** 2047n / product + 1n) * product;
  const weak = large + (power % 2n === (large + 1n) % 2n ? power : power + product);
  const message = /^the RSA key can be factored/;
  for (const alg of ["RS256", "PS512"] as const) throwsTypeError(() => importKey(toJwk(weak), { alg }), message);
  // The neighbours are what anybody's key is.
  for (const n of [weak + 2n, weak - 2n]) assert.equal(importKey(toJwk(n), { alg: "RS256" }).alg, "RS256");
});

test("an RSA key has 2048 to 8192 bits and an odd exponent of at least 65537 (checklist 5)", () => {
  const weak = generateKeyPairSync("rsa", { modulusLength: 1024 });
  throwsTypeError(() => importKey(exportJwk(weak.publicKey), { alg: "RS256" }), /1024/);
  throwsTypeError(() => importKey(weak.publicKey.export({ format: "pem", type: "spki" }), { alg: "PS256" }), /1024/);
  const almost = {
    kty: "RSA",
    e: "AQAB",
    n: Buffer.concat([Buffer.from([0x7f]), Buffer.alloc(254, 0xff), Buffer.from([1])]).toString("base64url"),
  };
  throwsTypeError(() => importKey(almost, { alg: "RS256" }), /2047/);
  const huge = {
    kty: "RSA",
    e: "AQAB",
    n: Buffer.concat([Buffer.from([1]), Buffer.alloc(1024, 0xff)]).toString("base64url"),
  };
  throwsTypeError(() => importKey(huge, { alg: "RS256" }), /8193/);
  for (const [e, said] of [
    ["AQ", "1"],
    ["Aw", "3"],
    ["AQAA", "65536"],
    ["AQAC", "65538"],
    ["AgAAAAE", "8589934593"],
  ] as const) {
    throwsTypeError(
      () => importKey({ kty: "RSA", n: rsa2048.n, e }, { alg: "RS256" }),
      new RegExp(`has ${said}:|whole and consistent`),
    );
  }
  for (const modulusLength of [2047, 1024, 8193, 3000.5, Number.NaN, "2048" as unknown as number]) {
    throwsTypeError(() => generateKey("RS256", { modulusLength }), /modulusLength/);
  }
});

test("an ECDSA key lies on the algorithm's own curve, and is a point of it (checklist 5)", () => {
  const p256 = exportJwk(generateKeyPairSync("ec", { namedCurve: "prime256v1" }).publicKey);
  const p384 = generateKeyPairSync("ec", { namedCurve: "secp384r1" }).publicKey;
  const k1 = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey;
  throwsTypeError(() => importKey(exportJwk(p384), { alg: "ES256" }), /crv "P-256"/);
  throwsTypeError(
    () => importKey(p384.export({ format: "pem", type: "spki" }), { alg: "ES256" }),
    /on curve P-256.* secp384r1/,
  );
  throwsTypeError(() => importKey(k1.export({ format: "pem", type: "spki" }), { alg: "ES256" }), /secp256k1/);
  throwsTypeError(() => importKey({ ...exportJwk(k1), crv: "P-256" }, { alg: "ES256" }), /whole and consistent/);
  throwsTypeError(() => importKey({ ...p256, y: p256.x }, { alg: "ES256" }), /whole and consistent/);
  throwsTypeError(() => importKey({ ...p256, x: "AA", y: "AA" }, { alg: "ES256" }), /whole and consistent|canonical/);
});

/** RFC 8032 §5.1: the y of the eight points of small order, little-endian, without the sign of x. */
const SMALL_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
];

test("an Ed25519 key is a canonical point that is not of small order (checklist 5)", () => {
  const imports = (bytes: Buffer) => () =>
    importKey({ kty: "OKP", crv: "Ed25519", x: bytes.toString("base64url") }, { alg: "EdDSA" });
  for (const hex of SMALL_ORDER) {
    const bytes = Buffer.from(hex, "hex");
    throwsTypeError(imports(bytes), /small order/);
    bytes[31] = (bytes[31] as number) | 0x80;
    throwsTypeError(imports(bytes), /small order/);
  }
  throwsTypeError(imports(Buffer.from(`edffffff${"ff".repeat(27)}7f`, "hex")), /canonical/);
  throwsTypeError(imports(Buffer.from(`eeffffff${"ff".repeat(27)}7f`, "hex")), /canonical/);
  throwsTypeError(imports(Buffer.from(`02${"00".repeat(31)}`, "hex")), /not a point of the curve/);
  const ed448 = generateKeyPairSync("ed448").publicKey;
  throwsTypeError(() => importKey(ed448.export({ format: "pem", type: "spki" }), { alg: "EdDSA" }), /ed448/);
  throwsTypeError(() => importKey(exportJwk(ed448), { alg: "EdDSA" }), /crv "Ed25519"/);
  const x25519 = generateKeyPairSync("x25519").publicKey;
  throwsTypeError(() => importKey(x25519.export({ format: "pem", type: "spki" }), { alg: "EdDSA" }), /x25519/);
});

test("a key of one kind is refused for the algorithm of another (checklist 1, 3)", () => {
  for (const alg of pairAlgorithms) {
    for (const other of algorithms) {
      const sameKind = (name: string) => name.replace(/^(RS|PS).*/, "RSA").replace(/^Ed(DSA|25519)$/, "Ed25519");
      if (sameKind(alg) === sameKind(other)) continue;
      assert.throws(
        () => importKey(toPublicPem(keyFor(alg) as PrivateKey), { alg: other }),
        TypeError,
        `${alg} as ${other}`,
      );
      assert.throws(
        () => importKey(toPublicJwk(keyFor(alg) as PrivateKey), { alg: other }),
        TypeError,
        `${alg} as ${other}`,
      );
    }
  }
  throwsTypeError(() => importKey({ kty: "oct", k: "A".repeat(43) }, { alg: "RS256" }), /kty "RSA"/);
  throwsTypeError(() => importKey("a secret of at least 32 bytes, one", { alg: "RS256" }), /one PEM text/);
  throwsTypeError(() => importKey(Buffer.alloc(64), { alg: "ES256" }), /one PEM text/);
});

test("an rsa-pss key, whose own parameters may differ from the algorithm's, is refused (checklist 5)", () => {
  const { publicKey } = generateKeyPairSync("rsa-pss", { modulusLength: 2048 });
  throwsTypeError(() => importKey(publicKey.export({ format: "pem", type: "spki" }), { alg: "PS256" }), /rsa-pss/);
});

test("alg, use, key_ops, kty and crv of a JWK are obeyed (checklist 6)", () => {
  const jwk = toPublicJwk(keyFor("ES256") as PrivateKey);
  const privateJwk = exposePrivateJwk(keyFor("ES256") as PrivateKey);
  throwsTypeError(() => importKey({ ...jwk, alg: "ES384" }, { alg: "ES256" }), /own alg/);
  throwsTypeError(() => importKey({ ...jwk, alg: "" }, { alg: "ES256" }), /own alg/);
  throwsTypeError(() => importKey({ ...jwk, use: "enc" }, { alg: "ES256" }), /use/);
  throwsTypeError(() => importKey({ ...jwk, key_ops: ["sign"] }, { alg: "ES256" }), /key_ops must hold verify/);
  throwsTypeError(() => importKey({ ...jwk, key_ops: ["verify", "verify"] }, { alg: "ES256" }), /nothing twice/);
  throwsTypeError(() => importKey({ ...jwk, key_ops: [] }, { alg: "ES256" }), /key_ops/);
  throwsTypeError(() => importKey({ ...jwk, key_ops: "verify" as unknown as string[] }, { alg: "ES256" }), /key_ops/);
  throwsTypeError(() => importKey({ ...privateJwk, key_ops: ["verify"] }, { alg: "ES256" }), /key_ops must hold sign/);
  throwsTypeError(
    () => importKey({ kty: "oct", k: "A".repeat(43), key_ops: ["verify"] }, { alg: "HS256" }),
    /sign and verify/,
  );
  throwsTypeError(() => importKey({ ...jwk, kty: "RSA" }, { alg: "ES256" }), /kty "EC"/);
  throwsTypeError(() => importKey({ ...jwk, crv: "P-384" }, { alg: "ES256" }), /crv "P-256"/);
  assert.equal(importKey({ ...jwk, key_ops: ["verify"] }, { alg: "ES256" }).type, "public");
  assert.equal(importKey({ ...privateJwk, key_ops: ["sign", "verify"] }, { alg: "ES256" }).type, "private");
  assert.equal(
    importKey({ kty: "oct", k: "A".repeat(43), key_ops: ["sign", "verify"] }, { alg: "HS256" }).type,
    "secret",
  );
});

test("a private key is refused where a public one belongs, and the reverse (checklist 6)", () => {
  const key = keyFor("ES256") as PrivateKey;
  throwsTypeError(
    () => importKey(exposePrivateJwk(key), { alg: "ES256", type: "public" }),
    /private key does not belong here/,
  );
  throwsTypeError(
    () => importKey(exposePrivatePem(key), { alg: "ES256", type: "public" }),
    /private key does not belong here/,
  );
  throwsTypeError(() => importKey(toPublicJwk(key), { alg: "ES256", type: "private" }), /can't sign/);
});

test("a JWK has one spelling: base64url members that Node reads leniently are refused (checklist 14)", () => {
  const jwk = toPublicJwk(keyFor("RS256") as PrivateKey);
  const n = jwk.n as string;
  for (const other of [
    `${n}=`,
    `AA${n}`,
    ` ${n}`,
    n.replaceAll("-", "+").replaceAll("_", "/"),
    `${n.slice(0, 9)}\n${n.slice(9)}`,
  ]) {
    if (other !== n)
      assert.throws(() => importKey({ ...jwk, n: other }, { alg: "RS256" }), TypeError, other.slice(0, 12));
  }
  throwsTypeError(() => importKey({ ...jwk, e: "AAEAAQ" }, { alg: "RS256" }), /e is not canonical/);
  throwsTypeError(() => importKey({ kty: "oct", k: `${"A".repeat(43)}=` }, { alg: "HS256" }), /base64url/);
});

test("a private JWK whose halves do not belong together is refused", () => {
  const one = exposePrivateJwk(generateKey("ES256"));
  const other = exposePrivateJwk(generateKey("ES256"));
  throwsTypeError(() => importKey({ ...one, d: other.d }, { alg: "ES256" }), /whole and consistent/);
  throwsTypeError(
    () => importKey({ ...rsa2048, use: "sig", q: rsa2048.p }, { alg: "RS256" }),
    /whole and consistent|does not fit/,
  );
});

test("a broken or foreign PEM text is refused, with what it says it is", () => {
  const pem = toPublicPem(keyFor("RS256") as PrivateKey);
  const pkcs1 = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "pem", type: "pkcs1" });
  throwsTypeError(() => importKey(pkcs1, { alg: "RS256" }), /says RSA PUBLIC KEY: convert it with openssl pkey/);
  throwsTypeError(
    () => importKey(pem.replaceAll("PUBLIC KEY", "ENCRYPTED PRIVATE KEY"), { alg: "RS256" }),
    /ENCRYPTED PRIVATE KEY/,
  );
  throwsTypeError(
    () => importKey(pem.replaceAll("PUBLIC KEY", "PRIVATE KEY"), { alg: "RS256" }),
    /not a whole RS256 key/,
  );
  throwsTypeError(() => importKey(pem.slice(0, 200), { alg: "RS256" }), /one PEM text/);
  throwsTypeError(() => importKey(`${pem}${pem}`, { alg: "RS256" }), /one PEM text/);
  throwsTypeError(() => importKey(`x${pem}`, { alg: "RS256" }), /one PEM text/);
  throwsTypeError(() => importKey("", { alg: "RS256" }), /one PEM text/);
});

test("something that is no key at all is refused", () => {
  for (const source of [undefined, null, 7, true, [], Symbol("key"), () => 1]) {
    assert.throws(() => importKey(source as unknown as string, { alg: "HS256" }), TypeError);
    assert.throws(() => importKey(source as unknown as string, { alg: "ES256" }), TypeError);
  }
  for (const source of [
    {},
    { kty: 7 },
    { kty: "EC" },
    { kty: "EC", crv: "P-256" },
    { kty: "EC", crv: "P-256", x: 1, y: [] },
  ]) {
    assert.throws(() => importKey(source as Jwk, { alg: "ES256" }), TypeError);
  }
  throwsTypeError(() => importKey({ kty: "oct", k: 7 }, { alg: "HS256" }), /k is the secret/);
});

test("a kid is a text of 1 to 256 characters (checklist 11)", () => {
  for (const kid of ["", "x".repeat(257), "\ud800", 7, null, {}]) {
    throwsTypeError(() => importKey(Buffer.alloc(32, 1), { alg: "HS256", kid: kid as string }), /kid/);
    throwsTypeError(() => generateKey("ES256", { kid: kid as string }), /kid/);
  }
  throwsTypeError(() => importKey({ kty: "oct", k: "A".repeat(43), kid: "" }, { alg: "HS256" }), /kid/);
  assert.equal(importKey(Buffer.alloc(32, 1), { alg: "HS256", kid: "x".repeat(256) }).kid.length, 256);
});

test("a key shows its name and kind and never its material", () => {
  const key = importKey("a secret that nobody is to read anywhere", { alg: "HS256" });
  for (const shown of [
    inspect(key, { showHidden: true, depth: 9 }),
    JSON.stringify(key),
    String(key),
    Object.keys(key).join(),
  ]) {
    assert.doesNotMatch(shown, /secret that|YSBzZWNyZXQ/);
  }
  assert.deepEqual(JSON.parse(JSON.stringify(key)), { type: "secret", alg: "HS256", kid: "HS256" });
  assert.throws(() => Object.assign(key, { alg: "none" }), TypeError);
});

test("exports of the private half refuse keys that have none", () => {
  const key = keyFor("ES256") as PrivateKey;
  const secret = keyFor("HS256") as unknown as PrivateKey;
  throwsTypeError(() => exposePrivateJwk(toPublicKey(key) as unknown as PrivateKey), /no private JWK/);
  throwsTypeError(() => exposePrivatePem(toPublicKey(key) as unknown as PrivateKey), /only a private key/);
  throwsTypeError(() => exposePrivatePem(secret), /only a private key/);
  throwsTypeError(() => toPublicJwk(secret), /no public half/);
  throwsTypeError(() => toPublicPem(secret), /no public half/);
  throwsTypeError(() => toPublicKey(secret), /no public half/);
  assert.equal(toPublicJwk(key).d, undefined);
  assert.equal(toPublicJwk(key).use, "sig");
  assert.equal(toPublicJwk(keyFor("ML-DSA-44") as PrivateKey).priv, undefined);
});

test("of a certificate the public key is used", () => {
  const key = importKey(CERTIFICATE, { alg: "ES256" });
  assert.equal(key.type, "public");
  throwsTypeError(() => importKey(CERTIFICATE, { alg: "ES384" }), /on curve P-384/);
  throwsTypeError(() => importKey(CERTIFICATE.replace("MIIB", "MIIC"), { alg: "ES256" }), /not a whole/);
});

/** Self-signed, for "latchkey test", P-256. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBhTCCASugAwIBAgIUOohjiwjVpb5bNyiu/omKNQVHXIwwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNbGF0Y2hrZXkgdGVzdDAeFw0yNjExMjMxMTMxNThaFw0yNjEx
MjQxMTMxNThaMBgxFjAUBgNVBAMMDWxhdGNoa2V5IHRlc3QwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAQ/KFaJRHRqEsDzVhVFS1Ws4xFUxD1pqMUsiXWCiO1ZE63x
7RHZJb5aGmWnDQ8b/s1bR0PBBdEAZxxMaZmtzADuo1MwUTAdBgNVHQ4EFgQUKe1r
C8GPftMmxBirA9AYWRoBCTgwHwYDVR0jBBgwFoAUKe1rC8GPftMmxBirA9AYWRoB
CTgwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAmcfkUwoAYTi2M
AxeGfXZuIM5xihQhKEL+vIQRyUyAkAIhAMG3qOrW5Pei3UWHncJGzkLwBsaSAA0Y
RpygKRZ3z6v3
-----END CERTIFICATE-----`;
