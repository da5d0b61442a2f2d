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
   * The code over the first characters of a text.
   * @param text ASCII; anything above is cut to its low byte, so the caller has refused it.
   * @param length how many characters, at most `MAX_TOKEN_LENGTH`.
   * @returns base64url.
   */
  compute(text: string, length: number): string;
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
  const received = Buffer.alloc(codeLength);

  function compute(text: string, length: number): string {
    inner.write(text, blockSize, length, "latin1");
    // Texts, not buffers, come out of both hashes: a Buffer costs more to make than the hash itself.
    outer.write(hash(name, inner.subarray(0, blockSize + length), "latin1"), blockSize, size, "latin1");
    return hash(name, outer, "base64url");
  }

  function matches(token: string, inputLength: number): boolean {
    const start = inputLength + 1;
    if (token.length - start !== codeLength) return false;
    expected.write(compute(token, inputLength), 0, codeLength, "latin1");
    // Comparing the texts, not the bytes they stand for, leaves one spelling of a code.
    received.write(token.slice(start), 0, codeLength, "latin1");
    return timingSafeEqual(expected, received);
  }

  return { compute, matches };
}
