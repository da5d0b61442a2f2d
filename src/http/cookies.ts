/**
 * Cookies: a transport beside Bearer, for browsers, in which no script can read a token.
 * The access cookie goes with every request to this host (`__Host-`: this host alone, over TLS alone), the refresh cookie only to the paths that
 * spend it. Both are HttpOnly. What a browser adds by itself it also adds for a stranger's page, so a request that changes something and rests on a
 * cookie has to show where it comes from. (RFC 6265bis; OWASP CSRF cheat sheet)
 */
import type { Tokens } from "../auth.ts";
import { AuthError } from "../errors.ts";

export const ACCESS_COOKIE = "__Host-latchkey_access";
export const REFRESH_COOKIE = "__Secure-latchkey_refresh";
/** A request header: "cookie" asks for cookies instead of tokens in the body. */
export const TRANSPORT_HEADER = "latchkey-transport";

/** What is looked at in a request, whatever the framework keeps it in. */
export interface RequestHead {
  readonly method: string;
  /** The Host header, or what stands for it. */
  readonly host: string | undefined;
  /** A header's value; several of one name joined with commas (cookies: semicolons), as fetch does. */
  header(name: string): string | null | undefined;
}

/**
 * The value of a cookie.
 * @throws AuthError `request_invalid` when it comes twice with different values: whoever can set cookies for a neighbouring host could choose.
 */
export function readCookie(head: RequestHead, name: string): string | undefined {
  const cookies = head.header("cookie");
  if (!cookies?.includes(name)) return undefined;
  let found: string | undefined;
  for (const pair of cookies.split(";")) {
    const equals = pair.indexOf("=");
    if (equals === -1 || withoutSpaces(pair.slice(0, equals)) !== name) continue;
    const value = withoutSpaces(pair.slice(equals + 1)).replace(/^"(.*)"$/, "$1");
    if (found !== undefined && found !== value) {
      throw new AuthError("request_invalid", {
        reason: `the cookie ${name} came twice`,
        detail: `The cookie ${name} came twice with different values: delete this site's cookies and sign in again.`,
      });
    }
    found = value;
  }
  return found || undefined;
}

/**
 * A text without the spaces and tabs around it, which are all that HTTP calls white space (RFC 9110 §5.6.3). `trim` takes more: a browser guards the prefix
 * of `__Host-…`, and not that of the same name behind a no-break space.
 */
export function withoutSpaces(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

const isSpace = (code: number) => code === 0x20 || code === 0x09;

/** True when the client wants its tokens as cookies. @throws AuthError `request_invalid` for a transport that there is not. */
export function wantsCookies(head: RequestHead): boolean {
  const transport = head.header(TRANSPORT_HEADER);
  if (transport === null || transport === undefined || transport === "bearer") return false;
  if (transport === "cookie") return true;
  const detail = "The header Latchkey-Transport must be 'cookie' or 'bearer', or absent.";
  throw new AuthError("request_invalid", { reason: "an unknown transport", detail });
}

const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Checks that a request which rests on a cookie comes from our own pages or from an origin that is allowed.
 * @throws AuthError `origin_refused` (403).
 */
export function requireOwnOrigin(head: RequestHead, allowedOrigins: readonly string[]): void {
  // A GET changes nothing, unless it opens a WebSocket: that lets any page in which a browser sends the cookie speak and listen.
  if (SAFE_METHODS.has(head.method) && !/\bwebsocket\b/i.test(head.header("upgrade") ?? "")) return;
  const origin = head.header("origin") ?? undefined;
  if (origin !== undefined && allowedOrigins.includes(origin)) return;
  const site = head.header("sec-fetch-site") ?? undefined;
  // A browser's own word, which no page can put there. "none" is a person's doing, and a person sends no POST.
  if (site !== undefined) {
    if (site === "same-origin") return;
    throw originRefused(`sec-fetch-site is ${JSON.stringify(site.slice(0, 20))}`);
  }
  if (origin !== undefined) {
    if (head.host !== undefined && hostOf(origin) === head.host.toLowerCase()) return;
    throw originRefused("a foreign origin");
  }
  // Neither: no browser of these years. The header is one that no form can send, and no foreign page without our leave (a preflight).
  if (!wantsCookies(head)) throw originRefused("no origin");
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

const originRefused = (reason: string) => new AuthError("origin_refused", { reason });

/**
 * The Set-Cookie headers that hand tokens over.
 * @param path of the endpoint that signs in; those that spend the refresh token lie below it.
 */
export function tokenCookies(tokens: Tokens, path: string): string[] {
  return [
    `${ACCESS_COOKIE}=${tokens.accessToken}; Path=/; Max-Age=${tokens.expiresIn}; ${ACCESS_ATTRIBUTES}`,
    `${REFRESH_COOKIE}=${tokens.refreshToken}; Path=${path}; Max-Age=${tokens.refreshExpiresIn}; ${REFRESH_ATTRIBUTES}`,
  ];
}

/** The Set-Cookie headers that take both cookies back: with the attributes they were set with, or the browser keeps them (ASVS 7.4.1). */
export function clearedCookies(path: string): string[] {
  return [
    `${ACCESS_COOKIE}=; Path=/; Max-Age=0; ${ACCESS_ATTRIBUTES}`,
    `${REFRESH_COOKIE}=; Path=${path}; Max-Age=0; ${REFRESH_ATTRIBUTES}`,
  ];
}

// Lax: a link from elsewhere finds its user signed in. No link leads to where refresh tokens are spent.
const ACCESS_ATTRIBUTES = "HttpOnly; Secure; SameSite=Lax";
const REFRESH_ATTRIBUTES = "HttpOnly; Secure; SameSite=Strict";
