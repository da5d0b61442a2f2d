/** What the revocation index looks at in the claims of an access token of ours. */
import type { TokenSubject } from "./revocation-index.ts";

/** The claims it reads; any verified token has them or is not ours. */
export interface SubjectClaims {
  readonly sub?: unknown;
  readonly sid?: unknown;
  readonly epoch?: unknown;
  readonly iat?: unknown;
}

/** "42" → 42; `undefined` for anything that is not how we write an id. */
export function readId(text: unknown): number | undefined {
  if (typeof text !== "string" || !/^[1-9]\d{0,15}$/.test(text)) return undefined;
  const number = Number(text);
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
