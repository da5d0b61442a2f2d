/**
 * Signatures by key pairs (RFC 7518 §3.3–3.5, RFC 8037 §3.1, ML-DSA), over one-shot `node:crypto` calls with prepared options.
 */
import { type KeyObject, sign as nodeSign, verify as nodeVerify } from "node:crypto";
import type { SignatureRow } from "./algorithms.ts";
import { characterCount, decodeBase64urlInto } from "./base64url.ts";
import { MAX_TOKEN_LENGTH } from "./limits.ts";

/** Where texts are laid out as bytes. Everything that uses it is synchronous, so one serves all keys. */
const scratch = Buffer.alloc(MAX_TOKEN_LENGTH);

/** Bytes of a key's signatures: of RSA, as many as the modulus has (RFC 8017 §8.1.2). */
export function signatureSize(row: SignatureRow, key: KeyObject): number {
  return row.size ?? Math.ceil((key.asymmetricKeyDetails?.modulusLength as number) / 8);
}

/**
 * Prepares a public key to check tokens.
 * @returns a function of a token (ASCII, free of "+" and "/", at most `MAX_TOKEN_LENGTH` characters: the signed text, a dot, the signature in
 *   base64url) and of where the dot is.
 */
export function prepareVerification(
  row: SignatureRow,
  key: KeyObject,
): (token: string, inputLength: number) => boolean {
  const size = signatureSize(row, key);
  const length = characterCount(size);
  const signature = Buffer.alloc(size);
  const options = { ...row.options, key };
  return (token, inputLength) => {
    const start = inputLength + 1;
    // A signature of another length is refused before any arithmetic: DER is (RFC 7518 §3.4), and so is RSA with leading zeros cut.
    if (token.length - start !== length) return false;
    if (decodeBase64urlInto(token.slice(start), signature) !== size) return false;
    scratch.write(token, 0, inputLength, "latin1");
    return nodeVerify(row.hash, scratch.subarray(0, inputLength), options, signature);
  };
}

/**
 * Prepares a private key to sign.
 * @returns a function from the two parts of the text to sign (ASCII, together at most `MAX_TOKEN_LENGTH` characters) to the signature in base64url.
 */
export function prepareSigning(row: SignatureRow, key: KeyObject): (header: string, payload: string) => string {
  const options = { ...row.options, key };
  return (header, payload) => {
    scratch.write(header, 0, header.length, "latin1");
    scratch.write(payload, header.length, payload.length, "latin1");
    return nodeSign(row.hash, scratch.subarray(0, header.length + payload.length), options).toString("base64url");
  };
}
