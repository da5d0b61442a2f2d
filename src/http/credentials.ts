/**
 * Which access token a request carries. (RFC 6750 §2.1; RFC 9110 §11.4)
 * Only the Authorization header counts. A foreign scheme is no credential of ours; anything after "Bearer" is one, and a
 * bad one is refused rather than passed over.
 */
import { AuthError } from "../errors.ts";

/**
 * Reads the bearer token of a request.
 * @returns whatever follows the scheme; `undefined` when the request carries no bearer credential.
 * @throws AuthError `credentials_repeated` (400) for two Authorization headers or a token in the URL.
 */
export function readBearer(request: { readonly url: string; readonly headers: Headers }): string | undefined {
  const header = request.headers.get("authorization");
  // A URL ends up in logs, histories and Referer headers. (RFC 6750 §2.3, RFC 9700 §4.3.2)
  if (request.url.includes("?") && new URL(request.url).searchParams.has("access_token")) {
    throw new AuthError("credentials_repeated", { reason: "an access token in the URL" });
  }
  if (header === null) return undefined;
  const match = /^bearer(?: +(.*))?$/i.exec(header.trim());
  // Fetch joins repeated headers with a comma, and a token has none.
  if (header.includes(",") && (match || /, *bearer /i.test(header))) {
    throw new AuthError("credentials_repeated", { reason: "more than one Authorization header" });
  }
  return match?.[1]?.trim() || undefined;
}
