/**
 * The dialect of the Django REST Framework recipe on PyJWT: login and refresh with `access` and `refresh`, a guard for `Authorization: Bearer`.
 * Paths, fields, texts, codes and statuses are the recipe's; what it gets wrong (a 500 for a subject that is no number, tokens without `exp`) is refused.
 */
import * as z from "zod";
import { type Auth, TokenRefusal } from "../auth.ts";
import { AuthError } from "../errors.ts";
import { type Answer, route } from "../http/route.ts";
import { WireRefusal } from "../http/wire-refusal.ts";
import { allowUnscopedTokensOf } from "../jwt/index.ts";
import { readDjangoBody } from "./django-body.ts";
import {
  CHALLENGE,
  type DjangoContract,
  type DjangoDialectOptions,
  describeRefusal,
  readAuthorization,
  readBasePath,
} from "./django-dialect.ts";
import { BAD_BODY, DJANGO_DOCUMENT, tokensAnswer } from "./django-document.ts";
import { documentFields, readFields, readMembers } from "./django-fields.ts";

export interface DrfOptions extends DjangoDialectOptions {
  /** Where login and refresh are. Default "/api/auth". */
  readonly basePath?: string;
  /** What the guard answers. The recipe's class names no `authenticate_header`, so it answers 403; default 401, as its author meant. */
  readonly guardStatus?: 401 | 403;
}

const KEYWORD = "Bearer ";
const LOGIN = { email: "email", password: "text" } as const;
const REFRESH = { refresh: "text" } as const;

/** The recipe's own words for what it refuses. */
const codedAnswer = (codes: readonly string[]) => z.object({ error: z.string(), code: z.enum(codes) });

/**
 * Makes the dialect over an engine: `createHandler(auth, { contracts: [drfContract(auth)] })`.
 * @throws TypeError for an option out of range.
 */
export function drfContract(auth: Auth, options: DrfOptions = {}): DjangoContract {
  const { rotateRefreshTokens = false, guardStatus = 401 } = options;
  const base = readBasePath(options.basePath ?? "/api/auth");
  if (guardStatus !== 401 && guardStatus !== 403) throw new TypeError("guardStatus is 401 or 403");
  const tokens = auth.dialect({
    typeClaim: "type",
    subjectClaim: "sub",
    policy: allowUnscopedTokensOf.drfRecipe,
    accessTtl: options.accessTtl ?? "30m",
    refreshTtl: options.refreshTtl ?? "7d",
    accessClaims: ({ email }) => ({ email }),
    rotatesRefreshTokens: rotateRefreshTokens,
    refreshKey: options.refreshKey ?? "derived",
    allowTokensIssuedByDjango: options.allowTokensIssuedByDjango ?? false,
    passwordHashClaim: false,
  });

  return {
    name: "drf",
    tokens,
    readBody: readDjangoBody,
    document: DJANGO_DOCUMENT,
    routes: [
      route({
        method: "POST",
        path: `${base}/login`,
        summary: "Sign in by e-mail",
        guard: "none",
        body: documentFields(LOGIN),
        answer: tokensAnswer(["access", "refresh"]),
        answers: {
          401: {
            description: "Wrong credentials.",
            schema: codedAnswer(["INVALID_CREDENTIALS"]),
            headers: ["WWW-Authenticate"],
          },
        },
        async handle({ body, device }) {
          const login = readFields(body, LOGIN);
          try {
            return { status: 200, body: await tokens.login(login, device) };
          } catch (error) {
            throw isWrongCredentials(error) ? coded(401, "INVALID_CREDENTIALS", "Invalid credentials", error) : error;
          }
        },
      }),
      route({
        method: "POST",
        path: `${base}/refresh`,
        summary: "Trade a refresh token for an access token",
        guard: "none",
        body: documentFields(REFRESH),
        answer: tokensAnswer(rotateRefreshTokens ? ["access", "refresh"] : ["access"]),
        answers: {
          400: {
            description: "No token, or a body that can't be read.",
            schema: z.union([codedAnswer(["MISSING_TOKEN"]), BAD_BODY]),
          },
          401: {
            description: "A token that is not, or no longer, good.",
            schema: codedAnswer(["INVALID_TOKEN", "WRONG_TOKEN_TYPE", "USER_NOT_FOUND"]),
            headers: ["WWW-Authenticate"],
          },
        },
        async handle({ body, device }) {
          const { refresh: token } = readMembers(body);
          if (isFalsy(token)) throw coded(400, "MISSING_TOKEN", "Refresh token required");
          if (typeof token !== "string") throw coded(401, "INVALID_TOKEN", "Invalid refresh token");
          try {
            const { access, refresh } = await tokens.refresh(token, device);
            return { status: 200, body: rotateRefreshTokens ? { access, refresh } : { access } };
          } catch (error) {
            throw error instanceof TokenRefusal ? refreshRefusal(error) : error;
          }
        },
      }),
    ],

    async authenticate(request) {
      const header = readAuthorization(request);
      // The recipe leaves everything else to the next way of signing in, in any other case of the word, too.
      if (!header?.startsWith(KEYWORD)) throw new AuthError("credentials_missing");
      return tokens.authenticate(header.slice(KEYWORD.length));
    },

    refuse(error, request?: { readonly method: string }) {
      const answer = error instanceof TokenRefusal ? guardRefusal(error) : describeRefusal(error, request);
      const isGuard = error instanceof TokenRefusal || error.code === "credentials_missing";
      // DRF sends a challenge with every 401 and none with a 403.
      return isGuard && guardStatus === 403 ? { status: 403, ...(answer.body && { body: answer.body }) } : answer;
    },
  };
}

/** A password that no one can have counts as wrong: the recipe has no other answer for it. */
export function isWrongCredentials(error: unknown): error is AuthError {
  return error instanceof AuthError && (error.code === "invalid_credentials" || error.code === "input_invalid");
}

function coded(status: number, code: string, text: string, cause?: AuthError): WireRefusal {
  return new WireRefusal(cause?.code ?? (status === 400 ? "input_invalid" : "refresh_token_invalid"), {
    status,
    body: { error: text, code },
    ...(status === 401 && { headers: CHALLENGE }),
    reason: cause?.reason ?? text,
  });
}

function refreshRefusal(error: TokenRefusal): WireRefusal {
  switch (error.fault) {
    case "wrong_type":
    case "no_type":
      return coded(401, "WRONG_TOKEN_TYPE", "Invalid token type", error);
    case "user_missing":
    case "user_inactive":
      return coded(401, "USER_NOT_FOUND", "User not found", error);
    default:
      return coded(401, "INVALID_TOKEN", "Invalid refresh token", error);
  }
}

function guardRefusal({ fault }: TokenRefusal): Answer {
  const details: Partial<Record<TokenRefusal["fault"], string>> = {
    expired: "Token expired.",
    wrong_type: "Invalid token type.",
    no_type: "Invalid token type.",
    user_missing: "User not found.",
    user_inactive: "User not found.",
  };
  return {
    status: 401,
    body: { detail: details[fault] ?? "Invalid token." },
    headers: { "www-authenticate": `${CHALLENGE["www-authenticate"]}, error="invalid_token"` },
  };
}

/** What is false in Python. */
function isFalsy(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length === 0;
  return !value;
}
