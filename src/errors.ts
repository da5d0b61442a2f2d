/**
 * Every refusal in the project, on one page.
 * A refusal is an `AuthError` with a public `code`; status, safe message and the error word of RFC 6750 hang on the code.
 * What precisely went wrong is in `reason`: for logs and for the developer, never for the wire.
 * Misuse by the programmer is a `TypeError` instead, and absence is `undefined`.
 */

interface Refusal {
  readonly status: number;
  /** Safe to show to anybody. Clients of the services we replace compare some of these, so they stay letter for letter. */
  readonly detail: string;
  /** The `error` of the WWW-Authenticate challenge (RFC 6750 §3.1); absent where no bearer token was judged. */
  readonly bearer?: "invalid_request" | "invalid_token" | "insufficient_scope";
}

const REFUSALS = {
  // The access token, at a guard.
  credentials_missing: { status: 401, detail: "No access token: send it as 'Authorization: Bearer <access token>'." },
  credentials_repeated: {
    status: 400,
    detail: "Send one access token, in one Authorization header and never in the URL.",
    bearer: "invalid_request",
  },
  token_expired: { status: 401, detail: "Token has expired", bearer: "invalid_token" },
  token_invalid: { status: 401, detail: "Invalid token", bearer: "invalid_token" },
  token_subject_missing: { status: 401, detail: "Token payload missing 'sub' field", bearer: "invalid_token" },
  user_not_found: { status: 401, detail: "User not found", bearer: "invalid_token" },
  origin_refused: {
    status: 403,
    detail: "A request that rests on cookies has to come from this site's own pages or from an allowed origin.",
  },
  insufficient_scope: {
    status: 403,
    detail: "Your account may not do this.",
    bearer: "insufficient_scope",
  },

  // Signing in and out.
  invalid_credentials: { status: 401, detail: "Invalid username or password" },
  wrong_password: { status: 401, detail: "The current password is wrong." },
  refresh_token_invalid: { status: 401, detail: "Invalid refresh token" },
  refresh_token_expired: { status: 401, detail: "Refresh token expired or revoked" },
  refresh_token_reused: { status: 401, detail: "Refresh token expired or revoked" },
  /** At the guard the same code comes with the detail of `token_invalid`. */
  session_ended: { status: 401, detail: "Refresh token expired or revoked" },
  refresh_superseded: {
    status: 409,
    detail: "A newer refresh token has been issued for this attempt: use the newest one you have stored.",
  },

  // Accounts and input.
  username_taken: { status: 409, detail: "That username is taken." },
  link_invalid: { status: 403, detail: "That link is not good, or no longer: it is for one use and one hour." },
  email_taken: { status: 409, detail: "That email address is already registered." },
  own_account: { status: 409, detail: "Nobody does this to their own account: another member of staff has to." },
  input_invalid: { status: 422, detail: "Some fields are missing or wrong: see 'errors'." },
  not_found: { status: 404, detail: "There is nothing here." },
  method_not_allowed: { status: 405, detail: "This path does not take that method: see the Allow header." },
  json_invalid: { status: 400, detail: "The body is not valid JSON." },
  request_invalid: { status: 400, detail: "The request could not be read." },
  body_too_large: { status: 413, detail: "The body is over 64 KiB." },
  media_type_unsupported: { status: 415, detail: "Send the body as 'Content-Type: application/json' in UTF-8." },

  // Not now. Always with Retry-After; never a verdict about a session or a user.
  rate_limited: { status: 429, detail: "Too many attempts: wait and try again." },
  busy: { status: 503, detail: "Busy: try again in a moment." },
  store_unavailable: { status: 503, detail: "The store does not answer: try again in a moment." },
  secret_unknown: { status: 503, detail: "This server does not know that token's secret yet: try again in a moment." },
  internal: { status: 500, detail: "Something went wrong on our side." },
} as const satisfies Record<string, Refusal>;

export type AuthErrorCode = keyof typeof REFUSALS;

/** One invalid field of an input. */
export interface FieldError {
  /** The name as the caller wrote it; a dotted path where it is nested; empty for the input as a whole. */
  readonly field: string;
  /** What is wrong and what would be right, for a person. */
  readonly message: string;
}

export interface AuthErrorOptions {
  /** What precisely went wrong, for logs. Never holds a token, a password or a secret. Defaults to the code. */
  readonly reason?: string;
  /** Replaces the code's safe message. */
  readonly detail?: string;
  /** Replaces the error word of the challenge. */
  readonly bearer?: Refusal["bearer"];
  readonly errors?: readonly FieldError[];
  /** Seconds until another try makes sense; answered as Retry-After. */
  readonly retryAfter?: number;
  readonly cause?: unknown;
}

/** By this every copy of the package knows the refusals of every other: an application and a library that it uses may each have one. */
const BRAND = Symbol.for("latchkey.AuthError");

/** A request that was refused. `message` is the safe text, `code` is what programs compare. */
export class AuthError extends Error {
  declare readonly name: string;
  readonly code: AuthErrorCode;
  /** HTTP status, 400–503. */
  readonly status: number;
  readonly reason: string;
  readonly errors: readonly FieldError[] | undefined;
  readonly retryAfter: number | undefined;
  /** The `error` of RFC 6750's challenge; `undefined` where no bearer token was judged. */
  readonly bearer: Refusal["bearer"];

  constructor(code: AuthErrorCode, options: AuthErrorOptions = {}) {
    const refusal: Refusal = REFUSALS[code];
    // A refusal is an answer, not an accident, and strangers cause it at will: collecting a stack would cost more than verifying a
    // signature does. Frozen intrinsics keep theirs, because assigning to them throws.
    // With 0 as the limit the engine still writes down the error's first line, which costs half as much again; without a number, nothing.
    const { stackTraceLimit } = Error;
    const goesWithoutStack = refusal.status < 500 && Object.isExtensible(Error);
    if (goesWithoutStack) (Error as { stackTraceLimit?: number | undefined }).stackTraceLimit = undefined;
    const message = options.detail ?? refusal.detail;
    if (options.cause === undefined) {
      // Handed on, the engine would define it as a property that is not enumerable, for a sixth of the whole. A stack's first line is written when
      // it is asked for, and has it.
      super();
      this.message = message;
    } else super(message, { cause: options.cause });
    if (goesWithoutStack) Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.status = refusal.status;
    this.reason = options.reason ?? code;
    this.errors = options.errors;
    this.retryAfter = options.retryAfter ?? (refusal.status === 503 ? 1 : undefined);
    this.bearer = options.bearer ?? refusal.bearer;
  }

  static {
    // biome-ignore lint/complexity/noThisInStatic: a class that is named within itself is published as _AuthError, and is called so where it is printed
    Object.defineProperty(this.prototype, "name", { value: "AuthError", writable: true, configurable: true });
  }
}

// On the prototype, so that it costs a refusal nothing.
Object.defineProperty(AuthError.prototype, BRAND, { value: true });
Object.defineProperty(AuthError, Symbol.hasInstance, {
  value(this: unknown, value: unknown): boolean {
    if (this === AuthError) return (value as { readonly [BRAND]?: true } | null | undefined)?.[BRAND] === true;
    // A subclass inherits this, and is more than the brand says.
    return Function.prototype[Symbol.hasInstance].call(this as typeof AuthError, value);
  },
});

/** All codes with their status and message: for documents and tests. */
export const refusals: Readonly<Record<AuthErrorCode, Refusal>> = REFUSALS;
