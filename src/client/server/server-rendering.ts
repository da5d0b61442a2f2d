/**
 * Server-side rendering over the cookies of the client.
 * Reading never rotates: whoever renders a page can't be sure that its cookies arrive, and a rotation whose answer is lost in a page
 * that nobody received looks like theft later. A refresh happens in one place, `forwardToAuth`, whose answer carries the cookies. The
 * browser helps: it sends the refresh cookie to the token paths alone, so what renders a page never even sees it.
 */
import { readBaseUrl } from "../base-url.ts";
import { readUser as readUserAnswer } from "../server-calls.ts";
import type { User } from "../types.ts";

export interface ServerOptions {
  /** Where the auth server is, as this server reaches it. */
  readonly baseUrl: string;
  /** Milliseconds until a page is rendered without knowing. Default 2,000. */
  readonly timeout?: number;
}

const ACCESS_COOKIE = "__Host-latchkey_access";
const AUTH_PATHS = /^\/v1\/users(?:\/|$)/;
/** What the auth server needs to judge a request as if it had come directly. */
const FORWARDED = [
  "authorization",
  "content-type",
  "cookie",
  "latchkey-transport",
  "origin",
  "sec-fetch-site",
  "user-agent",
  "x-forwarded-for",
];
const RETURNED = ["cache-control", "content-type", "retry-after", "www-authenticate"];

/**
 * Who asks for a page: for `initialUser`.
 * @returns `undefined` when that is not known: no access cookie (it lives as long as the token), one that has expired, or an auth
 * server that does not answer. The browser finds out then; render neither a login nor somebody's page.
 */
export async function readUser(
  { headers }: { readonly headers: Headers },
  { baseUrl, timeout = 2_000 }: ServerOptions,
): Promise<User | undefined> {
  const url = `${readBaseUrl(baseUrl)}/v1/users/me`;
  const token = readCookie(headers.get("cookie") ?? "", ACCESS_COOKIE);
  if (token === undefined) return undefined;
  try {
    const response = await fetch(url, {
      headers: { authorization: `Bearer ${token}` },
      redirect: "error",
      signal: AbortSignal.timeout(timeout),
    });
    return response.ok ? readUserAnswer(await response.json()) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Passes a request for the auth server's paths on and its answer, cookies and all, back: for applications whose browsers do not
 * reach the auth server itself. Mount it where it was asked for: `/v1/users/*`.
 * @returns `undefined` for a path that is none of the auth server's.
 */
export async function forwardToAuth(request: Request, { baseUrl }: ServerOptions): Promise<Response | undefined> {
  const { pathname, search } = new URL(request.url);
  if (!AUTH_PATHS.test(pathname)) return undefined;
  const hasBody = request.method !== "GET" && request.method !== "HEAD";
  const answer = await fetch(readBaseUrl(baseUrl) + pathname + search, {
    method: request.method,
    headers: pick(request.headers, FORWARDED),
    ...(hasBody && { body: await request.arrayBuffer() }),
    redirect: "manual",
    // A browser that has gone takes its refresh along: no rotation for nobody.
    signal: request.signal,
  });
  const headers = pick(answer.headers, RETURNED);
  for (const cookie of answer.headers.getSetCookie()) headers.append("set-cookie", cookie);
  return new Response(answer.body, { status: answer.status, headers });
}

function pick(headers: Headers, names: readonly string[]): Headers {
  const picked = new Headers();
  for (const name of names) {
    const value = headers.get(name);
    if (value !== null) picked.set(name, value);
  }
  return picked;
}

/** The value of a cookie; `undefined` where it is not there, or there twice with different values. */
function readCookie(header: string, name: string): string | undefined {
  const values = header
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return new Set(values).size === 1 ? values[0] || undefined : undefined;
}
