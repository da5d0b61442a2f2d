/**
 * The signature algorithms: everything about one in one row, and nothing below this file lists algorithms.
 * HMAC, RSA and ECDSA are RFC 7518 §3, EdDSA is RFC 8037 §3.1 (and `Ed25519`, the same under its RFC 9864 name), ML-DSA is FIPS 204 as
 * JOSE spells it (draft-ietf-cose-dilithium). There is no row for "none", and none can be added from outside (RFC 8725 §3.2).
 */
import { constants } from "node:crypto";

/** A message authentication code: one secret both makes and checks it. */
export interface HmacRow {
  readonly kind: "secret";
  readonly kty: "oct";
  readonly hash: "sha256" | "sha384" | "sha512";
  /** Bytes that the hash works in, to which HMAC pads its key (RFC 2104 §2). */
  readonly blockSize: number;
  /** Bytes of a code. A secret has at least as many (RFC 7518 §3.2). */
  readonly size: number;
}

/** A signature: the private key makes it, the public key checks it. */
export interface SignatureRow {
  readonly kind: "pair";
  readonly kty: "RSA" | "EC" | "OKP" | "AKP";
  /** The curve of a JWK with `kty` EC or OKP. */
  readonly crv?: string;
  /** What Node calls such keys, for generating them and for recognising them. */
  readonly keyType: "rsa" | "ec" | "ed25519" | "ml-dsa-44" | "ml-dsa-65" | "ml-dsa-87";
  /** What Node calls the curve. */
  readonly namedCurve?: string;
  /** Hash of the message; `null` where the algorithm brings its own. */
  readonly hash: "sha256" | "sha384" | "sha512" | null;
  /** Bytes of a signature; absent for RSA, whose signatures are as long as the modulus. */
  readonly size?: number;
  /** What goes beside the key in Node's sign and verify. */
  readonly options: SignatureOptions;
  /** Members of a public JWK that make up its thumbprint, in lexicographic order (RFC 7638 §3.2, RFC 8037 §2). */
  readonly thumbprintMembers: readonly string[];
  /** Members that only a private JWK has. */
  readonly privateMembers: readonly string[];
}

export interface SignatureOptions {
  readonly padding?: number;
  readonly saltLength?: number;
  readonly dsaEncoding?: "ieee-p1363";
}

const RSA = {
  kind: "pair",
  kty: "RSA",
  keyType: "rsa",
  thumbprintMembers: ["e", "kty", "n"],
  privateMembers: ["d", "p", "q", "dp", "dq", "qi", "oth"],
} as const;
const PKCS1 = { padding: constants.RSA_PKCS1_PADDING } as const;
/** The salt is exactly as long as the hash, when checking too (RFC 7518 §3.5). */
const PSS = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
} as const;

const EC = {
  kind: "pair",
  kty: "EC",
  keyType: "ec",
  /** R and S one after the other at full length, never DER (RFC 7518 §3.4). */
  options: { dsaEncoding: "ieee-p1363" },
  thumbprintMembers: ["crv", "kty", "x", "y"],
  privateMembers: ["d"],
} as const;

const ED25519 = {
  kind: "pair",
  kty: "OKP",
  crv: "Ed25519",
  keyType: "ed25519",
  hash: null,
  size: 64,
  options: {},
  thumbprintMembers: ["crv", "kty", "x"],
  privateMembers: ["d"],
} as const;

const ML_DSA = {
  kind: "pair",
  kty: "AKP",
  hash: null,
  options: {},
  thumbprintMembers: ["alg", "kty", "pub"],
  privateMembers: ["priv"],
} as const;

const ALGORITHMS = {
  HS256: { kind: "secret", kty: "oct", hash: "sha256", blockSize: 64, size: 32 },
  HS384: { kind: "secret", kty: "oct", hash: "sha384", blockSize: 128, size: 48 },
  HS512: { kind: "secret", kty: "oct", hash: "sha512", blockSize: 128, size: 64 },
  RS256: { ...RSA, hash: "sha256", options: PKCS1 },
  RS384: { ...RSA, hash: "sha384", options: PKCS1 },
  RS512: { ...RSA, hash: "sha512", options: PKCS1 },
  PS256: { ...RSA, hash: "sha256", options: PSS },
  PS384: { ...RSA, hash: "sha384", options: PSS },
  PS512: { ...RSA, hash: "sha512", options: PSS },
  ES256: { ...EC, crv: "P-256", namedCurve: "prime256v1", hash: "sha256", size: 64 },
  ES384: { ...EC, crv: "P-384", namedCurve: "secp384r1", hash: "sha384", size: 96 },
  ES512: { ...EC, crv: "P-521", namedCurve: "secp521r1", hash: "sha512", size: 132 },
  EdDSA: ED25519,
  Ed25519: ED25519,
  "ML-DSA-44": { ...ML_DSA, keyType: "ml-dsa-44", size: 2420 },
  "ML-DSA-65": { ...ML_DSA, keyType: "ml-dsa-65", size: 3309 },
  "ML-DSA-87": { ...ML_DSA, keyType: "ml-dsa-87", size: 4627 },
} as const satisfies Record<string, HmacRow | SignatureRow>;

type Rows = typeof ALGORITHMS;

/** A JWS `alg` that this library can use (RFC 7518 §3.1). */
export type Algorithm = keyof Rows;
/** An `alg` whose key is a shared secret. */
export type SecretAlgorithm = { [A in Algorithm]: Rows[A] extends HmacRow ? A : never }[Algorithm];
/** An `alg` whose key is a pair, private and public. */
export type PairAlgorithm = Exclude<Algorithm, SecretAlgorithm>;

/** The name of every algorithm. */
export const algorithms: readonly Algorithm[] = Object.freeze(Object.keys(ALGORITHMS) as Algorithm[]);

/** True for the exact name of an algorithm of ours; "none" is not one, nor is "hs256". */
export function isAlgorithm(value: unknown): value is Algorithm {
  return typeof value === "string" && Object.hasOwn(ALGORITHMS, value);
}

export function rowOf(alg: Algorithm): HmacRow | SignatureRow {
  return ALGORITHMS[alg];
}

/**
 * The row of an algorithm that a caller stated.
 * @throws TypeError when it is none of ours, naming those that are.
 */
export function statedRow(alg: unknown): HmacRow | SignatureRow {
  if (isAlgorithm(alg)) return ALGORITHMS[alg];
  throw new TypeError(`state the key's algorithm as 'alg', one of ${algorithms.join(", ")}`);
}
