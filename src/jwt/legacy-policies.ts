/**
 * Policies for tokens of the services that Latchkey replaces, which lack what ours have: they name no issuer and no audience, and nothing in their
 * header tells an access token from any other. To take them is a decision, so it is made by name, and only for as long as old tokens are alive.
 *
 * What they do carry is required: each policy pins the claim that tells the kinds of token apart, a lifetime, and the absence of `iss` and `aud`, so
 * that a token of ours never passes as one of theirs. Use as `createVerifier({ keys, ...allowUnscopedTokensOf.drfRecipe("access") })`.
 */
import { NO_AUDIENCE, NO_ISSUER, UNTYPED } from "./claims.ts";
import type { PolicyOptions } from "./policy.ts";

type TokenKind = "access" | "refresh";

const UNSCOPED = { issuer: NO_ISSUER, audience: NO_AUDIENCE, typ: UNTYPED } as const satisfies PolicyOptions;

/** PyJWT writes what `datetime` gives it, and people have changed the lifetimes: these are those of the documents. */
const DRF_RECIPE_LIFETIME = { access: "30m", refresh: "7d" } as const;
const SIMPLEJWT_LIFETIME = { access: "5m", refresh: "1d" } as const;

/** By service. Lifetimes other than the documented ones go behind: `{ ...policy, maxLifetime: "2h" }`. */
export const allowUnscopedTokensOf = {
  /** The Django REST Framework recipe on PyJWT: `sub`, and `type` "access" or "refresh". */
  drfRecipe: (kind: TokenKind) => ({
    ...UNSCOPED,
    claimValues: { type: kind },
    maxLifetime: DRF_RECIPE_LIFETIME[kind],
  }),
  /** The django-ninja service on PyJWT: `sub`, and `typ` "at+jwt" among the claims. It had no other kind. */
  ninjaService: () => ({ ...UNSCOPED, claimValues: { typ: "at+jwt" }, maxLifetime: "1h" as const }),
  /** djangorestframework-simplejwt: `user_id` (a number before 5.5.1), `jti`, and `token_type` "access" or "refresh". */
  simplejwt: (kind: TokenKind) => ({
    ...UNSCOPED,
    claimValues: { token_type: kind },
    requiredClaims: ["jti"],
    subjectClaim: "user_id",
    allowNumericSubject: true,
    maxLifetime: SIMPLEJWT_LIFETIME[kind],
  }),
} as const satisfies Record<string, (kind: TokenKind) => PolicyOptions>;
