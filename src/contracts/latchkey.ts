/**
 * The default dialect: the endpoints of a user service with sessions, as one table.
 * Names, messages and statuses are those that clients of the services we replace already read; see docs/api.md.
 */
import * as z from "zod";
import type { Tokens } from "../auth.ts";
import { AuthError } from "../errors.ts";
import { type Answer, type Contract, type CookieContext, route } from "../http/route.ts";
import type { RevocationPage } from "../revocations/published-revocations.ts";
import { EMAIL_LENGTH } from "../users/names.ts";
import { PASSWORD_MAX_BYTES, PASSWORD_MIN_LENGTH } from "../users/password-rules.ts";
import { auditRoutes } from "./latchkey-audit.ts";
import { firstUserRoutes } from "./latchkey-first-user.ts";
import { keyRoutes } from "./latchkey-keys.ts";
import { metricsRoute } from "./latchkey-metrics.ts";
import {
  fromSession,
  fromUser,
  like,
  object,
  parameter,
  password,
  Registration,
  SessionsAnswer,
  text,
  toRegistration,
  UserAnswer,
  wholeNumber,
} from "./latchkey-shapes.ts";
import { staffRoutes } from "./latchkey-staff.ts";
import { tokenRoutes } from "./latchkey-tokens.ts";

const EXAMPLE_TOKENS = { access: "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9…", refresh: "lkr_…" };

const refreshToken = text("The refresh token, as it was issued; absent where it is a cookie.", {
  max: 512,
  example: EXAMPLE_TOKENS.refresh,
});

const Login = object({
  username: text("The username; or give `email`.", { max: EMAIL_LENGTH, example: "ada" }).nullish(),
  email: text("The email address; or give `username`.", { max: EMAIL_LENGTH }).nullish(),
  password: password("The password."),
}).check((c) => {
  const { username, email } = c.value;
  const names = [username, email].filter((name) => name !== undefined && name !== null).length;
  if (names === 0)
    c.issues.push({ code: "custom", input: username, path: ["username"], message: "is required (or give email)" });
  if (names === 2)
    c.issues.push({ code: "custom", input: email, path: ["email"], message: "must not come together with username" });
});

const Refresh = object({
  refresh_token: refreshToken.nullish(),
  attempt: z
    .string({ error: "must be a text" })
    .regex(/^[A-Za-z0-9_-]{22,64}$/, { error: "must be 22 to 64 characters of A-Z a-z 0-9 - _, or absent" })
    .describe("An id of this attempt, the same at every retry of it: a late retry is then told from a thief.")
    .nullish(),
});

const Revocation = object({
  refresh_token: refreshToken.nullish(),
});

const PasswordChange = object({
  current_password: password("The password as it is."),
  new_password: password(
    `At least ${PASSWORD_MIN_LENGTH} characters, at most ${PASSWORD_MAX_BYTES} bytes, not a common one.`,
  ),
});

const TokensAnswer = z
  .object({
    access_token: like(
      z.string().describe("Absent where the client asked for cookies."),
      EXAMPLE_TOKENS.access,
    ).optional(),
    refresh_token: like(
      z.string().describe("Absent where the client asked for cookies."),
      EXAMPLE_TOKENS.refresh,
    ).optional(),
    token_type: z.literal("Bearer"),
    expires_in: like(z.int().describe("Seconds until the access token expires."), 900),
    session_id: like(z.string(), "1"),
    generation: z.int().min(0).describe("How many refreshes led to this token; the higher one is the newer."),
  })
  .meta({ id: "Tokens" });

const EndQuery = z.object({
  except: z
    .literal("current", { error: "must be 'current', once, or absent" })
    .describe("`current` spares the session that asks.")
    .optional(),
});

/** Seconds. Below what proxies take for a dead connection. */
const LONGEST_WAIT = 25;

const RevocationsQuery = z.object({
  since: parameter("The cursor of the answer before; absent for everything.", { max: 200 }),
  wait: wholeNumber(`Seconds to wait for news when there is none. Default ${LONGEST_WAIT}.`, {
    min: 0,
    max: LONGEST_WAIT,
  }),
});

const RevocationsAnswer = z.object({
  entries: z.array(
    z.object({
      position: like(z.int(), 7),
      session_id: like(z.string(), "1").nullable().describe("The session whose access tokens are taken back."),
      user_id: like(z.string().nullable(), null).describe(
        "Or the user whose tokens below `epoch` are, but for `except_session_id`.",
      ),
      epoch: like(z.int().nullable(), null),
      except_session_id: like(z.string().nullable(), null),
      issued_before: like(z.int().nullable(), null).describe(
        "Or all tokens without a session from before this instant, in seconds.",
      ),
      reason: z.enum(["ended", "inactive"]),
      expires_at: like(z.int(), 1_795_000_000).describe(
        "Seconds: the last token that it could match has died by then.",
      ),
    }),
  ),
  cursor: like(z.string(), "4b1f….7").describe("What to ask with next; opaque."),
  reset: z.boolean().describe("True: forget what is known, these entries begin anew."),
  more: z.boolean().describe("True: there is more already."),
});

const JwksAnswer = z.object({
  keys: z.array(
    z
      .looseObject({
        kty: like(z.string(), "OKP"),
        alg: like(z.string(), "EdDSA"),
        kid: like(z.string(), "xhq…2Q"),
        use: z.literal("sig"),
      })
      .describe("A public key (RFC 7517); its other members depend on `kty`."),
  ),
});

const HealthAnswer = z.object({ status: z.literal("ok") });

export const latchkeyContract: Contract = {
  name: "latchkey",
  routes: [
    route({
      method: "POST",
      path: "/v1/users",
      summary: "Register a user",
      guard: "none",
      body: Registration,
      answer: UserAnswer,
      success: 201,
      refusals: ["username_taken", "email_taken", "busy"],
      group: "Users",
      async handle({ auth, body }) {
        const user = await auth.register(toRegistration(body));
        return { status: 201, body: fromUser(user) };
      },
    }),
    route({
      method: "GET",
      path: "/v1/users/me",
      summary: "Who am I",
      guard: "bearer",
      answer: UserAnswer,
      group: "Users",
      async handle({ identity }) {
        const user = await identity.user();
        if (!user?.isActive)
          throw new AuthError("user_not_found", { reason: "inactive or deleted since the token was issued" });
        return { status: 200, body: fromUser(user) };
      },
    }),
    route({
      method: "POST",
      path: "/v1/users/me/token",
      summary: "Sign in",
      guard: "none",
      body: Login,
      answer: TokensAnswer,
      refusals: ["invalid_credentials", "busy"],
      cookies: true,
      group: "Tokens",
      async handle({ auth, body, device, cookies }) {
        const { username, email, password } = body;
        const login = typeof username === "string" ? { username, password } : { email: email as string, password };
        return answerTokens(await auth.login(login, device), cookies, cookies.isWanted);
      },
    }),
    route({
      method: "POST",
      path: "/v1/users/me/token/refresh",
      summary: "Trade a refresh token for new tokens",
      guard: "none",
      body: Refresh,
      answer: TokensAnswer,
      refusals: [
        "refresh_token_invalid",
        "refresh_token_expired",
        "refresh_token_reused",
        "session_ended",
        "refresh_superseded",
        "secret_unknown",
      ],
      cookies: true,
      group: "Tokens",
      async handle({ auth, body, device, cookies, signal }) {
        const attempt = body.attempt ?? undefined;
        const refreshToken = body.refresh_token ?? cookies.refreshToken();
        if (refreshToken === undefined) throw refreshTokenMissing();
        const tokens = await auth.refresh(refreshToken, { attempt, signal }, device);
        // What came as a cookie goes back as one: no script is handed what it could not read.
        return answerTokens(tokens, cookies, cookies.isWanted || body.refresh_token == null);
      },
    }),
    route({
      method: "POST",
      path: "/v1/users/me/token/revoke",
      summary: "Sign out: end the session of a refresh token",
      guard: "none",
      body: Revocation,
      refusals: ["refresh_token_invalid", "secret_unknown"],
      cookies: true,
      group: "Tokens",
      async handle({ auth, body, cookies }) {
        const refreshToken = body.refresh_token ?? cookies.refreshToken();
        if (refreshToken === undefined) throw refreshTokenMissing();
        await auth.logout(refreshToken);
        return { status: 204, ...(body.refresh_token == null && { cookies: cookies.clear() }) };
      },
    }),
    route({
      method: "POST",
      path: "/v1/users/me/password",
      summary: "Change the password; every other session ends",
      guard: "bearer",
      body: PasswordChange,
      refusals: ["wrong_password", "busy"],
      group: "Users",
      async handle({ auth, identity, body }) {
        await auth.changePassword(identity, { currentPassword: body.current_password, newPassword: body.new_password });
        return { status: 204 };
      },
    }),
    route({
      method: "GET",
      path: "/v1/users/me/sessions",
      summary: "List my live sessions, newest first",
      guard: "bearer",
      answer: SessionsAnswer,
      group: "Sessions",
      async handle({ auth, identity }) {
        const sessions = await auth.sessions.list(identity.userId);
        return { status: 200, body: { sessions: sessions.map((session) => fromSession(session, identity.sessionId)) } };
      },
    }),
    route({
      method: "DELETE",
      path: "/v1/users/me/sessions",
      summary: "End all my sessions, or with ?except=current all but this one",
      guard: "bearer",
      query: EndQuery,
      group: "Sessions",
      async handle({ auth, identity, query }) {
        await auth.sessions.endAll(identity.userId, query.except === "current" ? { except: identity.sessionId } : {});
        return { status: 204 };
      },
    }),
    route({
      method: "DELETE",
      path: "/v1/users/me/sessions/:id",
      summary: "End one of my sessions",
      guard: "bearer",
      refusals: ["not_found"],
      group: "Sessions",
      async handle({ auth, identity, params }) {
        const isEnded = await auth.sessions.end(identity.userId, params.id as string);
        if (!isEnded) throw new AuthError("not_found", { detail: "You have no live session with that id." });
        return { status: 204 };
      },
    }),
    ...tokenRoutes,
    ...firstUserRoutes,
    ...auditRoutes,
    ...staffRoutes,
    metricsRoute,
    ...keyRoutes,
    route({
      method: "GET",
      path: "/v1/revocations",
      summary: "What has been taken back since a cursor, for services without the database; waits for news",
      guard: "service",
      query: RevocationsQuery,
      answer: RevocationsAnswer,
      group: "For services",
      async handle({ auth, query: { since, wait = LONGEST_WAIT }, signal }) {
        const page = await auth.revocations.since(since, { wait, signal });
        return { status: 200, body: fromRevocationPage(page) };
      },
    }),
    route({
      method: "GET",
      path: "/.well-known/jwks.json",
      summary: "The public keys that access tokens are verified with; none where a secret signs",
      guard: "none",
      answer: JwksAnswer,
      headers: ["ETag"],
      group: "For services",
      async handle({ auth }) {
        return { status: 200, body: auth.keys.jwks(), cacheControl: auth.keys.jwksCacheControl };
      },
    }),
    route({
      method: "GET",
      path: "/v1/health",
      summary: "Is the service there, and its store",
      guard: "none",
      answer: HealthAnswer,
      group: "For services",
      async handle({ auth }) {
        await auth.ping();
        return { status: 200, body: { status: "ok" } };
      },
    }),
  ],
};

const toText = (id: number | undefined) => (id === undefined ? null : String(id));

const fromRevocationPage = (page: RevocationPage): z.output<typeof RevocationsAnswer> => ({
  entries: page.entries.map((entry) => ({
    position: entry.position,
    session_id: toText(entry.sessionId),
    user_id: toText(entry.userId),
    epoch: entry.epoch ?? null,
    except_session_id: toText(entry.exceptSessionId),
    issued_before: entry.issuedBefore ?? null,
    reason: entry.reason,
    expires_at: entry.expiresAt,
  })),
  cursor: page.cursor,
  reset: page.isReset,
  more: page.hasMore,
});

function refreshTokenMissing(): AuthError {
  return new AuthError("input_invalid", { errors: [{ field: "refresh_token", message: "is required" }] });
}

function answerTokens(tokens: Tokens, cookies: CookieContext, asCookies: boolean): Answer {
  const body: z.output<typeof TokensAnswer> = {
    ...(!asCookies && { access_token: tokens.accessToken, refresh_token: tokens.refreshToken }),
    ...fromTokens(tokens),
  };
  return { status: 200, body, ...(asCookies && { cookies: cookies.give(tokens) }) };
}

const fromTokens = (tokens: Tokens) => ({
  token_type: tokens.tokenType,
  expires_in: tokens.expiresIn,
  session_id: tokens.sessionId,
  generation: tokens.generation,
});
