import assert from "node:assert/strict";
import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  sign as nodeSign,
  privateEncrypt,
} from "node:crypto";
import { test } from "node:test";
import { algorithms, importKey, type Jwk } from "../../src/jwt/index.ts";
import { materialOf } from "../../src/jwt/key.ts";
import { keyFor, setting, signatureOf, withSignature } from "./support.ts";

/** The order of the base point: FIPS 186-5, SP 800-186 §3.2.1. */
const ORDERS = {
  ES256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  ES384: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  ES512:
    0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
} as const;
const COORDINATE = { ES256: 32, ES384: 48, ES512: 66 } as const;

function toBytes(value: bigint, size: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * size, "0"), "hex");
}

function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

for (const alg of ["ES256", "ES384", "ES512"] as const) {
  const size = COORDINATE[alg];
  const order = ORDERS[alg];

  test(`${alg}: r and s of 0, of the order and above it are refused (checklist 7)`, () => {
    const { token, refusal } = setting(alg);
    const good = token();
    const bytes = Buffer.from(signatureOf(good), "base64url");
    const r = toInteger(bytes.subarray(0, size));
    const s = toInteger(bytes.subarray(size));
    const limit = 2n ** BigInt(8 * size) - 1n;
    const others = [0n, 1n, order - 1n, order, order + 1n, limit];
    const pairs: [bigint, bigint][] = [
      ...others.map((x): [bigint, bigint] => [x, s]),
      ...others.map((x): [bigint, bigint] => [r, x]),
      [0n, 0n],
      [order, order],
      [r + order, s],
      [r, s + order],
      [s, r],
    ];
    for (const [first, second] of pairs) {
      if (first > limit || second > limit) continue;
      assert.match(
        refusal(withSignature(good, Buffer.concat([toBytes(first, size), toBytes(second, size)]))).reason,
        /signature/,
      );
    }
  });

  test(`${alg}: DER and every length but the exact one are refused (checklist 7)`, () => {
    const { token, refusal, key } = setting(alg);
    const good = token();
    const input = good.slice(0, good.lastIndexOf("."));
    const hash = { ES256: "sha256", ES384: "sha384", ES512: "sha512" }[alg];
    const der = nodeSign(hash, Buffer.from(input), materialOf(key).keyObject);
    assert.match(refusal(withSignature(good, der)).reason, /signature/);
    const raw = Buffer.from(signatureOf(good), "base64url");
    const lengths = [
      raw.subarray(1),
      raw.subarray(0, -1),
      Buffer.concat([raw, Buffer.alloc(1)]),
      Buffer.concat([Buffer.alloc(1), raw]),
      raw.subarray(0, size),
      Buffer.concat([raw, raw]),
      Buffer.alloc(1),
    ];
    for (const bytes of lengths) assert.match(refusal(withSignature(good, bytes)).reason, /signature/);
  });
}

test("an RSA signature is as long as the modulus, with its leading zeros and no others (checklist 8)", () => {
  for (const alg of ["RS256", "PS256"] as const) {
    const { token, refusal, verify } = setting(alg);
    // A signature that begins with a zero byte comes once in 256 tokens.
    let good = token();
    for (let i = 0; Buffer.from(signatureOf(good), "base64url")[0] !== 0 && i < 3000 && alg === "RS256"; i++)
      good = token({ i });
    assert.equal(verify(good).sub, "42");
    const raw = Buffer.from(signatureOf(good), "base64url");
    assert.equal(raw.length, 256);
    for (const bytes of [
      raw.subarray(1),
      Buffer.concat([Buffer.alloc(1), raw]),
      Buffer.concat([raw, Buffer.alloc(1)]),
      raw.subarray(0, -1),
    ]) {
      assert.match(refusal(withSignature(good, bytes)).reason, /signature/);
    }
  }
});

test("an RSA signature plus the modulus is the same number, and refused (checklist 8)", () => {
  const { token, refusal, key } = setting("RS256");
  const good = token();
  const { n } = createPublicKey(materialOf(key).keyObject).export({ format: "jwk" });
  const modulus = toInteger(Buffer.from(n as string, "base64url"));
  const value = toInteger(Buffer.from(signatureOf(good), "base64url"));
  for (const other of [value + modulus, modulus - value, modulus, modulus - 1n, 0n, 1n]) {
    const bytes = toBytes(other, 256);
    if (bytes.length === 256) assert.match(refusal(withSignature(good, bytes)).reason, /signature/);
  }
});

test("PKCS#1 v1.5 padding is exact: changed, shortened and BER-written paddings are refused (checklist 8)", () => {
  const { token, refusal, verify, key } = setting("RS256");
  const good = token();
  const digest = createHash("sha256")
    .update(good.slice(0, good.lastIndexOf(".")))
    .digest();
  const info = Buffer.from("3031300d060960864801650304020105000420", "hex");
  const privateKey = createPrivateKey({
    key: materialOf(key).keyObject.export({ format: "jwk" }) as never,
    format: "jwk",
  });
  const block = (start: Buffer, rest: Buffer, fill = 0xff) =>
    Buffer.concat([start, Buffer.alloc(256 - start.length - rest.length, fill), rest]);
  const signBlock = (bytes: Buffer) =>
    withSignature(good, privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, bytes));
  const start = Buffer.from([0, 1]);
  const end = Buffer.concat([Buffer.from([0]), info, digest]);
  assert.equal(verify(signBlock(block(start, end))).sub, "42", "the exact block, made by hand, is taken");

  const shortened = Buffer.concat([start, Buffer.alloc(8, 0xff), end]);
  const wrong: Buffer[] = [
    Buffer.concat([shortened, Buffer.alloc(256 - shortened.length, 0)]), // garbage behind the hash (Bleichenbacher 2006)
    Buffer.concat([shortened, Buffer.alloc(256 - shortened.length, 0xff)]),
    block(Buffer.from([0, 2]), end),
    block(Buffer.from([0, 0]), end, 0),
    block(start, end, 0xfe),
    block(start, Buffer.concat([info, digest])),
    block(start, Buffer.concat([Buffer.from([0]), digest])), // no DigestInfo
    block(start, Buffer.concat([Buffer.from("00302f300b06096086480165030402010420", "hex"), digest])), // NULL left out
    block(start, Buffer.concat([Buffer.from("00308131300d060960864801650304020105000420", "hex"), digest])), // long form length
    block(start, Buffer.concat([Buffer.from("003031300d060960864801650304020305000420", "hex"), digest])), // SHA-512's identifier
    block(start, Buffer.concat([Buffer.from("003031300d06096086480165030402010500042000", "hex"), digest.subarray(1)])),
    block(
      start,
      Buffer.concat([
        Buffer.from("00", "hex"),
        info,
        digest.subarray(0, 31),
        Buffer.from([(digest[31] as number) ^ 1]),
      ]),
    ),
  ];
  for (const [index, bytes] of wrong.entries()) {
    assert.equal(bytes.length, 256);
    assert.match(refusal(signBlock(bytes)).reason, /signature/, `padding ${index}`);
  }
});

test("a PSS salt is exactly as long as the hash, and a PKCS#1 signature is no PSS signature (checklist 8)", () => {
  for (const [alg, hash, size] of [
    ["PS256", "sha256", 32],
    ["PS384", "sha384", 48],
    ["PS512", "sha512", 64],
  ] as const) {
    const { token, refusal, verify, key } = setting(alg);
    const good = token();
    const input = Buffer.from(good.slice(0, good.lastIndexOf(".")));
    const { keyObject } = materialOf(key);
    const pss = (saltLength: number) =>
      withSignature(
        good,
        nodeSign(hash, input, { key: keyObject, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }),
      );
    assert.equal(verify(pss(size)).sub, "42");
    for (const saltLength of [0, 20, size - 1, size + 1])
      assert.match(refusal(pss(saltLength)).reason, /signature/, `${saltLength}`);
    assert.match(refusal(withSignature(good, nodeSign(hash, input, keyObject))).reason, /signature/);
  }
  const { token, refusal, key } = setting("RS256");
  const good = token();
  const input = Buffer.from(good.slice(0, good.lastIndexOf(".")));
  const pss = nodeSign("sha256", input, {
    key: materialOf(key).keyObject,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: 32,
  });
  assert.match(refusal(withSignature(good, pss)).reason, /signature/);
});

test("Ed25519: s plus the group order, r of small order and the zero signature are refused (checklist 7)", () => {
  const { token, refusal } = setting("EdDSA");
  const good = token();
  const bytes = Buffer.from(signatureOf(good), "base64url");
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const s = toInteger(Buffer.from(bytes.subarray(32)).reverse());
  for (const other of [s + order, 0n, order, s ^ 1n]) {
    const forged = Buffer.concat([bytes.subarray(0, 32), toBytes(other, 32).reverse()]);
    assert.match(refusal(withSignature(good, forged)).reason, /signature/);
  }
  for (const hex of [
    "00".repeat(32),
    `01${"00".repeat(31)}`,
    `ec${"ff".repeat(30)}7f`,
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  ]) {
    for (const rest of [Buffer.alloc(32), bytes.subarray(32)]) {
      assert.match(refusal(withSignature(good, Buffer.concat([Buffer.from(hex, "hex"), rest]))).reason, /signature/);
    }
  }
  assert.match(refusal(withSignature(good, Buffer.alloc(64))).reason, /signature/);
});

test("a key signs for its own algorithm only, even where another hash would fit its size (checklist 1)", () => {
  const other = importKey(rsaJwkOf("RS256"), { alg: "RS512", kid: "same" });
  const mine = importKey(rsaJwkOf("RS256"), { alg: "RS256", kid: "same" });
  const { claims } = setting("RS256");
  const sign = materialOf(other).sign as (header: string, payload: string) => string;
  const header = Buffer.from('{"alg":"RS256","typ":"at+jwt","kid":"same"}').toString("base64url");
  const payload = Buffer.from(JSON.stringify(claims)).toString("base64url");
  const token = `${header}.${payload}.${sign(`${header}.`, payload)}`;
  assert.ok(!materialOf(mine).verifies(token, token.lastIndexOf(".")));
  assert.ok(materialOf(other).verifies(token, token.lastIndexOf(".")));
});

function rsaJwkOf(alg: "RS256"): Jwk {
  return materialOf(keyFor(alg)).keyObject.export({ format: "jwk" }) as unknown as Jwk;
}

test("signatures of any wrong length, of any bytes, are refused by every algorithm and nothing is thrown (checklist 28)", () => {
  for (const alg of algorithms) {
    const { token, refusal } = setting(alg);
    const good = token();
    const { length } = Buffer.from(signatureOf(good), "base64url");
    for (const size of [1, 2, 3, length - 1, length, length + 1]) {
      for (const fill of [0, 1, 0xff])
        assert.match(refusal(withSignature(good, Buffer.alloc(size, fill))).reason, /signature/);
    }
  }
});
