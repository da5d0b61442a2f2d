/** Writing keys down. What is public has a plain name; what lets others sign has one that shows in a review. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { rowOf, type SignatureRow } from "./algorithms.ts";
import { makePairKey } from "./import-key.ts";
import type { Jwk } from "./jwk.ts";
import { type Key, materialOf, type PrivateKey, type PublicKey, type SecretKey } from "./key.ts";
import { thumbprint } from "./thumbprint.ts";

/** The public half of a key pair, which verifies and can't sign. */
export function toPublicKey(key: PrivateKey | PublicKey): PublicKey {
  if (key.type === "public") return key;
  return makePairKey(publicHalf(key), { alg: key.alg, row: pairRow(key), kid: key.kid }) as PublicKey;
}

/** The public half as a JWK with `alg`, `kid` and `use`, for others to verify with. */
export function toPublicJwk(key: PrivateKey | PublicKey): Jwk {
  return { ...publicHalf(key).export({ format: "jwk" }), alg: key.alg, kid: key.kid, use: "sig" };
}

/** The public half as a PEM text ("PUBLIC KEY"). */
export function toPublicPem(key: PrivateKey | PublicKey): string {
  return publicHalf(key).export({ format: "pem", type: "spki" }) as string;
}

/** The RFC 7638 thumbprint of a key pair, SHA-256: 43 characters. */
export function toThumbprint(key: PrivateKey | PublicKey): string {
  return thumbprint(pairRow(key), publicHalf(key));
}

/** The whole key as a JWK, for a store that is as secret as the key: whoever reads it can sign. */
export function exposePrivateJwk(key: SecretKey | PrivateKey): Jwk {
  if (!key.canSign) throw new TypeError("a public key has no private JWK");
  return { ...materialOf(key).keyObject.export({ format: "jwk" }), alg: key.alg, kid: key.kid, use: "sig" };
}

/** The private key as an unencrypted PEM text ("PRIVATE KEY"), for a store that is as secret as the key. */
export function exposePrivatePem(key: PrivateKey): string {
  if (key.type !== "private") throw new TypeError("only a private key has a private PEM text");
  return materialOf(key).keyObject.export({ format: "pem", type: "pkcs8" }) as string;
}

function pairRow(key: Key): SignatureRow {
  const row = rowOf(key.alg);
  if (row.kind === "pair") return row;
  throw new TypeError("a secret has no public half, and nothing worked out from it is public either");
}

function publicHalf(key: Key): KeyObject {
  pairRow(key);
  const { keyObject } = materialOf(key);
  return key.type === "private" ? createPublicKey(keyObject) : keyObject;
}
