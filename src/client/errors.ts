/**
 * What the client throws: one class with a `code`, as on the wire.
 * Codes of the server come through as they are; two are our own. A refusal that ends a session is no error of the
 * caller's request, so it is told through `onChange` and not thrown by `fetch`.
 */

/** One invalid field of an input. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

export interface ClientErrorDetails {
  readonly status?: number | undefined;
  readonly errors?: readonly FieldError[] | undefined;
  readonly retryAfter?: number | undefined;
  readonly cause?: unknown;
}

export class ClientError extends Error {
  override readonly name = "ClientError";
  /**
   * The server's code (`invalid_credentials`, `username_taken`, …), or ours: `unreachable` (no answer in time, offline),
   * `unexpected_answer` (something that is not the server answered).
   */
  declare readonly code: string;
  /** HTTP status, where something answered. */
  declare readonly status: number | undefined;
  /** Which fields are wrong, with `input_invalid`. */
  declare readonly errors: readonly FieldError[] | undefined;
  /** Seconds until another try makes sense; 0 where nothing is known of that. */
  declare readonly retryAfter: number | undefined;

  constructor(code: string, message: string, details?: ClientErrorDetails) {
    super(message);
    Object.assign(this, { code }, details);
  }
}
