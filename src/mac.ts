/**
 * HMAC (RFC 2104) as two plain hashes over prepared pads.
 * `createHmac` constructs an object per call, which costs more than the hashing; `crypto.hash` is one call, and
 * HMAC(K, m) = H((K ⊕ opad) ‖ H((K ⊕ ipad) ‖ m)) needs two. With text in and text out this takes half as long.
 * The price: the padded key lies in two buffers of this process for as long as the key is used, and can't be wiped.
 */
import { hash, timingSafeEqual } from "node:crypto";
import { writeLatin1 } from "./buffer-text.ts";

/** The hash that a code is made with; sizes in bytes. */
export interface MacHash {
  readonly hash: string;
  readonly blockSize: number;
  readonly size: number;
}

export interface MacOptions {
  /** Characters of the longest token, code and all; so much room is kept ready for each key. */
  readonly maxLength: number;
  /** Characters between a code's input and the code, for `matches`: 1 in a JWS, whose parts have dots between them. */
  readonly separatorLength: number;
}

export interface Mac {
  /**
   * The code over a text that comes in two parts, which saves joining them.
   * @param header ASCII, as is `payload`; together at most `maxLength` characters.
   * @returns base64url.
   */
  compute(header: string, payload: string): string;
  /**
   * Checks the code that a token carries, in a time that does not depend on where it differs (RFC 7518 §3.2).
   * @param token ASCII, at most `maxLength` characters: the code's input, the separator, and the code in base64url.
   * @param inputLength where the separator begins.
   */
  matches(token: string, inputLength: number): boolean;
}

/** Node takes an output's encoding with its length, which it would otherwise look up; other runtimes take the encoding alone. */
const TAKES_OPTIONS = (() => {
  try {
    return hash("sha256", "", { outputEncoding: "latin1", outputLength: 32 }).length === 32;
  } catch {
    return false;
  }
})();

export const SHA256: MacHash = { hash: "sha256", blockSize: 64, size: 32 };

export function prepareMac(
  { hash: name, blockSize, size }: MacHash,
  secret: Uint8Array,
  { maxLength, separatorLength }: MacOptions,
): Mac {
  // A secret longer than the block is replaced by its hash (RFC 2104 §2).
  const key = secret.length > blockSize ? hash(name, secret, "buffer") : secret;
  const inner = Buffer.alloc(blockSize + maxLength);
  const outer = Buffer.alloc(blockSize + size);
  for (let i = 0; i < blockSize; i++) {
    const byte = key[i] ?? 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  const codeLength = Math.ceil((size * 4) / 3);
  const asLatin1 = TAKES_OPTIONS ? ({ outputEncoding: "latin1", outputLength: size } as const) : "latin1";
  const asBase64url = TAKES_OPTIONS ? ({ outputEncoding: "base64url", outputLength: size } as const) : "base64url";
  const expected = Buffer.alloc(codeLength);
  // Views into `inner`, kept because most tokens of a service have the same length and a view costs as much as the comparison.
  let input = inner.subarray(0, blockSize);
  let received = inner.subarray(0, codeLength);
  let viewedLength = -1; // no length yet, not even that of an empty input

  function view(length: number): void {
    if (length === viewedLength) return;
    const start = blockSize + length + separatorLength;
    input = inner.subarray(0, blockSize + length);
    received = inner.subarray(start, start + codeLength);
    viewedLength = length;
  }

  /** The code over `input`. */
  function code(): string {
    // Texts, not buffers, come out of both hashes: a Buffer costs more to make than the hash itself.
    writeLatin1(outer, hash(name, input, asLatin1), blockSize);
    return hash(name, outer, asBase64url);
  }

  function compute(header: string, payload: string): string {
    writeLatin1(inner, header, blockSize);
    writeLatin1(inner, payload, blockSize + header.length);
    view(header.length + payload.length);
    return code();
  }

  function matches(token: string, inputLength: number): boolean {
    if (token.length !== inputLength + separatorLength + codeLength) return false;
    writeLatin1(inner, token, blockSize);
    view(inputLength);
    writeLatin1(expected, code(), 0);
    // Comparing the texts, not the bytes they stand for, leaves one spelling of a code.
    return timingSafeEqual(expected, received);
  }

  return { compute, matches };
}
