/**
 * Calls to the auth server, and what its answers mean.
 * Only an answer that is unmistakably the server's says anything about a session. HTML from a proxy, a login page of a hotel's
 * network, a redirect, silence: all of that is "try again".
 */
import { now } from "./clock.ts";
import { ClientError, type ClientErrorDetails, type FieldError } from "./errors.ts";
import type { SessionRecord } from "./record.ts";
import type { User } from "./types.ts";

/** Milliseconds: below the server's grace of 20 s, so that a retry still comes within it. */
const TIMEOUT = 10_000;

export interface CallOptions {
  readonly body?: object | undefined;
  readonly accessToken?: string | undefined;
  /** What sends it. Default: the platform's fetch. */
  readonly go?: typeof fetch;
}

/** Sends one request. Resolves with the JSON of a success (`undefined` for 204) and throws ClientError for all else. */
export type Call = (method: string, path: string, options?: CallOptions) => Promise<unknown>;

export interface Tokens extends Omit<SessionRecord, "version"> {
  /** By our clock. */
  readonly expiresAt: number;
}

export interface Server {
  readonly call: Call;
  /** A login or a refresh: the path after that of the tokens. */
  tokens(path: string, body: object): Promise<Tokens>;
  /** Whose session it is. */
  me(accessToken: string | undefined): Promise<User>;
  /** Ends the session of a refresh token, or of the cookies. One that has ended is fine. */
  revoke(record: SessionRecord | undefined): Promise<unknown>;
}

const TOKEN_PATH = "/v1/users/me/token";

export const unexpected = (what: unknown, details?: ClientErrorDetails) =>
  new ClientError("unexpected_answer", `That is no auth server (${what}): is baseUrl right?`, details);

export function createServer(baseUrl: string, isCookie: boolean): Server {
  const call: Call = async (method, path, { body, accessToken, go = fetch } = {}) => {
    let response: Response;
    let text: string;
    try {
      response = await go(baseUrl + path, {
        method,
        headers: {
          "content-type": "application/json",
          ...(accessToken && { authorization: `Bearer ${accessToken}` }),
          ...(isCookie && { "latchkey-transport": "cookie" }),
        },
        // Nothing where there is none.
        body: JSON.stringify(body) as string,
        credentials: isCookie ? "include" : "omit",
        // A redirect would carry passwords and refresh tokens to wherever it leads.
        redirect: "error",
        keepalive: true,
        signal: AbortSignal.timeout(TIMEOUT),
      });
      text = await response.text();
    } catch (cause) {
      if (cause instanceof ClientError) throw cause;
      throw new ClientError("unreachable", `No answer from ${baseUrl}`, { cause });
    }
    const { status, ok, headers } = response;
    if (status === 204) return undefined;
    let answer: unknown;
    try {
      answer = JSON.parse(text);
    } catch {}
    const { code, detail, errors } = Object(answer) as { code?: string; detail?: string; errors?: FieldError[] };
    if (ok && answer && !code) return answer;
    const details = { status, errors, retryAfter: Number(headers.get("retry-after")) };
    throw ok || !code ? unexpected(status, details) : new ClientError(code, detail ?? code, details);
  };

  return {
    call,
    async tokens(path, body) {
      const sentAt = now();
      const tokens = Object(await call("POST", TOKEN_PATH + path, { body })) as Tokens;
      const { access_token, refresh_token, session_id, expires_in } = tokens;
      if (!access_token === isCookie && !refresh_token === isCookie && session_id && expires_in > 0) {
        return { ...tokens, expiresAt: sentAt + expires_in };
      }
      throw unexpected("tokens");
    },
    me: async (accessToken) => readUser(await call("GET", "/v1/users/me", { accessToken })),
    revoke: (record) =>
      call("POST", `${TOKEN_PATH}/revoke`, { body: { refresh_token: record?.refresh_token } }).catch((error) => {
        if (!isVerdict(error)) throw error;
      }),
  };
}

/**
 * The server's word that a session is over, that there is none (422: no refresh token came), or that its token went on elsewhere.
 * Nothing else ends one.
 */
export const isVerdict = (error: ClientError): boolean =>
  /^401(refresh_|session_|credentials_)|^409refresh_|^422input_/.test(`${error.status}${error.code}`);

const rename = <T>(from: object, pattern: RegExp, to: (found: string) => string): T =>
  Object.fromEntries(Object.entries(from).map(([name, value]) => [name.replace(pattern, to), value])) as T;

/** `{first_name}` → `{firstName}`. */
export const fromWire = <T>(answer: object): T => rename(answer, /_./g, (found) => (found[1] as string).toUpperCase());
/** `{firstName}` → `{first_name}`. */
export const toWire = (input: object): object => rename(input, /[A-Z]/g, (found) => `_${found.toLowerCase()}`);

/** @throws ClientError `unexpected_answer` for what is no user. */
export function readUser(answer: unknown): User {
  const user = fromWire<User>(Object(answer));
  if (user.username) return user;
  throw unexpected("user");
}
