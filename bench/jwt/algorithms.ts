/**
 * The algorithms that are measured, and a key of each in every form that some library wants it in.
 * This is the bench's own table on purpose: what is measured does not provide its own yardstick.
 */
import {
  constants,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  type SigningOptions,
} from "node:crypto";
import { importPKCS8, importSPKI } from "jose";

export type Family = "HS" | "RS" | "PS" | "ES" | "EdDSA" | "ML-DSA";

export interface Algorithm {
  readonly alg: string;
  readonly family: Family;
  /** The digest as node:crypto names it; undefined where the signature scheme has its own. */
  readonly digest: string | undefined;
  /** What the one-shot sign and verify of node:crypto want beside the key. */
  readonly options: SigningOptions;
}

/** The same key in all its forms; of a secret, both sides are the same. */
export interface KeyForms {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** PEM, or the secret as text: how most code holds its key. */
  readonly privateText: string;
  readonly publicText: string;
  readonly privateCryptoKey: CryptoKey;
  readonly publicCryptoKey: CryptoKey;
}

const P1363: SigningOptions = { dsaEncoding: "ieee-p1363" };
const PKCS1: SigningOptions = { padding: constants.RSA_PKCS1_PADDING };
const PSS: SigningOptions = {
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
};

export const ALGORITHMS: readonly Algorithm[] = [
  { alg: "HS256", family: "HS", digest: "sha256", options: {} },
  { alg: "HS384", family: "HS", digest: "sha384", options: {} },
  { alg: "HS512", family: "HS", digest: "sha512", options: {} },
  { alg: "RS256", family: "RS", digest: "sha256", options: PKCS1 },
  { alg: "RS384", family: "RS", digest: "sha384", options: PKCS1 },
  { alg: "RS512", family: "RS", digest: "sha512", options: PKCS1 },
  { alg: "PS256", family: "PS", digest: "sha256", options: PSS },
  { alg: "PS384", family: "PS", digest: "sha384", options: PSS },
  { alg: "PS512", family: "PS", digest: "sha512", options: PSS },
  { alg: "ES256", family: "ES", digest: "sha256", options: P1363 },
  { alg: "ES384", family: "ES", digest: "sha384", options: P1363 },
  { alg: "ES512", family: "ES", digest: "sha512", options: P1363 },
  { alg: "EdDSA", family: "EdDSA", digest: undefined, options: {} },
  { alg: "ML-DSA-44", family: "ML-DSA", digest: undefined, options: {} },
  { alg: "ML-DSA-65", family: "ML-DSA", digest: undefined, options: {} },
  { alg: "ML-DSA-87", family: "ML-DSA", digest: undefined, options: {} },
];

const CURVES: Readonly<Record<string, string>> = { ES256: "P-256", ES384: "P-384", ES512: "P-521" };

export function algorithmNamed(alg: string): Algorithm {
  const found = ALGORITHMS.find((algorithm) => algorithm.alg === alg);
  if (!found) throw new TypeError(`no such algorithm: ${alg}`);
  return found;
}

export async function generateKeyForms(algorithm: Algorithm): Promise<KeyForms> {
  if (algorithm.family === "HS") return secretForms(algorithm);
  const { privateKey, publicKey } = generatePair(algorithm);
  const privateText = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const publicText = publicKey.export({ type: "spki", format: "pem" }).toString();
  return {
    privateKey,
    publicKey,
    privateText,
    publicText,
    privateCryptoKey: await importPKCS8(privateText, algorithm.alg),
    publicCryptoKey: await importSPKI(publicText, algorithm.alg),
  };
}

function generatePair({ alg, family }: Algorithm): { privateKey: KeyObject; publicKey: KeyObject } {
  switch (family) {
    case "RS":
    case "PS":
      return generateKeyPairSync("rsa", { modulusLength: 2048 });
    case "ES":
      return generateKeyPairSync("ec", { namedCurve: CURVES[alg]! });
    case "EdDSA":
      return generateKeyPairSync("ed25519");
    default:
      return generateKeyPairSync(alg.toLowerCase() as "ml-dsa-44");
  }
}

async function secretForms({ digest }: Algorithm): Promise<KeyForms> {
  // As long as the digest (RFC 7518 §3.2), and text, because that is how secrets reach a server.
  const length = { sha256: 32, sha384: 48, sha512: 64 }[digest as "sha256"];
  const text = randomBytes(length).toString("base64url").slice(0, length);
  const key = createSecretKey(Buffer.from(text));
  const hmac = { name: "HMAC", hash: `SHA-${digest!.slice(3)}` };
  const cryptoKey = await crypto.subtle.importKey("raw", Buffer.from(text), hmac, false, ["sign", "verify"]);
  return {
    privateKey: key,
    publicKey: key,
    privateText: text,
    publicText: text,
    privateCryptoKey: cryptoKey,
    publicCryptoKey: cryptoKey,
  };
}
