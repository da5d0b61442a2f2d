/**
 * What is judged of a token, in the only order that is safe: its characters; its header, for the key; the signature; and only then its claims.
 * Unverified JSON is work of an attacker's choosing, so none is parsed beyond a header of at most 1,024 characters.
 */
import type { AuthError } from "../errors.ts";
import { compileClaimRules } from "./claim-checks.ts";
import type { Claims } from "./claims.ts";
import { createClaimsReader } from "./claims-reader.ts";
import { materialOf } from "./key.ts";
import { createKeyFinder, type KeyLookup } from "./key-finder.ts";
import type { Policy } from "./policy.ts";
import { quote, tokenError } from "./refusal.ts";
import { charactersProblem, partsProblem } from "./shape.ts";

/**
 * Judges a token by everything but the application's schema.
 * @returns its claims, which belong to the caller, or the error to throw.
 */
export type TokenJudge = (token: unknown) => Claims | AuthError;

/** Compiles a policy and the keys of the moment; when these change it compiles again. */
export function createTokenJudge(policy: Policy, keys: KeyLookup): TokenJudge {
  const { now } = policy.system;
  const { maxClaimsLength } = policy;
  const findProblem = compileClaimRules(policy);
  const readClaims = createClaimsReader(policy);
  let finder = createKeyFinder(keys, policy);

  return (token) => {
    if (finder.version !== keys.version) finder = createKeyFinder(keys, policy);
    if (typeof token !== "string") return tokenError("the token is not a text");
    const badCharacters = charactersProblem(token);
    if (badCharacters !== undefined) return tokenError(badCharacters);

    const known = finder.bySight(token);
    if (known === undefined) {
      const badParts = partsProblem(token);
      if (badParts !== undefined) return tokenError(badParts);
    }
    const headerEnd = known === undefined ? token.indexOf(".") : known.text.length - 1;
    const inputLength = token.indexOf(".", headerEnd + 1);
    if (inputLength === -1) return tokenError("the token is not three parts with dots between them");
    // The signature is over all of it: this bounds what a forgery can make us hash.
    if (inputLength - headerEnd - 1 > maxClaimsLength)
      return tokenError(`the claims are longer than ${maxClaimsLength} characters`);

    const key = known === undefined ? finder.byReading(token.slice(0, headerEnd)) : known.key;
    if (typeof key === "string") return tokenError(key);
    if (!materialOf(key).verifies(token, inputLength))
      return tokenError(`the signature is not one by key ${quote(key.kid)}`);
    if (known === undefined) finder.remember(token.slice(0, headerEnd + 1), key);

    const claims = readClaims(token, headerEnd + 1, inputLength);
    if (typeof claims === "string") return tokenError(claims);
    const refusal = findProblem(claims, now());
    return refusal === undefined ? (claims as unknown as Claims) : tokenError(refusal.reason, refusal.code);
  };
}
