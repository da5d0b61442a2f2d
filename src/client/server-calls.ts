/**
 * Calls to the auth server, and what its answers mean.
 * Only an answer that is unmistakably the server's says anything about a session. HTML from a proxy, a login page of a hotel's
 * network, a redirect, silence: all of that is "try again".
 */
import { ClientError, type FieldError } from "./errors.ts";
import type { SessionRecord } from "./record.ts";
import type { User } from "./types.ts";

/** Milliseconds: below the server's grace of 20 s, so that a retry still comes within it. */
const TIMEOUT = 10_000;
export const TOKEN_PATH = "/v1/users/me/token";

export interface CallOptions {
  readonly body?: object | undefined;
  readonly accessToken?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends one request. Resolves with the JSON of a success (`undefined` for 204) and throws ClientError for all else. */
export type Call = (method: string, path: string, options?: CallOptions) => Promise<unknown>;

export function createCall(baseUrl: string, isCookie: boolean): Call {
  return async (method, path, { body, accessToken, headers } = {}) => {
    let response: Response;
    let text: string;
    try {
      response = await fetch(baseUrl + path, {
        method,
        headers: {
          ...(body && { "content-type": "application/json" }),
          ...(accessToken && { authorization: `Bearer ${accessToken}` }),
          ...headers,
        },
        ...(body && { body: JSON.stringify(body) }),
        credentials: isCookie ? "include" : "omit",
        // A redirect would carry passwords and refresh tokens to wherever it leads.
        redirect: "error",
        cache: "no-store",
        keepalive: true,
        signal: AbortSignal.timeout(TIMEOUT),
      });
      text = await response.text();
    } catch (cause) {
      throw new ClientError("unreachable", `${baseUrl} did not answer. Are you online?`, { cause });
    }
    const { status, ok } = response;
    if (status === 204) return undefined;
    let answer: Partial<Record<string, unknown>> | undefined;
    try {
      answer = JSON.parse(text);
    } catch {}
    const { code, detail, errors } = Object(answer) as { code?: string; detail?: string; errors?: FieldError[] };
    if (ok && answer && !code) return answer;
    const isRefusal = !ok && typeof code === "string";
    throw new ClientError(
      isRefusal ? code : "unexpected_answer",
      isRefusal
        ? (detail ?? code)
        : `${baseUrl} answered ${method} ${path} with ${status} and no JSON of ours. Is baseUrl right?`,
      { status, errors, retryAfter: Number(response.headers.get("retry-after")) || undefined },
    );
  };
}

/** What a login or a refresh gives, checked. @throws ClientError `unexpected_answer`. */
export function readTokens(answer: unknown, isCookie: boolean): Omit<SessionRecord, "version"> {
  const tokens = Object(answer) as Record<string, unknown>;
  const { access_token: accessToken, refresh_token: refreshToken, expires_in, session_id, generation } = tokens;
  const isText = (value: unknown) => typeof value === (isCookie ? "undefined" : "string");
  if (
    isText(accessToken) &&
    isText(refreshToken) &&
    typeof session_id === "string" &&
    Number(expires_in) > 0 &&
    Number(generation) >= 0
  ) {
    return { sessionId: session_id, generation, expiresIn: expires_in, accessToken, refreshToken } as SessionRecord;
  }
  throw new ClientError(
    "unexpected_answer",
    `The answer has no ${isCookie ? "session" : "tokens"} as the server's would.`,
  );
}

const camel = (name: string) => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

/** `{first_name}` → `{firstName}`. */
export const fromWire = <T>(answer: unknown): T =>
  Object.fromEntries(Object.entries(answer as object).map(([name, value]) => [camel(name), value])) as T;

/** @throws ClientError `unexpected_answer` for what is no user. */
export function readUser(answer: unknown): User {
  const user = fromWire<User>(Object(answer));
  if (typeof user.username === "string") return user;
  throw new ClientError("unexpected_answer", "The answer has no user as the server's would.");
}
