/**
 * Why a token is refused, for a person at a terminal or in a test.
 * Every check is made and told, also those behind the first that fails, and what the token says is shown as what it is: something that somebody wrote.
 * The verdict is the verifier's own; nothing here lets a token in.
 */
import { AuthError, type AuthErrorCode } from "../errors.ts";
import { readJson } from "../json.ts";
import { isPromise } from "../promise.ts";
import { decodeBase64url } from "./base64url.ts";
import { compileClaimChecks } from "./claim-checks.ts";
import { createClaimsReader } from "./claims-reader.ts";
import { materialOf } from "./key.ts";
import { createKeyFinder } from "./key-finder.ts";
import { quote } from "./refusal.ts";
import { charactersProblem, partsProblem } from "./shape.ts";
import type { AsyncVerifier, Verifier } from "./verifier.ts";
import { partsOf, type VerifierParts } from "./verifier-registry.ts";

export interface CheckExplanation {
  /** What was checked: "form", "header", "signature", "claims", or the name of a claim. */
  readonly name: string;
  readonly outcome: "passed" | "failed" | "not reached";
  /** What is wrong, where it failed. */
  readonly problem?: string;
}

export interface TokenExplanation {
  /** Whether the verifier takes the token. */
  readonly isAccepted: boolean;
  /** The code and reason of the verifier's refusal. */
  readonly code?: AuthErrorCode;
  readonly reason?: string;
  readonly checks: readonly CheckExplanation[];
  /** By the verifier's clock, in seconds since 1970. */
  readonly judgedAt: number;
  /** What the token says of itself, as far as it can be read. Anyone may have written it: never act on it. */
  readonly unverified: { readonly header?: unknown; readonly claims?: unknown };
  /** All of this in lines of text, without the signature. */
  readonly text: string;
}

/**
 * Explains what a verifier makes of a token.
 * @param token whatever was received.
 * @param verifier as `createVerifier` made it; with a remote key set the answer is a promise.
 * @throws TypeError only for a verifier that is none.
 */
export function explainToken(token: unknown, verifier: Verifier): TokenExplanation;
export function explainToken(
  token: unknown,
  verifier: Verifier | AsyncVerifier,
): TokenExplanation | Promise<TokenExplanation>;
export function explainToken(
  token: unknown,
  verifier: Verifier | AsyncVerifier,
): TokenExplanation | Promise<TokenExplanation> {
  const parts = partsOf(verifier);
  if (!parts) throw new TypeError("explainToken needs a verifier that createVerifier made");
  try {
    const verdict: unknown = verifier.verify(token as string);
    if (!isPromise(verdict)) return explain(token, parts, undefined);
    return verdict.then(
      () => explain(token, parts, undefined),
      (error: unknown) => explain(token, parts, error as AuthError),
    );
  } catch (error) {
    return explain(token, parts, error as AuthError);
  }
}

function explain(token: unknown, parts: VerifierParts, refusal: AuthError | undefined): TokenExplanation {
  const checks = typeof token === "string" ? checksOf(token, parts) : [failed("form", "the token is not a text")];
  const unverified = typeof token === "string" ? readUnverified(token) : {};
  const isAccepted = refusal === undefined;
  const verdict = refusal instanceof AuthError ? { code: refusal.code, reason: refusal.reason } : {};
  const judgedAt = parts.policy.system.now();
  return {
    isAccepted,
    ...verdict,
    checks,
    judgedAt,
    unverified,
    text: toText({ isAccepted, ...verdict, checks, unverified }),
  };
}

function checksOf(token: string, { policy, keys }: VerifierParts): CheckExplanation[] {
  const form = charactersProblem(token) ?? partsProblem(token);
  if (form !== undefined) return [failed("form", form), ...["header", "signature", "claims"].map(notReached)];
  const [header, claims] = token.split(".") as [string, string];
  const checks = [
    claims.length > policy.maxClaimsLength
      ? failed("form", `the claims are longer than ${policy.maxClaimsLength} characters`)
      : passed("form"),
  ];

  const key = createKeyFinder(keys, policy).byReading(header);
  if (typeof key === "string") {
    checks.push(failed("header", key), notReached("signature"));
  } else {
    const isGood = materialOf(key).verifies(token, header.length + 1 + claims.length);
    checks.push(passed("header"));
    checks.push(
      isGood ? passed("signature") : failed("signature", `the signature is not one by key ${quote(key.kid)}`),
    );
  }

  const members = createClaimsReader(policy)(token, header.length + 1, header.length + 1 + claims.length);
  const rules = compileClaimChecks(policy);
  if (typeof members === "string")
    return [...checks, failed("claims", members), ...rules.map(({ name }) => notReached(name))];
  const now = policy.system.now();
  const judged = rules.map(({ name, problem }) => {
    const found = problem(members, now);
    return found === undefined ? passed(name) : failed(name, found);
  });
  return [...checks, passed("claims"), ...judged];
}

function readUnverified(token: string): TokenExplanation["unverified"] {
  if (charactersProblem(token) !== undefined) return {};
  const [header, claims] = token.split(".", 2).map(readPart);
  return { ...(header === undefined ? {} : { header }), ...(claims === undefined ? {} : { claims }) };
}

function readPart(encoded: string): unknown {
  const bytes = decodeBase64url(encoded);
  return bytes && readJson(bytes).value;
}

function passed(name: string): CheckExplanation {
  return { name, outcome: "passed" };
}

function failed(name: string, problem: string): CheckExplanation {
  return { name, outcome: "failed", problem };
}

function notReached(name: string): CheckExplanation {
  return { name, outcome: "not reached" };
}

function toText({ isAccepted, code, reason, checks, unverified }: Omit<TokenExplanation, "text" | "judgedAt">): string {
  const verdict = isAccepted ? "The token is accepted." : `The token is refused (${code}): ${reason}.`;
  const lines = checks.map(({ name, outcome, problem }) => `  ${name}: ${problem ?? outcome}`);
  const shown = (name: string, value: unknown): string[] =>
    value === undefined ? [] : [`Its ${name}, which anyone may have written:`, `  ${toLine(value)}`];
  return [verdict, ...lines, ...shown("header", unverified.header), ...shown("claims", unverified.claims)].join("\n");
}

/** JSON in printable ASCII, so that a token can't draw on the terminal that it is explained on. */
function toLine(value: unknown): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
