/** JWK thumbprints (RFC 7638): a name for a public key that anyone who holds it can work out. */
import { hash, type KeyObject } from "node:crypto";
import type { SignatureRow } from "./algorithms.ts";

/**
 * The SHA-256 thumbprint of a public key: over its required members only, in lexicographic order and without white space (RFC 7638 §3).
 * There is none for a secret: it would be a bare hash of the secret, against which guesses can be tried without a single token.
 * @returns 43 characters of base64url.
 */
export function thumbprint({ thumbprintMembers }: SignatureRow, publicKey: KeyObject): string {
  const jwk = publicKey.export({ format: "jwk" }) as Record<string, unknown>;
  return hash("sha256", JSON.stringify(jwk, [...thumbprintMembers]), "base64url");
}
