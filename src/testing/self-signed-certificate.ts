/**
 * A certificate that vouches for itself (RFC 5280 §4.1), which Node reads and can't write. It is made anew for each run, so that no private key lies in
 * the package and nothing runs out.
 */
import { createPublicKey, sign } from "node:crypto";
import { rowOf } from "../jwt/algorithms.ts";
import type { PrivateKey } from "../jwt/index.ts";
import { materialOf } from "../jwt/key.ts";

/** @returns DER. */
export function selfSignedCertificate(key: PrivateKey): Buffer {
  const { keyObject } = materialOf(key);
  const spki = createPublicKey(keyObject).export({ type: "spki", format: "der" });
  const { kty, hash } = rowOf(key.alg);
  const algorithm = ALGORITHMS[kty] ?? algorithmOf(spki);
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from("attacker")))));
  // Until the end of 2049, the last year that this type of time can say.
  const validity = sequence(utcTime("240101000000Z"), utcTime("491231235959Z"));
  const version = der(0xa0, der(0x02, Buffer.of(2)));
  const serial = der(0x02, Buffer.of(1));
  const body = sequence(version, serial, algorithm, name, validity, name, spki);
  // PKCS#1 and DER, Node's defaults, whatever the tokens' signatures are.
  const signature = sign(hash === null ? null : "sha256", body, keyObject);
  return sequence(body, algorithm, der(0x03, Buffer.of(0), signature));
}

/** A value: its tag, the length of what it holds, and that. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 128) return Buffer.concat([Buffer.of(tag, length), content]);
  const size = length < 256 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 255);
  return Buffer.concat([Buffer.of(tag), size, content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const utcTime = (text: string): Buffer => der(0x17, Buffer.from(text));
const fromHex = (text: string): Buffer => Buffer.from(text, "hex");

const COMMON_NAME = fromHex("0603550403"); // 2.5.4.3

const ALGORITHMS: Readonly<Record<string, Buffer>> = {
  RSA: sequence(fromHex("06092a864886f70d01010b0500")), // 1.2.840.113549.1.1.11 sha256WithRSAEncryption, NULL
  EC: sequence(fromHex("06082a8648ce3d040302")), // 1.2.840.10045.4.3.2 ecdsa-with-SHA256
};

/** Of the others, the key's own is the signature's too (RFC 8410 §3, RFC 9881 §2): the first thing within a public key. */
function algorithmOf(spki: Buffer): Buffer {
  const long = spki.readUInt8(1);
  const start = long < 128 ? 2 : 2 + (long & 127);
  return spki.subarray(start, start + 2 + spki.readUInt8(start + 1));
}
