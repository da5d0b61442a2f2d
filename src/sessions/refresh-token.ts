/**
 * Refresh tokens: `lkr_` and the base64url of secret number, session id, generation, handle and MAC.
 * The handle is 128 random bits made at login, the MAC is made under a key derived from the secret: a stolen database
 * mints nothing (no key), a stolen secret mints nothing (no handle). A forgery is refused before storage is touched,
 * and since the successor follows from (handle, generation) everyone entitled to it is given the same one. (RFC 9700 §4.14.2)
 */
import { createHmac, hash, timingSafeEqual } from "node:crypto";
import { AuthError } from "../errors.ts";
import type { NumberedKeys } from "../secrets.ts";

/** What a refresh token says once its MAC has been checked. */
export interface RefreshToken {
  readonly sessionId: number;
  /** How many rotations led to this token; 0 at login. */
  readonly generation: number;
  /** 16 random bytes. */
  readonly handle: Uint8Array;
}

export interface RefreshTokenCodec {
  /** The token under the current secret. */
  encode(token: RefreshToken): string;
  /**
   * Reads a token without I/O.
   * @throws AuthError `secret_unknown` when it names a newer secret than any known (a rolling deploy),
   *   `refresh_token_invalid` for anything else that is not a token of ours.
   */
  decode(text: string): RefreshToken;
}

export const HANDLE_SIZE = 16;
const PREFIX = "lkr_";
// secret number 2 · session id 8 · generation 4 · handle 16 · MAC 32
const SIGNED_SIZE = 30;
const MAC_SIZE = 32;
const TOKEN_LENGTH = PREFIX.length + Math.ceil(((SIGNED_SIZE + MAC_SIZE) * 8) / 6);
const ALPHABET = /^[A-Za-z0-9_-]+$/;

/** @param keys derived under the label "refresh-token". */
export function createRefreshTokenCodec(keys: NumberedKeys): RefreshTokenCodec {
  const mac = (key: Uint8Array, signed: Uint8Array) => createHmac("sha256", key).update(signed).digest();

  return {
    encode({ sessionId, generation, handle }) {
      const bytes = Buffer.allocUnsafe(SIGNED_SIZE + MAC_SIZE);
      bytes.writeUInt16BE(keys.current, 0);
      bytes.writeBigUInt64BE(BigInt(sessionId), 2);
      bytes.writeUInt32BE(generation, 10);
      bytes.set(handle, 14);
      bytes.set(mac(keys.byNumber.get(keys.current) as Uint8Array, bytes.subarray(0, SIGNED_SIZE)), SIGNED_SIZE);
      return PREFIX + bytes.toString("base64url");
    },

    decode(text) {
      if (text.length !== TOKEN_LENGTH || !text.startsWith(PREFIX)) throw invalid("not the shape of a refresh token");
      const body = text.slice(PREFIX.length);
      if (!ALPHABET.test(body)) throw invalid("not base64url");
      const bytes = Buffer.from(body, "base64url");
      // The last character has spare bits: one token has one spelling.
      if (bytes.toString("base64url") !== body) throw invalid("not canonical base64url");
      const number = bytes.readUInt16BE(0);
      const key = keys.byNumber.get(number);
      if (!key) {
        if (number > keys.newest)
          throw new AuthError("secret_unknown", { reason: `secret number ${number} is not known` });
        throw invalid(`secret number ${number} is not accepted any more`);
      }
      if (!timingSafeEqual(bytes.subarray(SIGNED_SIZE), mac(key, bytes.subarray(0, SIGNED_SIZE))))
        throw invalid("bad MAC");
      return {
        sessionId: Number(bytes.readBigUInt64BE(2)),
        generation: bytes.readUInt32BE(10),
        handle: new Uint8Array(bytes.subarray(14, SIGNED_SIZE)),
      };
    },
  };
}

/** What the session row keeps of a handle: SHA-256, base64url. */
export const hashHandle = (handle: Uint8Array): string => hash("sha256", handle, "base64url");

/** What the session row keeps of an attempt id: half of SHA-256, 32 hex digits. */
export const hashAttempt = (attempt: string): string => hash("sha256", attempt, "hex").slice(0, 32);

const invalid = (reason: string) => new AuthError("refresh_token_invalid", { reason });
