/** What a verifier is told to accept, read once and in full when it is made, so that no call has to think about it. */
import type { OptionNames } from "../known-options.ts";
import { type Duration, parseDuration, realSystem, type System } from "../system.ts";
import type { ClaimPolicy } from "./claim-checks.ts";
import { NO_AUDIENCE, NO_ISSUER, UNTYPED } from "./claims.ts";
import { DEFAULT_CLAIMS_LENGTH, MAX_TOKEN_LENGTH } from "./limits.ts";
import type { RevocationList } from "./revocation-list.ts";
import type { StandardSchema } from "./standard-schema.ts";

/** What is to be true of a token. */
export interface PolicyOptions<Application = unknown> {
  /** Who must have issued it: the exact `iss`. */
  readonly issuer: string | typeof NO_ISSUER;
  /** Who we are: `aud` must be or hold one of these, exactly. */
  readonly audience: string | readonly string[] | typeof NO_AUDIENCE;
  /** What kind of token it must be: the header's `typ`, exactly, with or without "application/". Default "at+jwt" (RFC 9068 §4). */
  readonly typ?: string | typeof UNTYPED;
  /** How far the issuer's clock may be off. At most 60 s; default 5 s. */
  readonly tolerance?: Duration;
  /** The longest time from `iat` to `exp` that is believed, whatever the issuer wrote. Default 1 h. */
  readonly maxLifetime?: Duration;
  /** Claims that must be there, beside `exp`, `iat`, `sub` and what `issuer` and `audience` ask for. */
  readonly requiredClaims?: readonly string[];
  /** Claims that must be there with exactly this value, such as `{ typ: "at+jwt" }`. */
  readonly claimValues?: Readonly<Record<string, string | number | boolean>>;
  /** Where the subject is, in tokens that have another name for it. It is returned as `sub`. Default "sub". */
  readonly subjectClaim?: string;
  /** Takes a whole number as the subject and returns it as decimal text, for services that wrote it so. Default false. */
  readonly allowNumericSubject?: boolean;
  /** The type of the application's claims, and their check: any Standard Schema (zod, valibot, arktype and others). */
  readonly claims?: StandardSchema<Application>;
  /** The most characters of the encoded claims. Default 4,096; at most 8,192, as a whole token. */
  readonly maxClaimsLength?: number;
  /** Keeps verified tokens, at most so many (rounded up to an even number), so that one seen again costs a look-up. Default 0: none. */
  readonly cache?: number;
  /** Refuses what the issuer has taken back, though it is good in itself: from `createRevocationList`. */
  readonly revocations?: Pick<RevocationList, "refusal">;
  /** Clock. */
  readonly system?: Pick<System, "now">;
}

/** Every name that a policy has. */
export const POLICY_OPTIONS = {
  issuer: true,
  audience: true,
  typ: true,
  tolerance: true,
  maxLifetime: true,
  requiredClaims: true,
  claimValues: true,
  subjectClaim: true,
  allowNumericSubject: true,
  claims: true,
  maxClaimsLength: true,
  cache: true,
  revocations: true,
  system: true,
} as const satisfies OptionNames<PolicyOptions>;

/** The options as they are used. */
export interface Policy extends ClaimPolicy {
  /** The values of the header's `typ` that are taken; `undefined` among them stands for its absence. */
  readonly typs: readonly (string | undefined)[];
  readonly typName: string;
  readonly schema: StandardSchema<unknown> | undefined;
  readonly maxClaimsLength: number;
  readonly cache: number;
  readonly revocations: Pick<RevocationList, "refusal"> | undefined;
  readonly system: Pick<System, "now">;
}

const MAX_TOLERANCE = 60;
const MAX_CACHE = 1_000_000;

/** @throws TypeError naming the option that is missing, mistyped or out of bounds. */
export function readPolicy(options: PolicyOptions): Policy {
  const { typ = "at+jwt", subjectClaim = "sub", claims: schema, cache = 0 } = options;
  const tolerance = parseDuration(options.tolerance ?? 5, "tolerance");
  if (tolerance > MAX_TOLERANCE) throw new TypeError("tolerance is at most 60 s: mend the clock instead");
  const maxLifetime = parseDuration(options.maxLifetime ?? "1h", "maxLifetime");
  if (maxLifetime === 0) throw new TypeError("maxLifetime is longer than 0 s");
  if (typ !== UNTYPED) requireText(typ, "typ");
  if (!Number.isInteger(cache) || cache < 0 || cache > MAX_CACHE) {
    throw new TypeError(`cache is how many tokens to keep, 0 to ${MAX_CACHE}`);
  }
  if (schema !== undefined && typeof schema?.["~standard"]?.validate !== "function") {
    throw new TypeError("claims is a Standard Schema, such as z.object({ … })");
  }
  if (options.revocations !== undefined && typeof options.revocations?.refusal !== "function") {
    throw new TypeError("revocations is a list: use createRevocationList");
  }
  return {
    issuer: readIssuer(options.issuer),
    audience: readAudience(options.audience),
    typs: typ === UNTYPED ? [undefined, "JWT"] : [typ, `application/${typ}`],
    typName: typ === UNTYPED ? 'absent or "JWT"' : JSON.stringify(typ),
    tolerance,
    maxLifetime,
    requiredClaims: (options.requiredClaims ?? []).map((name) => requireText(name, "each of requiredClaims")),
    claimValues: { ...options.claimValues },
    subjectClaim: requireText(subjectClaim, "subjectClaim"),
    allowNumericSubject: options.allowNumericSubject === true,
    schema,
    maxClaimsLength: readClaimsLength(options.maxClaimsLength),
    cache,
    revocations: options.revocations,
    system: options.system ?? realSystem,
  };
}

/** @throws TypeError */
export function readClaimsLength(length: number = DEFAULT_CLAIMS_LENGTH): number {
  if (Number.isInteger(length) && length > 0 && length <= MAX_TOKEN_LENGTH) return length;
  throw new TypeError(`maxClaimsLength is a count of characters, at most ${MAX_TOKEN_LENGTH}`);
}

/** @throws TypeError */
export function readIssuer(issuer: unknown): string | typeof NO_ISSUER {
  if (issuer === NO_ISSUER) return NO_ISSUER;
  return requireText(issuer, "issuer", "NO_ISSUER");
}

/** @throws TypeError */
export function readAudience(audience: unknown): readonly string[] | typeof NO_AUDIENCE {
  if (audience === NO_AUDIENCE) return NO_AUDIENCE;
  const list: readonly unknown[] = Array.isArray(audience) ? audience : [audience];
  if (list.length === 0) throw new TypeError("audience is empty: name at least one");
  return list.map((one) => requireText(one, "audience", "NO_AUDIENCE"));
}

function requireText(value: unknown, name: string, loudly?: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new TypeError(
    `${name} must be a text that is not empty${loudly ? `, or ${loudly} where tokens carry none` : ""}`,
  );
}
