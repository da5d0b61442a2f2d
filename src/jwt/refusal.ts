/** Refusing a token: one public code, and the precise reason for logs alone. */
import { AuthError, type AuthErrorCode } from "../errors.ts";

/** The codes that a token can be refused with. */
export type TokenErrorCode = Extract<AuthErrorCode, "token_invalid" | "token_expired" | "token_subject_missing">;

/**
 * Refuses a token.
 * @param reason what is wrong, for logs; what it quotes of the token has gone through `quote`.
 */
export function refuse(reason: string, code: TokenErrorCode = "token_invalid"): never {
  throw new AuthError(code, { reason });
}

/** Makes a value from a token fit for a log line: short, on one line, printable ASCII. */
export function quote(value: unknown): string {
  if (typeof value !== "string")
    return value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;
  const start = value.length > 40 ? `${value.slice(0, 40)}…` : value;
  return JSON.stringify(start).replace(/[^\x20-\x7e…]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
