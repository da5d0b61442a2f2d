/**
 * The dialect of djangorestframework-simplejwt 5.5: token, refresh, verify and blacklist, and its guard.
 * Blacklisting a token ends its session, so the access tokens end with it.
 */
import * as z from "zod";
import { type Auth, type TokenFault, TokenRefusal } from "../auth.ts";
import { AuthError } from "../errors.ts";
import { type Answer, type DocumentedAnswers, route } from "../http/route.ts";
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
import { DETAIL, DJANGO_DOCUMENT, tokensAnswer } from "./django-document.ts";
import { documentFields, readFields } from "./django-fields.ts";
import { isWrongCredentials } from "./drf.ts";

export interface SimplejwtOptions extends DjangoDialectOptions {
  /** Where the four endpoints are. Default "/api/token". */
  readonly basePath?: string;
  /** simplejwt's CHECK_REVOKE_TOKEN: the claim `hash_password`, checked at the guard, which then reads the user each time. Default false. */
  readonly checkRevokeToken?: boolean;
  /** Whether Django's own blacklist holds the `jti` of a refresh token that it issued; asked before that is adopted. Default: it holds none. */
  readonly isBlacklisted?: (jti: string) => boolean | Promise<boolean>;
}

/** simplejwt's texts. */
const TEXTS: Readonly<Record<TokenFault, string>> = {
  invalid: "Token is invalid",
  expired: "Token is expired",
  wrong_type: "Token has wrong type",
  no_type: "Token has no type",
  no_id: "Token has no id",
  no_exp: "Token has no 'exp' claim",
  ended: "Token is blacklisted",
  no_subject: "Token contained no recognizable user identification",
  user_missing: "User not found",
  user_inactive: "User is inactive",
  password_changed: "The user's password has been changed.",
};
const LOGIN = { username: "text", password: "text" } as const;
const REFRESH = { refresh: "text" } as const;
const VERIFY = { token: "text" } as const;
const NOTHING = z.object({});
const NOT_VALID: DocumentedAnswers = {
  401: {
    description: "A token that is not, or no longer, good.",
    schema: z.object({ detail: z.string(), code: z.literal("token_not_valid").optional() }),
    headers: ["WWW-Authenticate"],
  },
};
const NO_ACCOUNT = "No active account found for the given token.";

/**
 * Makes the dialect over an engine: `createHandler(auth, { contracts: [simplejwtContract(auth)] })`.
 * @throws TypeError for an option out of range.
 */
export function simplejwtContract(auth: Auth, options: SimplejwtOptions = {}): DjangoContract {
  const { rotateRefreshTokens = false, isBlacklisted } = options;
  const base = readBasePath(options.basePath ?? "/api/token");
  const tokens = auth.dialect({
    typeClaim: "token_type",
    subjectClaim: "user_id",
    policy: allowUnscopedTokensOf.simplejwt,
    accessTtl: options.accessTtl ?? "5m",
    refreshTtl: options.refreshTtl ?? "1d",
    copiesClaims: true,
    rotatesRefreshTokens: rotateRefreshTokens,
    refreshKey: options.refreshKey ?? "derived",
    allowTokensIssuedByDjango: options.allowTokensIssuedByDjango ?? false,
    isTakenBack: isBlacklisted && (({ jti }) => isBlacklisted(jti as string)),
    passwordHashClaim: options.checkRevokeToken ?? false,
  });

  return {
    name: "simplejwt",
    tokens,
    readBody: readDjangoBody,
    document: DJANGO_DOCUMENT,
    routes: [
      route({
        method: "POST",
        path: base,
        summary: "Sign in by username",
        guard: "none",
        body: documentFields(LOGIN),
        answer: tokensAnswer(["refresh", "access"]),
        answers: { 401: { description: "Wrong credentials.", schema: DETAIL, headers: ["WWW-Authenticate"] } },
        async handle({ body, device }) {
          const login = readFields(body, LOGIN);
          try {
            const { access, refresh } = await tokens.login(login, device);
            return { status: 200, body: { refresh, access } };
          } catch (error) {
            if (!isWrongCredentials(error)) throw error;
            throw detailed("No active account found with the given credentials", error);
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
        answers: NOT_VALID,
        async handle({ body, device }) {
          const { refresh: token } = readFields(body, REFRESH);
          const { access, refresh } = await refused(tokens.refresh(token, device));
          return { status: 200, body: rotateRefreshTokens ? { access, refresh } : { access } };
        },
      }),
      route({
        method: "POST",
        path: `${base}/verify`,
        summary: "Is a token of either kind good",
        guard: "none",
        body: documentFields(VERIFY),
        answer: NOTHING,
        answers: NOT_VALID,
        async handle({ body }) {
          const { token } = readFields(body, VERIFY);
          await refused((async () => tokens.verify(token))());
          if (rotateRefreshTokens && (await tokens.hasEnded(token))) {
            const messages = { non_field_errors: [TEXTS.ended] };
            throw new WireRefusal("session_ended", { status: 400, body: messages, reason: TEXTS.ended });
          }
          return { status: 200, body: {} };
        },
      }),
      route({
        method: "POST",
        path: `${base}/blacklist`,
        summary: "Sign out: end the session of a refresh token",
        guard: "none",
        body: documentFields(REFRESH),
        answer: NOTHING,
        answers: NOT_VALID,
        async handle({ body, device }) {
          const { refresh } = readFields(body, REFRESH);
          await refused(tokens.end(refresh, device));
          return { status: 200, body: {} };
        },
      }),
    ],

    async authenticate(request) {
      const header = readAuthorization(request) ?? "";
      const [scheme, token, ...more] = header.split(/[\t-\r ]+/).filter((part) => part !== "");
      if (scheme !== "Bearer") throw new AuthError("credentials_missing");
      if (token === undefined || more.length > 0) {
        const detail = "Authorization header must contain two space-delimited values";
        throw unauthorized({ detail, code: "bad_authorization_header" }, "not two parts");
      }
      return tokens.authenticate(token);
    },

    refuse(error, request?: { readonly method: string }) {
      return error instanceof TokenRefusal ? guardRefusal(error) : describeRefusal(error, request);
    },
  };
}

/** Words what a token endpoint refuses. */
async function refused<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof TokenRefusal)) throw error;
    const { fault, reason } = error;
    if (fault === "user_missing" || fault === "user_inactive") throw detailed(NO_ACCOUNT, error);
    const text = fault === "no_subject" ? TEXTS.invalid : TEXTS[fault];
    throw unauthorized({ detail: text, code: "token_not_valid" }, reason, error);
  }
}

const detailed = (detail: string, cause: AuthError) => unauthorized({ detail }, cause.reason, cause);

function unauthorized(body: object, reason: string, cause?: AuthError): WireRefusal {
  return new WireRefusal(cause?.code ?? "token_invalid", { status: 401, body, headers: CHALLENGE, reason });
}

function guardRefusal({ fault }: TokenRefusal): Answer {
  const detail = TEXTS[fault];
  const bodies: Partial<Record<TokenFault, object>> = {
    no_subject: { detail, code: "token_not_valid" },
    user_missing: { detail, code: "user_not_found" },
    user_inactive: { detail, code: "user_inactive" },
    password_changed: { detail, code: "password_changed" },
  };
  const body = bodies[fault] ?? {
    detail: "Given token not valid for any token type",
    code: "token_not_valid",
    messages: [{ token_class: "AccessToken", token_type: "access", message: detail }],
  };
  return { status: 401, body, headers: CHALLENGE };
}
