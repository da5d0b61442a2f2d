/**
 * Reading keys: from secret bytes, PEM, certificates and JWKs.
 * The algorithm is always stated by whoever imports, never guessed from the text: guessing is how public keys became HMAC secrets
 * (CVE-2022-23529, CVE-2024-33663, CVE-2026-34950). Whatever contradicts the statement is refused here, once, with the way out.
 */
import { createPrivateKey, createPublicKey, createSecretKey, type KeyObject, X509Certificate } from "node:crypto";
import { prepareMac } from "../mac.ts";
import {
  type Algorithm,
  type HmacRow,
  type PairAlgorithm,
  type SecretAlgorithm,
  type SignatureRow,
  statedRow,
} from "./algorithms.ts";
import { decodeBase64url } from "./base64url.ts";
import type { Jwk } from "./jwk.ts";
import { Key, type PrivateKey, type PublicKey, type SecretKey } from "./key.ts";
import { isPrivateJwk, refuseBadKeyObject, refuseBadKid, refuseBadSecret, refuseContradictions } from "./key-rules.ts";
import { MAX_TOKEN_LENGTH } from "./limits.ts";
import { prepareSigning, prepareVerification } from "./signature.ts";
import { thumbprint } from "./thumbprint.ts";

/** A key as it is written down: a JWK, a PEM text or its bytes, or a secret. */
export type KeySource = Jwk | string | Uint8Array;

export interface ImportOptions<Alg extends Algorithm = Algorithm> {
  /** The algorithm that the key is for. */
  readonly alg: Alg;
  /**
   * The key's name in token headers, 1 to 256 characters. By default the JWK's own; else, of a key pair, its RFC 7638 thumbprint; and of a secret
   * the name of its algorithm, because whatever is worked out from a secret helps to guess it.
   */
  readonly kid?: string;
  /** Which half of a pair is expected. Given "public", a private key is refused: it does not belong where tokens are only checked. */
  readonly type?: "public" | "private";
}

/**
 * Imports a key.
 * @param source for HS256, HS384 and HS512 a JWK with `kty` oct, the secret's bytes, or a text that stands for its UTF-8 bytes (as PyJWT reads
 *   it); for the others a JWK or a PEM text ("PUBLIC KEY", "PRIVATE KEY" or "CERTIFICATE"). Of a certificate only the public key is used:
 *   neither its dates nor who signed it are judged.
 * @returns for a pair, a key that is as private as its source: a private key both signs and verifies.
 * @throws TypeError when the source is not such a key, is weak, or contradicts `options`; the message says what to do.
 */
export function importKey(source: KeySource, options: ImportOptions<SecretAlgorithm>): SecretKey;
export function importKey(source: KeySource, options: ImportOptions<PairAlgorithm> & { type: "public" }): PublicKey;
export function importKey(source: KeySource, options: ImportOptions<PairAlgorithm> & { type: "private" }): PrivateKey;
export function importKey(source: KeySource, options: ImportOptions<PairAlgorithm>): PrivateKey | PublicKey;
export function importKey(source: KeySource, options: ImportOptions): SecretKey | PrivateKey | PublicKey;
export function importKey(source: KeySource, options: ImportOptions): SecretKey | PrivateKey | PublicKey {
  const row = statedRow(options?.alg);
  const jwk = readJwkSource(source);
  if (jwk) refuseContradictions(jwk, options.alg, row);
  const kid = options.kid === undefined ? jwk?.kid : options.kid;
  if (kid !== undefined) refuseBadKid(kid);
  if (row.kind === "secret") return makeSecretKey(readSecret(source, jwk, options.alg), { alg: options.alg, row, kid });
  const keyObject = jwk ? readPairJwk(jwk, options.alg, row) : readPem(source as string | Uint8Array, options.alg);
  if (options.type !== undefined && keyObject.type !== options.type) {
    throw new TypeError(
      options.type === "public"
        ? "a private key does not belong here: import its public half"
        : "a public key can't sign: import the private key",
    );
  }
  return makePairKey(keyObject, { alg: options.alg, row, kid });
}

interface Making<Row> {
  readonly alg: Algorithm;
  readonly row: Row;
  readonly kid: string | undefined;
}

/** Makes a key of a secret. */
export function makeSecretKey(secret: Uint8Array, { alg, row, kid }: Making<HmacRow>): SecretKey {
  refuseBadSecret(secret, alg, row);
  const mac = prepareMac(row, secret, { maxLength: MAX_TOKEN_LENGTH, separatorLength: 1 });
  return new Key("secret", alg, kid ?? alg, {
    keyObject: createSecretKey(secret),
    verifies: mac.matches,
    sign: mac.compute,
  });
}

/** Makes a key of a private or public key that Node has read. */
export function makePairKey(keyObject: KeyObject, { alg, row, kid }: Making<SignatureRow>): PrivateKey | PublicKey {
  refuseBadKeyObject(keyObject, alg, row);
  const isPrivate = keyObject.type === "private";
  const publicKey = isPrivate ? createPublicKey(keyObject) : keyObject;
  const verifies = prepareVerification(row, publicKey);
  const sign = isPrivate ? prepareSigning(row, keyObject) : undefined;
  // A private key whose parts do not belong together makes signatures that give it away (RSA with one wrong prime does).
  if (sign && !verifies(`trial.${sign("tri", "al")}`, "trial".length)) {
    throw new TypeError("the private key does not fit its own public half: make another key");
  }
  const name = kid ?? thumbprint(row, publicKey);
  return isPrivate
    ? new Key("private", alg, name, { keyObject, verifies, sign })
    : new Key("public", alg, name, { keyObject, verifies, sign });
}

function readJwkSource(source: unknown): Jwk | undefined {
  if (typeof source === "string" || source instanceof Uint8Array) return undefined;
  if (typeof source === "object" && source !== null && !Array.isArray(source)) return source as Jwk;
  throw new TypeError("a key is imported from a JWK object, a text or bytes");
}

function readSecret(source: KeySource, jwk: Jwk | undefined, alg: Algorithm): Uint8Array {
  if (!jwk) return Buffer.from(source as string);
  const secret = typeof jwk.k === "string" ? decodeBase64url(jwk.k) : undefined;
  if (!secret) throw new TypeError(`${alg} needs a JWK whose k is the secret in base64url`);
  return secret;
}

function readPairJwk(jwk: Jwk, alg: Algorithm, row: SignatureRow): KeyObject {
  const key = { key: jwk as Record<string, unknown>, format: "jwk" } as const;
  let keyObject: KeyObject;
  try {
    keyObject = isPrivateJwk(jwk, row) ? createPrivateKey(key) : createPublicKey(key);
  } catch (cause) {
    throw new TypeError(`the JWK is not a whole and consistent ${alg} key`, { cause });
  }
  // Node reads base64url leniently. A JWK that is written in any other way than Node writes it has a second spelling.
  const written = keyObject.export({ format: "jwk" }) as Record<string, unknown>;
  for (const member of row.thumbprintMembers) {
    if (member !== "alg" && written[member] !== jwk[member]) {
      throw new TypeError(`the JWK's ${member} is not canonical base64url of its full length (RFC 7518 §6)`);
    }
  }
  return keyObject;
}

const PEM = /^-----BEGIN ([A-Z0-9 ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----$/;

function readPem(source: string | Uint8Array, alg: Algorithm): KeyObject {
  const text = (typeof source === "string" ? source : Buffer.from(source).toString("latin1")).trim();
  const label = PEM.exec(text)?.[1];
  try {
    if (label === "PUBLIC KEY") return createPublicKey(text);
    if (label === "PRIVATE KEY") return createPrivateKey(text);
    if (label === "CERTIFICATE") return new X509Certificate(text).publicKey;
  } catch (cause) {
    throw new TypeError(`the PEM text is not a whole ${alg} key`, { cause });
  }
  throw new TypeError(
    `${alg} needs a JWK object or one PEM text that says PUBLIC KEY, PRIVATE KEY or CERTIFICATE` +
      (label ? `, and this one says ${label}: convert it with openssl pkey` : ""),
  );
}
