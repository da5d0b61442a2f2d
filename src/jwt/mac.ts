/**
 * HMAC (RFC 2104) as two plain hashes over prepared pads.
 * `createHmac` constructs an object per call, which costs more than the hashing; `crypto.hash` is one call, and
 * HMAC(K, m) = H((K ⊕ opad) ‖ H((K ⊕ ipad) ‖ m)) needs two. With text in and text out this takes half as long.
 * The price: the padded key lies in two buffers of this process for as long as the key is used, and can't be wiped.
 */
import { hash, timingSafeEqual } from "node:crypto";
import type { HmacRow } from "./algorithms.ts";
import { characterCount } from "./base64url.ts";
import { MAX_TOKEN_LENGTH } from "./limits.ts";

export interface Mac {
  /**
   * The code over a text.
   * @param text ASCII, at most `MAX_TOKEN_LENGTH` characters; anything above is cut to its low byte, so the caller has refused it.
   * @returns base64url.
   */
  compute(text: string): string;
  /**
   * Checks the code that a token carries, in a time that does not depend on where it differs (RFC 7518 §3.2).
   * @param token ASCII, at most `MAX_TOKEN_LENGTH` characters: the code's input, a dot, and the code in base64url.
   * @param inputLength where the dot is.
   */
  matches(token: string, inputLength: number): boolean;
}

export function prepareMac({ hash: name, blockSize, size }: HmacRow, secret: Uint8Array): Mac {
  // A secret longer than the block is replaced by its hash (RFC 2104 §2).
  const key = secret.length > blockSize ? hash(name, secret, "buffer") : secret;
  const inner = Buffer.alloc(blockSize + MAX_TOKEN_LENGTH);
  const outer = Buffer.alloc(blockSize + size);
  for (let i = 0; i < blockSize; i++) {
    const byte = key[i] ?? 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  const codeLength = characterCount(size);
  const expected = Buffer.alloc(codeLength);
  // Views into `inner`, kept because most tokens of a service have the same length and a view costs as much as the comparison.
  let input = inner.subarray(0, blockSize);
  let received = inner.subarray(0, codeLength);
  let viewedLength = 0;

  /** Lays a text out behind the pad, its first characters being what the code is over. */
  function layOut(text: string, length: number): void {
    inner.write(text, blockSize, text.length, "latin1");
    if (length === viewedLength) return;
    input = inner.subarray(0, blockSize + length);
    received = inner.subarray(blockSize + length + 1, blockSize + length + 1 + codeLength);
    viewedLength = length;
  }

  function computeLaidOut(): string {
    // Texts, not buffers, come out of both hashes: a Buffer costs more to make than the hash itself.
    outer.write(hash(name, input, "latin1"), blockSize, size, "latin1");
    return hash(name, outer, "base64url");
  }

  function compute(text: string): string {
    layOut(text, text.length);
    return computeLaidOut();
  }

  function matches(token: string, inputLength: number): boolean {
    if (token.length !== inputLength + 1 + codeLength) return false;
    layOut(token, inputLength);
    expected.write(computeLaidOut(), 0, codeLength, "latin1");
    // Comparing the texts, not the bytes they stand for, leaves one spelling of a code.
    return timingSafeEqual(expected, received);
  }

  return { compute, matches };
}
