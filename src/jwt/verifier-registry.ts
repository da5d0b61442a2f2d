/** What verifiers are made of, kept aside for `explainToken`: a verifier itself shows nothing but `verify`. */
import type { KeyLookup } from "./key-finder.ts";
import type { Policy } from "./policy.ts";

export interface VerifierParts {
  readonly policy: Policy;
  readonly keys: KeyLookup;
}

const parts = new WeakMap<object, VerifierParts>();

export function register(verifier: object, made: VerifierParts): void {
  parts.set(verifier, made);
}

export function partsOf(verifier: object): VerifierParts | undefined {
  return parts.get(verifier);
}
