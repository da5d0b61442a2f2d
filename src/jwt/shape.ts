/** The shape of a token in compact form (RFC 7515 §7.1), judged before anything in it is decoded. */
import { MAX_TOKEN_LENGTH } from "./limits.ts";

/** How refresh tokens of ours begin. */
const REFRESH_PREFIX = "lkr_";
const SPACE = 0x20;

export const TOO_LONG = `the token is longer than ${MAX_TOKEN_LENGTH} characters`;

/** True for a text that is longer than any token may be: the one thing of it that costs nothing to know. */
export function isTooLong(token: unknown): boolean {
  return typeof token === "string" && token.length > MAX_TOKEN_LENGTH;
}

/**
 * Says why the characters of a text can't be those of a token, or `undefined`. Every step is a search by the machine's own means: a text of 8 KiB
 * takes less than a microsecond.
 */
export function charactersProblem(token: string): string | undefined {
  if (isTooLong(token)) return TOO_LONG;
  // Before anything is laid out as bytes: written as latin1, "Ł" and "A" are the same byte, and one token would pass for another.
  if (Buffer.byteLength(token) !== token.length) return "the token has a character that is not ASCII";
  // Node's decoder takes both alphabets, and whatever else is wrong shows in the count of bytes that it gives.
  if (token.includes("+") || token.includes("/")) return "the token is not base64url";
  return undefined;
}

/** Says why a text is not three parts, or `undefined`: JWE in five parts and JWS in JSON form fail here like any other text. */
export function partsProblem(token: string): string | undefined {
  const first = token.indexOf(".");
  const second = token.indexOf(".", first + 1);
  const isThree = first > 0 && second > first + 1 && second < token.length - 1 && !token.includes(".", second + 1);
  // What is written in front of a token, or comes in its place, most often: who mounts a guard should not have to guess.
  // The one character first: forgeries come by here as well, and a search costs each of them more.
  if (token.charCodeAt(6) <= SPACE && /^bearer\s/i.test(token))
    return 'the token begins with "Bearer": take the scheme off';
  if (isThree) return undefined;
  return token.startsWith(REFRESH_PREFIX)
    ? "it is a refresh token: the access token is wanted here"
    : "the token is not three parts with dots between them";
}
