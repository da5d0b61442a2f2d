/**
 * Which access token a request carries. (RFC 6750 §2.1; RFC 9110 §11.4)
 * The Authorization header decides where there is one; a cookie counts only where there is none, since browsers send cookies unasked. A foreign scheme
 * is no credential of ours; anything after "Bearer" is one, and a bad one is refused rather than passed over.
 */
import { AuthError } from "../errors.ts";
import { ACCESS_COOKIE, type RequestHead, readCookie, requireOwnOrigin, withoutSpaces } from "./cookies.ts";

export interface CredentialOptions {
  /** Whether the access cookie counts. */
  readonly takesCookies: boolean;
  /** Origins other than our own that may send cookies. */
  readonly allowedOrigins: readonly string[];
}

/**
 * Refuses a token in the URL.
 * @param url as it was asked for; only its query is looked at.
 * @throws AuthError `credentials_repeated` (400).
 */
export function refuseTokenIn(url: string): void {
  // A URL ends up in logs, histories and Referer headers. (RFC 6750 §2.3, RFC 9700 §4.3.2)
  const query = url.indexOf("?");
  if (query !== -1 && new URLSearchParams(url.slice(query)).has("access_token")) {
    throw new AuthError("credentials_repeated", { reason: "an access token in the URL" });
  }
}

/**
 * Reads the access token of a request.
 * @param url as for `refuseTokenIn`.
 * @returns whatever follows the scheme, or the cookie; `undefined` when the request carries no credential.
 * @throws AuthError `credentials_repeated` (400) for two Authorization headers or a token in the URL, `origin_refused` (403) for a cookie from elsewhere.
 */
export function readAccessToken(head: RequestHead, url: string, options: CredentialOptions): string | undefined {
  refuseTokenIn(url);
  const authorization = head.header("authorization") ?? undefined;
  return authorization === undefined ? readAccessCookie(head, options) : readBearer(authorization);
}

/** @throws AuthError `origin_refused` (403) for a cookie from elsewhere, `request_invalid` for two that differ. */
export function readAccessCookie(head: RequestHead, options: CredentialOptions): string | undefined {
  if (!options.takesCookies) return undefined;
  const cookie = readCookie(head, ACCESS_COOKIE);
  if (cookie !== undefined) requireOwnOrigin(head, options.allowedOrigins);
  return cookie;
}

/**
 * What follows the scheme.
 * @returns `undefined` for a foreign scheme, which is no credential of ours.
 * @throws AuthError `credentials_repeated` for two headers.
 */
export function readBearer(header: string): string | undefined {
  // As nearly everybody writes it.
  if (header.startsWith("Bearer ") && !header.includes(","))
    return withoutSpaces(header.slice("Bearer ".length)) || undefined;
  // A scheme is a token (RFC 9110 §11.1). Whatever is behind ours is a credential of ours, and no good one unless spaces are between them.
  const match = /^bearer(?: +(.*)|([^!#$%&'*+.^_`|~\w-].*))?$/is.exec(withoutSpaces(header));
  // Fetch joins repeated headers with a comma, and a token has none.
  if (header.includes(",") && (match || /, *bearer /i.test(header))) {
    throw new AuthError("credentials_repeated", { reason: "more than one Authorization header" });
  }
  return withoutSpaces(match?.[1] ?? match?.[2] ?? "") || undefined;
}
