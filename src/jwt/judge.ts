/**
 * What is judged of a token, in the only order that is safe: its shape; its header, for the key; the signature; and only then its claims.
 * Unverified JSON is work of an attacker's choosing, so none is parsed beyond a header of at most 1,024 characters.
 */
import { decodeUtf8, isPlainJson, jsonProblem } from "../json.ts";
import { decodeBase64url, decodeBase64urlInto } from "./base64url.ts";
import { compileClaimChecks } from "./claim-checks.ts";
import { type Claims, withoutPrototype } from "./claims.ts";
import { MAX_JSON_DEPTH, MAX_TOKEN_LENGTH } from "./limits.ts";
import type { Policy } from "./policy.ts";
import { quote, refuse } from "./refusal.ts";

/**
 * Refuses what can't be a token in compact form (RFC 7515 §7.1): JWS in JSON form and JWE in five parts fail here like any other text.
 * @throws AuthError `token_invalid`
 */
export function requireShape(token: unknown): asserts token is string {
  if (typeof token !== "string") refuse("the token is not a text");
  if (token.length > MAX_TOKEN_LENGTH) refuse(`the token is longer than ${MAX_TOKEN_LENGTH} characters`);
  // Before anything is laid out as bytes: written as latin1, "Ł" and "A" are the same byte, and one token would pass for another.
  if (Buffer.byteLength(token) !== token.length) refuse("the token has a character that is not ASCII");
  if (token.includes("+") || token.includes("/")) refuse("the token is not base64url");
  const first = token.indexOf(".");
  const second = token.indexOf(".", first + 1);
  if (first <= 0 || second <= first + 1 || second === token.length - 1 || token.includes(".", second + 1)) {
    refuse("the token is not three parts with dots between them");
  }
}

const scratch = Buffer.alloc(MAX_TOKEN_LENGTH);
const REPLACEMENT = "\uFFFD";

/**
 * Reads the claims of a token whose signature is good.
 * @param encoded the token's second part; free of "+" and "/".
 * @throws AuthError `token_invalid`
 */
export function readClaims(encoded: string): Record<string, unknown> {
  const length = decodeBase64urlInto(encoded, scratch);
  if (length === -1) refuse("the claims are not canonical base64url");
  const text = scratch.toString("utf8", 0, length);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    refuse("the claims are not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse("the claims are not a JSON object");
  if (text.includes(REPLACEMENT) || !isPlainJson(text, value, MAX_JSON_DEPTH)) requireStrictJson(encoded);
  return withoutPrototype(value);
}

/** The slow look at claims that another issuer wrote with spaces, escapes or numbers in other forms than ours. */
function requireStrictJson(encoded: string): void {
  const text = decodeUtf8(decodeBase64url(encoded) as Buffer);
  if (text === undefined) refuse("the claims are not valid UTF-8");
  const problem = jsonProblem(text, MAX_JSON_DEPTH);
  if (problem) refuse(`the text of the claims ${problem}`);
}

/**
 * Compiles the rules of a policy.
 * @returns a function that passes claims of a token whose signature is good, or throws an AuthError with one of the codes for tokens.
 */
export function compileClaimRules(policy: Policy): (claims: Record<string, unknown>, now: number) => void {
  const checks = compileClaimChecks(policy);
  const { subjectClaim } = policy;
  const renamesSubject = subjectClaim !== "sub";
  return (claims, now) => {
    for (const { problem, code } of checks) {
      const reason = problem(claims, now);
      if (reason !== undefined) refuse(reason, code);
    }
    const subject = claims[subjectClaim];
    if (renamesSubject && claims.sub !== undefined && claims.sub !== String(subject)) {
      refuse(`sub and ${quote(subjectClaim)} name different subjects`);
    }
    if (renamesSubject || typeof subject === "number") claims.sub = String(subject);
  };
}

/** Claims that have passed `compileClaimRules`. */
export function asClaims(claims: Record<string, unknown>): Claims {
  return claims as unknown as Claims;
}
