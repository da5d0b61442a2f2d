/**
 * Several trusted issuers, each pinned to its own keys, algorithms and policy (RFC 8725 §3.8).
 * The `iss` of a token only chooses which verifier is to judge it; that one then checks everything, `iss` included, with its own keys. A key of one
 * issuer can so never vouch for another.
 */
import { readJson } from "../json.ts";
import { decodeBase64url } from "./base64url.ts";
import { NO_ISSUER } from "./claims.ts";
import { MAX_JSON_DEPTH } from "./limits.ts";
import { quote, tokenError } from "./refusal.ts";
import { charactersProblem, partsProblem } from "./shape.ts";
import type { AsyncVerifier, Verifier } from "./verifier.ts";

/** What a combined verifier gives: the claims of one of its parts. */
type VerifiedBy<Part> = Part extends { verify(token: string): infer Answer } ? Awaited<Answer> : never;

/**
 * Makes one verifier of several, one for each issuer. One made with `NO_ISSUER` gets the tokens that name none.
 * @returns an asynchronous one if any of them is.
 * @throws TypeError when there is none, or two are for the same issuer.
 */
export function combineVerifiers<Part extends Verifier>(
  verifiers: readonly Part[],
): { verify(token: string): VerifiedBy<Part> };
export function combineVerifiers<Part extends Verifier | AsyncVerifier>(
  verifiers: readonly Part[],
): { verify(token: string): Promise<VerifiedBy<Part>> };
export function combineVerifiers(verifiers: readonly (Verifier | AsyncVerifier)[]): { verify(token: string): unknown } {
  if (!Array.isArray(verifiers) || verifiers.length === 0)
    throw new TypeError("combineVerifiers needs at least one verifier");
  const byIssuer = new Map<string | typeof NO_ISSUER, Verifier | AsyncVerifier>();
  for (const verifier of verifiers as readonly (Verifier | AsyncVerifier)[]) {
    const { issuer } = verifier;
    if (byIssuer.has(issuer)) throw new TypeError(`two verifiers are for the issuer ${String(issuer)}: one is enough`);
    byIssuer.set(issuer, verifier);
  }

  function choose(token: unknown): Verifier | AsyncVerifier {
    const issuer = unverifiedIssuer(token);
    const verifier = byIssuer.get(issuer);
    if (verifier) return verifier;
    throw tokenError(issuer === NO_ISSUER ? "iss is missing" : `iss is ${quote(issuer)}, which is no trusted issuer`);
  }

  const isAsync = verifiers.some(({ isAsync }) => isAsync);
  return Object.freeze({
    verify: isAsync
      ? async (token: string) => choose(token).verify(token)
      : (token: string) => choose(token).verify(token),
  });
}

/**
 * Who a token says has issued it. Nothing was verified: this is good for choosing a verifier and for nothing else.
 * @throws AuthError `token_invalid` when it can't be read.
 */
function unverifiedIssuer(token: unknown): string | typeof NO_ISSUER {
  if (typeof token !== "string") throw tokenError("the token is not a text");
  const badShape = charactersProblem(token) ?? partsProblem(token);
  if (badShape !== undefined) throw tokenError(badShape);
  const bytes = decodeBase64url(token.split(".", 2)[1] as string);
  if (!bytes) throw tokenError("the claims are not canonical base64url");
  const { value, problem } = readJson(bytes, { maxDepth: MAX_JSON_DEPTH });
  if (problem !== undefined) throw tokenError(`the text of the claims ${problem}`);
  if (typeof value !== "object" || value === null) throw tokenError("the claims are not a JSON object");
  const iss: unknown = Object.hasOwn(value, "iss") ? (value as { iss: unknown }).iss : undefined;
  if (iss === undefined) return NO_ISSUER;
  if (typeof iss !== "string") throw tokenError(`iss is ${quote(iss)}, not a text`);
  return iss;
}
