/**
 * What a key must be to be taken (RFC 7518 §3, RFC 8725 §3.4–3.5). Each refusal is a `TypeError` that says what to do.
 * The rules are stated once, for keys from every source: our own generator and configuration, and the key sets of other issuers.
 */
import { createPublicKey, type KeyObject } from "node:crypto";
import type { Algorithm, HmacRow, SignatureRow } from "./algorithms.ts";
import { ed25519Problem } from "./ed25519-point.ts";
import type { Jwk } from "./jwk.ts";
import { MAX_KID_LENGTH } from "./limits.ts";
import { isRocaModulus } from "./roca.ts";

const MIN_RSA_BITS = 2048;
/** Checking a signature costs time quadratic in this, and the key of a remote issuer is somebody else's choice. */
const MAX_RSA_BITS = 8192;
const MIN_RSA_EXPONENT = 65_537n;
/** Larger ones are unheard of, and make a cheap check an expensive one. */
const MAX_RSA_EXPONENT = 2n ** 33n;

/** Texts that are keys of another kind. One that is public, used as a secret, lets everyone sign. */
const KEY_TEXTS = [
  /-----\s*BEGIN /,
  /LS0tLS1CRUdJTi/,
  /"kty"\s*:/,
  /\b(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-\S+) AAAA/,
];

/**
 * Refuses a secret that is too short for its hash (RFC 7518 §3.2) or is really a key of another kind.
 * @throws TypeError
 */
export function refuseBadSecret(secret: Uint8Array, alg: Algorithm, { size }: HmacRow): void {
  if (secret.length < size) {
    const found = secret.length === 0 ? "is empty" : `has ${secret.length} bytes`;
    throw new TypeError(
      `the secret ${found}, and ${alg} needs at least ${size}: make one with generateKey("${alg}") or openssl rand -base64 ${size}`,
    );
  }
  if (isOtherKey(secret)) {
    throw new TypeError(
      `a PEM, JWK, SSH or DER key is not a secret for ${alg}: state the key's own algorithm as 'alg'`,
    );
  }
}

function isOtherKey(secret: Uint8Array): boolean {
  // Low bytes are all that these texts are made of; zero bytes go so that UTF-16 is read, too.
  const text = Buffer.from(secret.buffer, secret.byteOffset, secret.length).toString("latin1").replaceAll("\0", "");
  if (KEY_TEXTS.some((pattern) => pattern.test(text))) return true;
  const DER_SEQUENCE = 0x30;
  if (secret[0] !== DER_SEQUENCE) return false;
  try {
    createPublicKey({ key: Buffer.from(secret), format: "der", type: "spki" });
    return true;
  } catch {
    return false;
  }
}

/**
 * Refuses a public or private key that is not what its stated algorithm asks for, or is known to be weak.
 * @throws TypeError
 */
export function refuseBadKeyObject(key: KeyObject, alg: Algorithm, row: SignatureRow): void {
  if (key.asymmetricKeyType !== row.keyType) {
    throw new TypeError(
      `${alg} needs a key of type ${row.keyType}, and this one is ${key.asymmetricKeyType ?? "a secret"}`,
    );
  }
  const details = key.asymmetricKeyDetails ?? {};
  if (row.kty === "EC" && details.namedCurve !== row.namedCurve) {
    throw new TypeError(`${alg} needs a key on curve ${row.crv}, and this one is on ${details.namedCurve}`);
  }
  if (row.kty === "RSA") {
    refuseBadRsa(alg, details.modulusLength ?? 0, details.publicExponent ?? 0n);
    const { n } = publicMembers(key);
    if (isRocaModulus(Buffer.from(n as string, "base64url"))) {
      throw new TypeError("the RSA key can be factored: its maker was vulnerable (CVE-2017-15361); make another key");
    }
  }
  if (row.kty === "OKP") {
    const { x } = publicMembers(key);
    const problem = ed25519Problem(Buffer.from(x as string, "base64url"));
    if (problem) throw new TypeError(`the ${alg} key ${problem}: get another from its owner`);
  }
}

const publicMembers = (key: KeyObject) =>
  (key.type === "public" ? key : createPublicKey(key)).export({ format: "jwk" });

function refuseBadRsa(alg: Algorithm, bits: number, exponent: bigint): void {
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) {
    throw new TypeError(`${alg} takes RSA keys of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits, and this one has ${bits}`);
  }
  if (exponent < MIN_RSA_EXPONENT || exponent > MAX_RSA_EXPONENT || exponent % 2n === 0n) {
    throw new TypeError(`${alg} takes RSA keys with exponent 65537, and this one has ${exponent}: make another key`);
  }
}

/**
 * Refuses a JWK whose own members contradict what it is imported for (RFC 7517 §4.2–4.4): a private key is to sign, a public one to verify, a secret both.
 * @throws TypeError
 */
export function refuseContradictions(jwk: Jwk, alg: Algorithm, row: HmacRow | SignatureRow): void {
  if (jwk.kty !== row.kty) throw new TypeError(`${alg} needs a JWK with kty "${row.kty}"`);
  if (jwk.alg !== undefined && jwk.alg !== alg)
    throw new TypeError(`the JWK's own alg is not ${alg}: import it as what it says`);
  if (row.kind === "pair" && row.crv !== undefined && jwk.crv !== row.crv) {
    throw new TypeError(`${alg} needs a JWK with crv "${row.crv}"`);
  }
  if (jwk.use !== undefined && jwk.use !== "sig")
    throw new TypeError(`the JWK's use is not "sig": it is not for signatures`);
  if (jwk.key_ops === undefined) return;
  const operations: readonly unknown[] = Array.isArray(jwk.key_ops) ? jwk.key_ops : [];
  const needed = row.kind === "pair" ? [isPrivateJwk(jwk, row) ? "sign" : "verify"] : ["sign", "verify"];
  if (!needed.every((operation) => operations.includes(operation)) || new Set(operations).size !== operations.length) {
    throw new TypeError(`the JWK's key_ops must hold ${needed.join(" and ")}, and nothing twice`);
  }
}

/** True when a JWK holds anything that only a private key has, whether or not it is complete. */
export function isPrivateJwk(jwk: Jwk, row: SignatureRow): boolean {
  return row.privateMembers.some((member) => jwk[member] !== undefined);
}

/**
 * Refuses a key id that could not stand in a header.
 * @throws TypeError
 */
export function refuseBadKid(kid: unknown): asserts kid is string {
  if (typeof kid !== "string" || kid.length === 0 || kid.length > MAX_KID_LENGTH || !kid.isWellFormed()) {
    throw new TypeError(`a kid is a text of 1 to ${MAX_KID_LENGTH} characters`);
  }
}
