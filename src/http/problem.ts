/**
 * Refusals on the wire: RFC 9457 problem details and RFC 6750 challenges.
 * `detail` and `code` are what clients read; the precise reason stays behind.
 */
import { STATUS_CODES } from "node:http";
import type { AuthError } from "../errors.ts";

/** On every answer: tokens and verdicts belong in no cache (RFC 6749 §5.1), and nothing here is to be guessed at. */
export const ANSWER_HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;

/** An answer before it is anything of a runtime's. */
export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ProblemOptions {
  /** Replaces the code's status. */
  readonly status?: number;
  /** More headers, such as Allow. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a refused request is told. */
export function describeProblem(
  error: AuthError,
  { status = error.status, headers = {} }: ProblemOptions = {},
): Problem {
  const challenge = toChallenge(error);
  return {
    status,
    headers: {
      "content-type": "application/problem+json",
      ...ANSWER_HEADERS,
      ...(challenge && { "www-authenticate": challenge }),
      ...(error.retryAfter !== undefined && { "retry-after": String(error.retryAfter) }),
      ...headers,
    },
    body: JSON.stringify({
      type: "about:blank",
      title: STATUS_CODES[status],
      status,
      detail: error.message,
      code: error.code,
      ...(error.errors && { errors: error.errors }),
    }),
  };
}

/** The answer to a refused request. */
export function toProblem(error: AuthError, options?: ProblemOptions): Response {
  const { body, ...init } = describeProblem(error, options);
  return new Response(body, init);
}

/** Every 401 has a challenge (RFC 9110 §15.5.2); it names an error only where a bearer token was judged (RFC 6750 §3.1). */
function toChallenge(error: AuthError): string | undefined {
  const realm = 'Bearer realm="latchkey"';
  if (error.bearer === undefined) return error.status === 401 ? realm : undefined;
  return `${realm}, error="${error.bearer}", error_description="${error.message.replace(/["\\]/g, "'")}"`;
}
