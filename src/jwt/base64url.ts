/**
 * Base64url without padding (RFC 7515 §2, RFC 4648 §5), strictly: one spelling for each sequence of bytes.
 * Node's decoder is lenient (it takes the other alphabet, skips what it does not know and ignores stray bits), which would let one
 * signed token be written in many ways.
 */
import { writeBase64url } from "../buffer-text.ts";

/** The six bits that a character stands for, by its code; all ones and more for one that is not in the alphabet. */
const BITS = new Uint8Array(128).fill(0xff);
for (const [bits, character] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"].entries()) {
  BITS[character.charCodeAt(0)] = bits;
}
const ONLY_ALPHABET = /^[A-Za-z0-9_-]+$/;

/**
 * Decodes.
 * @returns the bytes, at least one; `undefined` for any text that the encoder would not have written.
 */
export function decodeBase64url(text: string): Buffer | undefined {
  if (!ONLY_ALPHABET.test(text) || !endsOnByte(text, text.length)) return undefined;
  return Buffer.from(text, "base64url");
}

/**
 * Decodes a text into a buffer, the fast way: what Node's decoder skips is noticed by the count of bytes that are missing.
 * @param text ASCII, and free of "+" and "/": Node takes both alphabets, so the caller looks for those, once for a whole token.
 * @returns how many bytes were written, or -1 for a text that the encoder would not have written.
 */
export function decodeBase64urlInto(text: string, target: Buffer): number {
  if (!endsOnByte(text, text.length)) return -1;
  const written = writeBase64url(target, text);
  return written === byteCount(text.length) ? written : -1;
}

export function encodeBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}

/** How many bytes so many characters stand for. */
function byteCount(characters: number): number {
  return Math.floor((characters * 3) / 4);
}

/** How many characters so many bytes are written in. */
export function characterCount(bytes: number): number {
  return Math.ceil((bytes * 4) / 3);
}

/** True when the length is possible and the bits of the last character that belong to no byte are zero. */
function endsOnByte(text: string, length: number): boolean {
  const rest = length % 4;
  if (rest === 0) return length > 0;
  if (rest === 1) return false;
  const last = BITS[text.charCodeAt(length - 1)] ?? 0xff;
  return (last & (rest === 2 ? 0b1111 : 0b11)) === 0;
}
