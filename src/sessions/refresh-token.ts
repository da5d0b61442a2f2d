/**
 * Refresh tokens: `lkr_`, the base64url of secret number, session id, generation and handle, and a MAC over that text.
 * The handle is 128 random bits made at login, the MAC is made under a key derived from the secret: a stolen database
 * mints nothing (no key), a stolen secret mints nothing (no handle). A forgery is refused before storage is touched,
 * and since the successor follows from (handle, generation) everyone entitled to it is given the same one. (RFC 9700 §4.14.2)
 */
import { hash } from "node:crypto";
import { AuthError } from "../errors.ts";
import { type Mac, prepareMac, SHA256 } from "../mac.ts";
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
// secret number 2 · session id 8 · generation 4 · handle 16: thirty bytes are forty characters and no bit more
const BODY_SIZE = 30;
const SIGNED_LENGTH = PREFIX.length + 40;
const TOKEN_LENGTH = SIGNED_LENGTH + 43;
const ALPHABET = /^[A-Za-z0-9_-]+$/;
const TWO_32 = 2 ** 32;

/** @param keys derived under the label "refresh-token". */
export function createRefreshTokenCodec(keys: NumberedKeys): RefreshTokenCodec {
  const macs = new Map<number, Mac>();
  for (const [number, key] of keys.byNumber) {
    macs.set(number, prepareMac(SHA256, key, { maxLength: TOKEN_LENGTH, separatorLength: 0 }));
  }
  const currentMac = macs.get(keys.current) as Mac;

  return {
    encode({ sessionId, generation, handle }) {
      const bytes = Buffer.allocUnsafe(BODY_SIZE);
      bytes.writeUInt16BE(keys.current, 0);
      bytes.writeUInt32BE(Math.floor(sessionId / TWO_32), 2);
      bytes.writeUInt32BE(sessionId % TWO_32, 6);
      bytes.writeUInt32BE(generation, 10);
      bytes.set(handle, 14);
      // The MAC is over the text, so one token has one spelling.
      const signed = PREFIX + bytes.toString("base64url");
      return signed + currentMac.compute(signed, "");
    },

    decode(text) {
      // Of a cookie that is not there, or a body that nobody has looked at, it may be anything.
      if (typeof text !== "string" || text.length !== TOKEN_LENGTH || !text.startsWith(PREFIX))
        throw invalid("not the shape of a refresh token");
      if (!ALPHABET.test(text)) throw invalid("not base64url");
      const bytes = Buffer.from(text.slice(PREFIX.length, SIGNED_LENGTH), "base64url");
      const number = bytes.readUInt16BE(0);
      const mac = macs.get(number);
      if (!mac) {
        if (number > keys.newest)
          throw new AuthError("secret_unknown", { reason: `secret number ${number} is not known` });
        throw invalid(`secret number ${number} is not accepted any more`);
      }
      if (!mac.matches(text, SIGNED_LENGTH)) throw invalid("bad MAC");
      return {
        sessionId: bytes.readUInt32BE(2) * TWO_32 + bytes.readUInt32BE(6),
        generation: bytes.readUInt32BE(10),
        handle: new Uint8Array(bytes.subarray(14)),
      };
    },
  };
}

/** What the session row keeps of a handle: SHA-256, base64url. */
export const hashHandle = (handle: Uint8Array): string => hash("sha256", handle, "base64url");

/** What the session row keeps of an attempt id: half of SHA-256, 32 hex digits. */
export const hashAttempt = (attempt: string): string => hash("sha256", attempt, "hex").slice(0, 32);

const invalid = (reason: string) => new AuthError("refresh_token_invalid", { reason });
