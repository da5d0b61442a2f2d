/**
 * The rules for claims (RFC 7519 §4.1, RFC 9068 §4, RFC 8725 §3.8–3.9), compiled from a policy into a list of checks when a verifier is made.
 * Each check judges one thing and says precisely what is wrong; only one order is right, because `token_expired` promises that nothing but the
 * time is wrong, so that check is the last.
 */
import { NO_AUDIENCE, NO_ISSUER } from "./claims.ts";
import { quote, type Refusal, type TokenErrorCode } from "./refusal.ts";

export interface ClaimPolicy {
  readonly issuer: string | typeof NO_ISSUER;
  readonly audience: readonly string[] | typeof NO_AUDIENCE;
  /** Seconds. */
  readonly tolerance: number;
  /** Seconds. */
  readonly maxLifetime: number;
  readonly requiredClaims: readonly string[];
  /** Claims that must have exactly this value. */
  readonly claimValues: Readonly<Record<string, string | number | boolean>>;
  readonly subjectClaim: string;
  readonly allowNumericSubject: boolean;
}

type UnknownClaims = Readonly<Record<string, unknown>>;

export interface ClaimCheck {
  /** What is checked, in a word or two, for `explainToken`. */
  readonly name: string;
  readonly code: TokenErrorCode;
  /** What is wrong, or `undefined`. @param now seconds since 1970. */
  readonly problem: (claims: UnknownClaims, now: number) => string | undefined;
}

/** Says why claims of a token whose signature is good are refused, or `undefined`; these have `sub` then, whatever its name was. */
export type ClaimRules = (claims: Record<string, unknown>, now: number) => Refusal | undefined;

/** Compiles the rules of a policy into one function. */
export function compileClaimRules(policy: ClaimPolicy): ClaimRules {
  const checks = compileClaimChecks(policy);
  const { subjectClaim } = policy;
  const renamesSubject = subjectClaim !== "sub";
  return (claims, now) => {
    for (const { problem, code } of checks) {
      const reason = problem(claims, now);
      if (reason !== undefined) return { code, reason };
    }
    const subject = claims[subjectClaim];
    if (renamesSubject || typeof subject === "number") claims.sub = String(subject);
    return undefined;
  };
}

/** The checks of a policy, in the order in which they are made. */
export function compileClaimChecks(policy: ClaimPolicy): readonly ClaimCheck[] {
  const invalid = (name: string, problem: ClaimCheck["problem"]): ClaimCheck => ({
    name,
    code: "token_invalid",
    problem,
  });
  return [
    invalid("iss", issuerProblem(policy.issuer)),
    invalid("aud", audienceProblem(policy.audience)),
    invalid("times", timesProblem),
    invalid("nbf", notYetProblem(policy.tolerance)),
    invalid("lifetime", lifetimeProblem(policy.maxLifetime)),
    invalid("jti", ({ jti }) => (jti === undefined || isText(jti) ? undefined : `jti is ${quote(jti)}, not a text`)),
    ...policy.requiredClaims.map((name) => invalid(name, (claims) => requiredProblem(claims, name))),
    ...Object.entries(policy.claimValues).map(([name, value]) => invalid(name, valueProblem(name, value))),
    invalid("sub", subjectTypeProblem(policy)),
    { name: "sub", code: "token_subject_missing", problem: subjectMissingProblem(policy.subjectClaim) },
    { name: "exp", code: "token_expired", problem: expiredProblem(policy.tolerance) },
  ];
}

type Problem = ClaimCheck["problem"];

function issuerProblem(issuer: ClaimPolicy["issuer"]): Problem {
  if (issuer === NO_ISSUER)
    return ({ iss }) => (iss === undefined ? undefined : "iss is present, and none is expected");
  return ({ iss }) => (iss === issuer ? undefined : `iss is ${quote(iss)}, not ${quote(issuer)}`);
}

function audienceProblem(audience: ClaimPolicy["audience"]): Problem {
  if (audience === NO_AUDIENCE) {
    // RFC 7519 §4.1.3: who does not identify with a value of aud must refuse the token.
    return ({ aud }) => (aud === undefined ? undefined : "aud is present, and none is expected");
  }
  const ours = new Set<unknown>(audience);
  const [first] = audience;
  return ({ aud }) => {
    // Nearly always; a look-up in the set would hash a text that is new at every call.
    if (aud === first) return undefined;
    if (typeof aud === "string") return ours.has(aud) ? undefined : `aud is ${quote(aud)}, which is not ours`;
    if (aud === undefined) return "aud is missing";
    if (!Array.isArray(aud) || !aud.every((one) => typeof one === "string"))
      return "aud is neither a text nor an array of texts";
    return aud.some((one) => ours.has(one)) ? undefined : `aud holds ${aud.length} audiences, none of them ours`;
  };
}

/** NumericDates are numbers, and finite ones: 1e999 is read as Infinity by many, and such a token would never expire. */
function timesProblem({ exp, iat, nbf }: UnknownClaims): string | undefined {
  if (!Number.isFinite(exp)) return exp === undefined ? "exp is missing" : `exp is ${quote(exp)}, not a finite number`;
  if (!Number.isFinite(iat)) return iat === undefined ? "iat is missing" : `iat is ${quote(iat)}, not a finite number`;
  return nbf === undefined || Number.isFinite(nbf) ? undefined : `nbf is ${quote(nbf)}, not a finite number`;
}

function notYetProblem(tolerance: number): Problem {
  return ({ iat, nbf }, now) => {
    const latest = now + tolerance;
    if ((iat as number) > latest) return `iat is ${(iat as number) - now} s in the future`;
    return nbf !== undefined && (nbf as number) > latest
      ? `nbf is ${(nbf as number) - now} s in the future`
      : undefined;
  };
}

function lifetimeProblem(maxLifetime: number): Problem {
  return ({ exp, iat }) => {
    const lifetime = (exp as number) - (iat as number);
    return lifetime <= maxLifetime ? undefined : `it lives ${lifetime} s, longer than maxLifetime, ${maxLifetime} s`;
  };
}

function requiredProblem(claims: UnknownClaims, name: string): string | undefined {
  const value = claims[name];
  return value === undefined || value === null || value === "" ? `${quote(name)} is required and missing` : undefined;
}

function valueProblem(name: string, value: string | number | boolean): Problem {
  return (claims) =>
    claims[name] === value ? undefined : `${quote(name)} is ${quote(claims[name])}, not ${quote(value)}`;
}

function subjectTypeProblem({ subjectClaim, allowNumericSubject }: ClaimPolicy): Problem {
  return (claims) => {
    const subject = claims[subjectClaim];
    if (subjectClaim !== "sub" && claims.sub !== undefined && claims.sub !== String(subject)) {
      return `sub and ${quote(subjectClaim)} name different subjects`;
    }
    if (subject === undefined || typeof subject === "string") return undefined;
    if (allowNumericSubject && Number.isSafeInteger(subject)) return undefined;
    return `${quote(subjectClaim)} is ${quote(subject)}, not a text`;
  };
}

function subjectMissingProblem(subjectClaim: string): Problem {
  return (claims) => {
    const subject = claims[subjectClaim];
    return subject === undefined || subject === "" ? `${quote(subjectClaim)} is missing or empty` : undefined;
  };
}

function expiredProblem(tolerance: number): Problem {
  return ({ exp }, now) => {
    return now < (exp as number) + tolerance ? undefined : `it expired ${now - (exp as number)} s ago`;
  };
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}
