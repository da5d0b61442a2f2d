/** What the revocation index looks at in the claims of an access token of ours. */
import type { TokenSubject } from "./revocation-index.ts";

/** The claims it reads; any verified token has them or is not ours. */
export interface SubjectClaims {
  readonly sub?: unknown;
  readonly sid?: unknown;
  readonly epoch?: unknown;
  readonly iat?: unknown;
}

/** 9007199254740991 has so many. */
const MOST_DIGITS = 16;

/** "42" → 42; `undefined` for anything that is not how we write an id. It runs for every guarded request: no expression, no copy. */
export function readId(text: unknown): number | undefined {
  if (typeof text !== "string" || text.length === 0 || text.length > MOST_DIGITS || text[0] === "0") return undefined;
  let number = 0;
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 0x30;
    if (digit < 0 || digit > 9) return undefined;
    number = number * 10 + digit;
  }
  return Number.isSafeInteger(number) ? number : undefined;
}

/** @returns the subject, or what is wrong with the claims. */
export function readSubject({ sub, sid, epoch, iat }: SubjectClaims): TokenSubject | string {
  const userId = readId(sub);
  const sessionId = readId(sid);
  if (userId === undefined) return "sub is not a user's id";
  if (sessionId === undefined) return "sid is not a session's id";
  if (typeof epoch !== "number" || !Number.isSafeInteger(epoch)) return "epoch is not a whole number";
  return { userId, sessionId, epoch, issuedAt: typeof iat === "number" ? iat : 0 };
}
