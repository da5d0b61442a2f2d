/**
 * What is judged of a token, in the only order that is safe: its shape; its header, for the key; the signature; and only then its claims.
 * Unverified JSON is work of an attacker's choosing, so none is parsed beyond a header of at most 1,024 characters.
 */
import { decodeUtf8, isPlainJson, jsonProblem } from "../json.ts";
import { decodeBase64url, decodeBase64urlInto } from "./base64url.ts";
import { compileClaimChecks } from "./claim-checks.ts";
import { withoutPrototype } from "./claims.ts";
import { type ClaimsTemplates, createClaimsTemplates } from "./claims-template.ts";
import { MAX_JSON_DEPTH, MAX_TOKEN_LENGTH } from "./limits.ts";
import type { Policy } from "./policy.ts";
import { quote, type Refusal } from "./refusal.ts";

/**
 * Says why a text can't be a token in compact form (RFC 7515 §7.1), or `undefined`. JWS in JSON form and JWE in five parts fail here like any other
 * text.
 */
export function shapeProblem(token: string): string | undefined {
  if (token.length > MAX_TOKEN_LENGTH) return `the token is longer than ${MAX_TOKEN_LENGTH} characters`;
  // Before anything is laid out as bytes: written as latin1, "Ł" and "A" are the same byte, and one token would pass for another.
  if (Buffer.byteLength(token) !== token.length) return "the token has a character that is not ASCII";
  if (token.includes("+") || token.includes("/")) return "the token is not base64url";
  const first = token.indexOf(".");
  const second = token.indexOf(".", first + 1);
  if (first <= 0 || second <= first + 1 || second === token.length - 1 || token.includes(".", second + 1)) {
    return "the token is not three parts with dots between them";
  }
  return undefined;
}

/** A token's claims, or what is wrong with their text. */
export type ClaimsReading = Record<string, unknown> | string;

const scratch = Buffer.alloc(MAX_TOKEN_LENGTH);
const REPLACEMENT = "\uFFFD";

/**
 * Makes a reader of claims.
 * @returns a function of the second part of a token whose signature is good, which must be free of "+" and "/".
 */
export function createClaimsReader(): (encoded: string) => ClaimsReading {
  const templates = createClaimsTemplates();
  return (encoded) => {
    const length = decodeBase64urlInto(encoded, scratch);
    if (length === -1) return "the claims are not canonical base64url";
    return templates.read(scratch, length) ?? readInFull(encoded, length, templates);
  };
}

function readInFull(encoded: string, length: number, templates: ClaimsTemplates): ClaimsReading {
  const text = scratch.toString("utf8", 0, length);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "the claims are not JSON";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "the claims are not a JSON object";
  if (!text.includes(REPLACEMENT) && isPlainJson(text, value, MAX_JSON_DEPTH)) {
    templates.learn(Object.keys(value));
    return withoutPrototype(value);
  }
  return strictJsonProblem(encoded) ?? withoutPrototype(value);
}

/** The slow look at claims that another issuer wrote with spaces, escapes or numbers in other forms than ours. */
function strictJsonProblem(encoded: string): string | undefined {
  const text = decodeUtf8(decodeBase64url(encoded) as Buffer);
  if (text === undefined) return "the claims are not valid UTF-8";
  const problem = jsonProblem(text, MAX_JSON_DEPTH);
  return problem === undefined ? undefined : `the text of the claims ${problem}`;
}

/** Says why claims of a token whose signature is good are refused, or `undefined`; these have `sub` then, whatever its name was. */
export type ClaimRules = (claims: Record<string, unknown>, now: number) => Refusal | undefined;

/** Compiles the rules of a policy. */
export function compileClaimRules(policy: Policy): ClaimRules {
  const checks = compileClaimChecks(policy);
  const { subjectClaim } = policy;
  const renamesSubject = subjectClaim !== "sub";
  return (claims, now) => {
    for (const { problem, code } of checks) {
      const reason = problem(claims, now);
      if (reason !== undefined) return { code, reason };
    }
    const subject = claims[subjectClaim];
    if (renamesSubject && claims.sub !== undefined && claims.sub !== String(subject)) {
      return { code: "token_invalid", reason: `sub and ${quote(subjectClaim)} name different subjects` };
    }
    if (renamesSubject || typeof subject === "number") claims.sub = String(subject);
    return undefined;
  };
}
