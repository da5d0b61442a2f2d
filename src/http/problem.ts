/**
 * Refusals on the wire: RFC 9457 problem details and RFC 6750 challenges.
 * `detail` and `code` are what clients read; the precise reason stays behind.
 */
import { STATUS_CODES } from "node:http";
import type { AuthError } from "../errors.ts";

/** On every answer, also where a framework words it: tokens and verdicts belong in no cache (RFC 6749 §5.1), and no type is to be guessed. */
const VERDICT_HEADERS = { "cache-control": "no-store", "x-content-type-options": "nosniff" } as const;

/** On every answer of ours: it is no page, loads nothing, is shown in no frame and embedded by no other site. (OWASP REST security cheat sheet) */
export const ANSWER_HEADERS = {
  ...VERDICT_HEADERS,
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
} as const;

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

/** What a refusal adds to an answer that somebody else words, which may be a page. */
export function refusalHeaders(error: AuthError): Readonly<Record<string, string>> {
  const { headers } = describeProblem(error);
  const ours = [...Object.keys(ANSWER_HEADERS), "content-type"];
  const added = Object.entries(headers).filter(([name]) => !ours.includes(name));
  return { ...VERDICT_HEADERS, ...Object.fromEntries(added) };
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
