/**
 * CORS for the origins that are allowed by name, each letter of it; for all others there are no such headers. (Fetch standard §3.3; ASVS 3.4.2)
 * Credentials are never allowed to "*": the answer names the one origin that asked.
 */
import { TRANSPORT_HEADER } from "./cookies.ts";
import { ANSWER_HEADERS } from "./problem.ts";

/** Seconds that a browser need not ask again. */
const PREFLIGHT_MAX_AGE = 600;

/** @throws TypeError for what is no origin, with what would be right. */
export function readOrigins(origins: readonly string[]): readonly string[] {
  for (const origin of origins) {
    const isExact =
      URL.canParse(origin) && /^https?:$/.test(new URL(origin).protocol) && new URL(origin).origin === origin;
    // A pattern would be taken for a host of that very name, and would silently allow nobody.
    if (!isExact || origin.includes("*")) {
      throw new TypeError(
        `an allowed origin is a scheme and a host, such as https://app.example.com, not ${JSON.stringify(origin)}`,
      );
    }
  }
  return origins;
}

/** The headers for an answer to this origin; `undefined` when it is not allowed. */
export function originHeaders(origin: string | null, allowed: readonly string[]): Record<string, string> | undefined {
  if (origin === null || !allowed.includes(origin)) return undefined;
  return {
    "access-control-allow-origin": origin,
    "access-control-allow-credentials": "true",
    "access-control-expose-headers": "WWW-Authenticate, Retry-After",
    vary: "Origin",
  };
}

/** True for the question that a browser asks before a request which needs leave. */
export function isPreflight(request: Request): boolean {
  return request.method === "OPTIONS" && request.headers.has("access-control-request-method");
}

/** The answer to it. @param headers of `originHeaders`. */
export function answerPreflight(headers: Readonly<Record<string, string>>): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...ANSWER_HEADERS,
      ...headers,
      "access-control-allow-methods": "GET, POST, PATCH, DELETE",
      "access-control-allow-headers": `Authorization, Content-Type, ${TRANSPORT_HEADER}`,
      "access-control-max-age": String(PREFLIGHT_MAX_AGE),
    },
  });
}
