/** What both Django dialects share: options, the reading of headers, and the words for what is refused before a route is asked. */

import type { DialectIdentity, DialectTokens } from "../auth.ts";
import type { AuthError } from "../errors.ts";
import { authorizationOf } from "../http/node-authorization.ts";
import type { Answer, Contract } from "../http/route.ts";
import { WireRefusal } from "../http/wire-refusal.ts";
import type { Duration } from "../system.ts";

export interface DjangoDialectOptions {
  /** Life of an access token. */
  readonly accessTtl?: Duration;
  /** Life of a refresh token, and of a session that does not rotate. */
  readonly refreshTtl?: Duration;
  /** Answers a new refresh token at every refresh. Default false: the same one serves until its session ends. */
  readonly rotateRefreshTokens?: boolean;
  /**
   * "shared" signs refresh tokens with the access secret, so that Django can take them over: the way back. A Django that holds the secret can then
   * also refresh sessions that were ended here. Default "derived".
   */
  readonly refreshKey?: "derived" | "shared";
  /**
   * Takes access tokens that Django issued under the same secret, and adopts its refresh tokens into sessions of ours. Whoever holds the secret can make
   * both; switch it off when the last of Django's refresh tokens has expired. Default false.
   */
  readonly allowTokensIssuedByDjango?: boolean;
}

/** A request as Fetch or node:http has it. */
export interface RequestHeaders {
  /** Of node:http: all that came, where `headers` has the first of two. */
  readonly rawHeaders?: readonly string[];
  readonly headers: Pick<Headers, "get"> | Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** A Django dialect: routes for `createHandler`, and a guard for an application's own. */
export interface DjangoContract extends Contract {
  /** Its tokens alone, for the `requireAuth` of a framework: that one reads the header and words refusals as it always does. */
  readonly tokens: DialectTokens;
  /**
   * Who sends a request.
   * @throws AuthError `credentials_missing` when there is no token of this dialect (try the next way to sign in), any other for one that is refused.
   */
  authenticate(request: RequestHeaders): Promise<DialectIdentity>;
  /** The answer that this dialect's clients expect for an error of `authenticate` or `auth`. */
  refuse(error: AuthError): Answer;
}

export const CHALLENGE = { "www-authenticate": 'Bearer realm="api"' } as const;

/** All Authorization headers, joined with commas as Django's server does, so that two are none of this dialect's; `undefined` when there is none. */
export function readAuthorization({ headers, rawHeaders }: RequestHeaders): string | undefined {
  if (typeof headers.get === "function") return (headers as Headers).get("authorization") ?? undefined;
  const { authorization } = headers as Readonly<Record<string, string | readonly string[] | undefined>>;
  return typeof authorization === "object"
    ? authorization.join(", ")
    : authorizationOf({ headers: { authorization }, ...(rawHeaders && { rawHeaders }) });
}

/** The words of Django REST Framework for what is refused before a dialect's own words are asked for. */
export function describeRefusal(error: AuthError, { method = "" }: { readonly method?: string } = {}): Answer {
  if (error instanceof WireRefusal) return error.answer;
  switch (error.code) {
    case "method_not_allowed":
      return { status: 405, body: { detail: `Method "${method}" not allowed.` } };
    case "credentials_missing":
      return {
        status: 401,
        body: { detail: "Authentication credentials were not provided." },
        headers: CHALLENGE,
      };
    case "rate_limited": {
      const seconds = error.retryAfter ?? 1;
      const detail = `Request was throttled. Expected available in ${seconds} second${seconds === 1 ? "" : "s"}.`;
      return { status: 429, body: { detail } };
    }
    default:
      return {
        status: error.status,
        body: { detail: error.message },
        ...(error.status === 401 && { headers: CHALLENGE }),
      };
  }
}

/** `/api/auth/` → `/api/auth`. @throws TypeError for what is no plain path. */
export function readBasePath(path: string): string {
  const base = path.replace(/\/$/, "");
  if (/^(?:\/[A-Za-z0-9._~-]+)+$/.test(base)) return base;
  throw new TypeError(`basePath must be a path such as "/api/auth", not ${JSON.stringify(path)}`);
}
