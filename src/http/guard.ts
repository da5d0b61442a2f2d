/**
 * The guard: who sends a request, and whether that one may. Every adapter asks this one function, so that no framework is stricter than another.
 * The policy is compiled when the guard is made. While the feed is fresh (or for a verifier with local keys) the answer is there at once, and no promise
 * is made for it: at a framework's own speed a promise is what costs most.
 */
import type { Auth, AuthenticateOptions, DialectIdentity, DialectTokens, Identity } from "../auth.ts";
import { AuthError } from "../errors.ts";
import type { AsyncVerifier, Claims, Verified, Verifier } from "../jwt/index.ts";
import { type OptionNames, refuseUnknownOptions } from "../known-options.ts";
import { isPromise } from "../promise.ts";
import { type Sight, sightOf } from "../sight-registry.ts";
import type { RequestHead } from "./cookies.ts";
import { type CredentialOptions, readAccessCookie, readBearer, refuseTokenIn } from "./credentials.ts";
import { readOrigins } from "./cross-origin.ts";
import { refusalHeaders } from "./problem.ts";

/** Who is behind a token that only a verifier has seen: a service without the database knows no more. */
export interface TokenIdentity<Application = unknown> {
  /** `sub`. */
  readonly subject: string;
  /** `sid`, when the token names its session. */
  readonly sessionId: string | undefined;
  readonly claims: Verified<Application>;
}

/** What a guard asks: an engine, the tokens of a dialect over one (`drfContract(auth).tokens`), or a verifier where there is no database (with a revocation list in it, if it should know of ends). */
// biome-ignore lint/suspicious/noExplicitAny: whatever the application's claims are
export type GuardSource = Auth<any> | DialectTokens | Verifier<any> | AsyncVerifier<any>;

/** The application's claims in the tokens of a source, where a schema has given them a type. */
export type ApplicationOf<Source> =
  Source extends Auth<infer Application>
    ? Application
    : Source extends Verifier<infer Application> | AsyncVerifier<infer Application>
      ? Application
      : unknown;

/** What a guard of this source knows of who asks. */
export type Guarded<Source> =
  Source extends Auth<infer Application>
    ? Identity<Application>
    : Source extends DialectTokens
      ? DialectIdentity
      : Source extends Verifier<infer Application> | AsyncVerifier<infer Application>
        ? TokenIdentity<Application>
        : never;

/** Finds out who asks by other means, such as a session cookie of the application; `undefined`, null or false when the request carries nothing of the kind. */
export type Authenticator<Native> = (request: Native) => unknown;

type Plain = string | number | boolean;

/** Names of claims with the values that they must have; of typed claims only those that there are, and that they can have. */
export type ClaimValues<Application> = unknown extends Application
  ? Readonly<Record<string, Plain>>
  : { readonly [Name in keyof Application]?: Extract<Application[Name], Plain> };

/** What may be asked for as a role: where a schema says what `roles` holds, one of those. */
export type RoleOf<Application> = unknown extends Application
  ? string
  : // Of each part of a union for itself.
    Application extends unknown
    ? "roles" extends keyof Application
      ? RoleIn<Application["roles"]>
      : never
    : never;

type RoleIn<Roles> = unknown extends Roles
  ? string
  : Extract<Roles extends readonly (infer Role)[] ? Role : never, string>;

export interface GuardOptions<Native = unknown, Application = unknown> {
  /** Claims that the token must have with exactly these values, or what judges them. Otherwise 403. */
  readonly claims?: ClaimValues<Application> | ((claims: Verified<Application>) => boolean);
  /** Roles of which the claim `roles` (RFC 9068 §2.2.3.1) must hold one. Otherwise 403. */
  readonly roles?: readonly RoleOf<Application>[];
  /** How new the knowledge of ended sessions must be; see `auth.authenticate`. Default: the engine's own, and "feed" for a verifier. */
  readonly freshness?: AuthenticateOptions["freshness"];
  /** True: a request without a credential goes on as nobody's. A bad credential is refused all the same. Default false. */
  readonly optional?: boolean;
  /** Tried in turn when there is no access token, and only then. What one finds has to have the `claims` and `roles` that are asked for in its `claims`. */
  readonly authenticators?: readonly Authenticator<Native>[];
  /** Whether the access cookie counts where there is no Authorization header. Default true. */
  readonly cookies?: boolean;
  /** Origins other than our own that may send cookies. Default: none. */
  readonly allowedOrigins?: readonly string[];
}

/**
 * Refuses names that there are not: what is inferred as a type of its own is not looked at for those. Put it beside the inferred options.
 */
export type OnlyKnown<Options, Application> = {
  readonly [Name in Exclude<keyof Options, keyof GuardOptions>]: never;
} & (unknown extends Application
  ? unknown
  : Options extends { readonly claims: infer Asked extends Readonly<Record<string, Plain>> }
    ? { readonly claims: { readonly [Name in Exclude<keyof Asked, keyof Application>]: never } }
    : unknown);

/** What an authenticator has found when it found nobody: whatever is falsy, since `key === KEY && user` is how many are written. */
type Nothing = undefined | null | false | "" | 0;

/** Whom a guard with these options lets pass. */
export type Admitted<Source, Options> =
  | Guarded<Source>
  | (Options extends { readonly authenticators: readonly ((request: never) => infer Found)[] }
      ? Exclude<Awaited<Found>, Nothing>
      : never)
  | (Options extends { readonly optional: true } ? undefined : never);

/**
 * How a framework's request is read. What every request is asked for is asked without making anything of it; the rest of its head is wanted only where
 * there is no Authorization header.
 */
export interface RequestReader<Native> {
  /** All Authorization headers, joined with commas as fetch does. */
  authorization(native: Native): string | null | undefined;
  /** As it was asked for. */
  url(native: Native): string;
  head(native: Native): RequestHead;
}

/**
 * Judges a request.
 * @param native the framework's request.
 * @returns who sends it; `undefined` for nobody, where that is allowed.
 * @throws AuthError `credentials_missing`, `credentials_repeated`, `insufficient_scope`, `origin_refused`, and what `auth.authenticate` or the verifier
 *   refuses with; as a rejection when the answer is a promise.
 */
export type Guard<Native> = (native: Native) => unknown;

/** @throws TypeError for an option that can't be meant. */
export function createGuard<Native>(
  source: GuardSource,
  reader: RequestReader<Native>,
  options: AnyGuardOptions<Native> = {},
): Guard<Native> {
  refuseWrong(options);
  const { optional = false, authenticators = [], cookies = true, allowedOrigins = [] } = options;
  const credentials: CredentialOptions = { takesCookies: cookies, allowedOrigins: readOrigins(allowedOrigins) };
  const identify = toIdentify(source, options.freshness);
  const recall = toRecall(source, options.freshness);
  const mayPass = toPermission(options);

  function admit<Found>(who: Found): Found {
    // What another authenticator found may have no claims, and then has none that are asked for.
    if (mayPass === undefined || mayPass((who as Partial<Who>).claims ?? NO_CLAIMS)) return who;
    throw new AuthError("insufficient_scope", { reason: "a claim or role is missing" });
  }

  async function askOthers(native: Native): Promise<unknown> {
    for (const authenticate of authenticators) {
      const who = await authenticate(native);
      if (who) return admit(who);
    }
    return nobody();
  }

  function nobody(): undefined {
    if (!optional) throw new AuthError("credentials_missing");
  }

  return (native) => {
    refuseTokenIn(reader.url(native));
    const authorization = reader.authorization(native) ?? undefined;
    if (authorization !== undefined) {
      const seen = recall?.find(authorization);
      if (seen !== undefined) return admit(seen);
    }
    const token =
      authorization === undefined ? readAccessCookie(reader.head(native), credentials) : readBearer(authorization);
    if (token === undefined) return authenticators.length === 0 ? nobody() : askOthers(native);
    const who = identify(token);
    if (isPromise(who)) return who.then(admit);
    if (authorization !== undefined) recall?.remember(authorization, token);
    return admit(who);
  };
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the application's claims are
type AnyGuardOptions<Native> = GuardOptions<Native, any>;
type Who = Identity | DialectIdentity | TokenIdentity;

const NO_CLAIMS = Object.freeze(Object.create(null)) as Claims;

function toIdentify(
  source: GuardSource,
  freshness: AuthenticateOptions["freshness"],
): (token: string) => Who | Promise<Who> {
  if (isPromise(source)) throw new TypeError("requireAuth was given a promise: write await createAuth(…)");
  if (typeof source !== "object" || source === null) {
    throw new TypeError(`requireAuth takes an engine (createAuth) or a verifier, not ${String(source)}`);
  }
  if ("authenticate" in source) {
    // Unless it is said, the engine decides: over users in place it asks the store.
    const options = freshness === undefined ? {} : { freshness };
    return (token: string) => source.authenticate(token, options);
  }
  if (typeof source.verify !== "function")
    throw new TypeError("requireAuth takes an engine (createAuth) or a verifier");
  if (freshness === "live") throw new TypeError('freshness "live" needs an engine: a verifier has no store to ask');
  if (source.isAsync) return async (token: string) => toTokenIdentity(await source.verify(token));
  return (token: string) => toTokenIdentity(source.verify(token));
}

/** How an engine knows again what it has let pass. */
function toRecall(source: GuardSource, freshness: AuthenticateOptions["freshness"]): Sight | undefined {
  return "authenticate" in source ? sightOf(source, freshness) : undefined;
}

function toTokenIdentity(claims: Claims): TokenIdentity {
  const { sub, sid } = claims as Claims & { readonly sid?: unknown };
  return { subject: sub, sessionId: typeof sid === "string" ? sid : undefined, claims };
}

const OPTIONS: OptionNames<GuardOptions> = {
  claims: true,
  roles: true,
  freshness: true,
  optional: true,
  authenticators: true,
  cookies: true,
  allowedOrigins: true,
};

const FRESHNESSES: readonly unknown[] = [undefined, "token", "feed", "live"];

/** An option with a letter wrong would leave a door open, and a value that is not what it looks like as well: "false" is true. */
function refuseWrong(options: AnyGuardOptions<never>): void {
  refuseUnknownOptions(options, OPTIONS, "requireAuth");
  for (const name of ["optional", "cookies"] as const) {
    if (!["undefined", "boolean"].includes(typeof options[name])) throw new TypeError(`${name} must be true or false`);
  }
  const { freshness, authenticators = [] } = options;
  if (!FRESHNESSES.includes(freshness)) {
    throw new TypeError(`freshness must be "token", "feed" or "live", not ${JSON.stringify(freshness)}`);
  }
  if (!Array.isArray(authenticators) || authenticators.some((authenticate) => typeof authenticate !== "function")) {
    throw new TypeError("authenticators must be an array of functions");
  }
}

/** What the claims are judged by; `undefined` when any will do. */
function toPermission({
  claims: required,
  roles,
}: Pick<AnyGuardOptions<never>, "claims" | "roles">): ((claims: Claims) => boolean) | undefined {
  if (required === undefined && roles === undefined) return undefined;
  if (
    roles !== undefined &&
    (!Array.isArray(roles) || roles.length === 0 || roles.some((role) => typeof role !== "string"))
  ) {
    throw new TypeError("roles must be an array of at least one role");
  }
  if (required !== undefined && typeof required !== "function" && !isTable(required)) {
    throw new TypeError(
      "claims must be a plain object of names with the values that they must have, at least one, or a function",
    );
  }
  // As it is now: what is asked for does not change because somebody changes an object.
  const asked = typeof required === "function" ? [] : Object.entries(required ?? {});
  const hasClaims =
    typeof required === "function"
      ? required
      : (claims: Claims) => asked.every(([name, value]) => (claims as Record<string, unknown>)[name] === value);
  const hasRole = (claims: Claims) => {
    const { roles: held } = claims as Record<string, unknown>;
    return Array.isArray(held) && (roles ?? []).some((role) => held.includes(role));
  };
  return (claims) => hasClaims(claims) === true && (roles === undefined || hasRole(claims));
}

/**
 * True for names with texts, numbers and booleans. A value that is absent would ask for a claim that is absent, and what has no names of its own (nothing,
 * a promise that nobody waited for, a Map) for nothing at all.
 */
function isTable(required: unknown): boolean {
  if (typeof required !== "object" || required === null) return false;
  const prototype = Object.getPrototypeOf(required);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) return false;
  const values = Object.values(required);
  return values.length > 0 && values.every((value) => ["string", "number", "boolean"].includes(typeof value));
}

/** What `authOf` knows a guard by. */
export const ADMITS: unique symbol = Symbol("whom a guard lets pass");

/** A guard, as far as it says whom it lets pass. */
export interface Admitting<Who> {
  readonly [ADMITS]: { readonly isOptional: boolean; readonly example?: Who };
}

/** Gives a framework's handler the type of whom it lets pass. */
export function admitting<Handler extends object, Who>(
  handler: Handler,
  { optional = false }: Pick<GuardOptions, "optional"> = {},
): Handler & Admitting<Who> {
  return Object.assign(handler, { [ADMITS]: { isOptional: optional } });
}

/**
 * Whom a guard has let pass, for `authOf`.
 * @throws TypeError when there is nobody, so that a route which lost its guard fails instead of serving everybody.
 */
export function admitted(who: unknown, guard?: Admitting<unknown>): unknown {
  if (who !== undefined && who !== null) return who;
  if (guard?.[ADMITS].isOptional) return undefined;
  throw new TypeError("authOf: requireAuth does not stand before this handler, or let nobody pass (optional)");
}

/** What frameworks look for on an error: its status under two names, headers to answer with, and that its message may be shown. */
export type HttpError = AuthError & {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly expose: true;
};

/**
 * Makes of a refusal what a framework's own error handling takes. Anything that is no refusal is passed on as it is.
 * @param setHeader of the response: an error handler of the application's words the answer in its own way, and what has to go with it (RFC 6750 §3) is
 *   there already.
 * @returns the same error, with `statusCode`, `headers` (the challenge, Retry-After) and `expose`.
 */
export function toHttpError(error: unknown, setHeader: (name: string, value: string) => unknown): unknown {
  if (!(error instanceof AuthError)) return error;
  const headers = refusalHeaders(error);
  for (const [name, value] of Object.entries(headers)) setHeader(name, value);
  return Object.assign(error, { statusCode: error.status, headers, expose: true });
}
