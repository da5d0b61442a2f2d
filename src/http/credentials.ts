/**
 * Which access token a request carries. (RFC 6750 §2.1; RFC 9110 §11.4)
 * The Authorization header decides where there is one; a cookie counts only where there is none, since browsers send cookies unasked. A foreign scheme
 * is no credential of ours; anything after "Bearer" is one, and a bad one is refused rather than passed over.
 */
import { AuthError } from "../errors.ts";
import { ACCESS_COOKIE, type RequestHead, readCookie, requireOwnOrigin } from "./cookies.ts";

export interface CredentialOptions {
  /** Whether the access cookie counts. */
  readonly takesCookies: boolean;
  /** Origins other than our own that may send cookies. */
  readonly allowedOrigins: readonly string[];
}

/**
 * Reads the access token of a request.
 * @param url as it was asked for; only its query is looked at.
 * @returns whatever follows the scheme, or the cookie; `undefined` when the request carries no credential.
 * @throws AuthError `credentials_repeated` (400) for two Authorization headers or a token in the URL, `origin_refused` (403) for a cookie from elsewhere.
 */
export function readAccessToken(head: RequestHead, url: string, options: CredentialOptions): string | undefined {
  const header = head.header("authorization") ?? undefined;
  // A URL ends up in logs, histories and Referer headers. (RFC 6750 §2.3, RFC 9700 §4.3.2)
  const query = url.indexOf("?");
  if (query !== -1 && new URLSearchParams(url.slice(query)).has("access_token")) {
    throw new AuthError("credentials_repeated", { reason: "an access token in the URL" });
  }
  if (header !== undefined) return tokenOf(header);
  if (!options.takesCookies) return undefined;
  const cookie = readCookie(head, ACCESS_COOKIE);
  if (cookie !== undefined) requireOwnOrigin(head, options.allowedOrigins);
  return cookie;
}

/**
 * Headers that were read, each in the place that three characters of its signature name; whoever comes later to a place has it. That the same text was
 * read before is one comparison; reading it is two searches, a copy, and later a comparison of that copy with the token that is known.
 */
const PLACES = 4096;
const read = new Array<{ readonly header: string; readonly token: string } | undefined>(PLACES).fill(undefined);
/** Characters. What is longer, signatures of ML-DSA above all, is read each time: 4 MiB at most are kept. */
const LONGEST_KEPT = 1024;
/** From the header's end, in every other algorithm within the signature. */
const NAMED_FROM_END = 40;

function tokenOf(header: string): string | undefined {
  if (header.length > LONGEST_KEPT) return readBearer(header);
  const start = header.length - NAMED_FROM_END;
  const name = header.charCodeAt(start) ^ (header.charCodeAt(start + 1) << 5) ^ (header.charCodeAt(start + 2) << 10);
  const place = name & (PLACES - 1);
  const known = read[place];
  if (known !== undefined && known.header === header) return known.token;
  const token = readBearer(header);
  if (token !== undefined) read[place] = { header, token };
  return token;
}

/** What follows the scheme. @throws AuthError `credentials_repeated` for two headers. */
function readBearer(header: string): string | undefined {
  // As nearly everybody writes it.
  if (header.startsWith("Bearer ") && !header.includes(",")) return header.slice("Bearer ".length).trim() || undefined;
  const match = /^bearer(?: +(.*))?$/i.exec(header.trim());
  // Fetch joins repeated headers with a comma, and a token has none.
  if (header.includes(",") && (match || /, *bearer /i.test(header))) {
    throw new AuthError("credentials_repeated", { reason: "more than one Authorization header" });
  }
  return match?.[1]?.trim() || undefined;
}
