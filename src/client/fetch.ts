/**
 * `client.fetch`: the platform's, with credentials, and only to where they belong.
 * The token goes to baseUrl's origin and those that were named, and never along with a redirect: those are not followed with it.
 */
import type { Authorized } from "./authorized.ts";
import { ClientError } from "./errors.ts";
import type { Held } from "./session.ts";

export interface FetchOptions {
  readonly baseUrl: string;
  readonly origins: readonly string[];
  readonly isCookie: boolean;
  readonly authorized: Authorized;
}

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

export function createFetch({ baseUrl, origins, isCookie, authorized }: FetchOptions): Fetch {
  const own = new URL(baseUrl).origin;
  const allowed = new Set([own, ...origins.map((origin) => new URL(origin).origin)]);

  function check(url: string): string {
    const { origin, href } = new URL(url, `${baseUrl}/`);
    if (allowed.has(origin)) return href;
    throw new TypeError(`client.fetch takes no credentials to ${origin}: name it in 'origins', or use fetch`);
  }

  async function send(url: string | Request, init: RequestInit, held: Held | undefined): Promise<Response> {
    if (isCookie) return fetch(url, { credentials: "include", ...init });
    const token = held?.accessToken;
    if (!token) return fetch(url, init);
    const authorization = `Bearer ${token}`;
    let { headers } = init;
    if (headers || typeof url !== "string") {
      headers = new Headers(headers ?? (url as Request).headers);
      // The caller's own counts.
      if (!headers.has("authorization")) headers.set("authorization", authorization);
    } else headers = { authorization };
    const redirect = init.redirect ?? (url as Request).redirect;
    const response = await fetch(url, { ...init, headers, redirect: redirect === "error" ? redirect : "manual" });
    const isRedirect =
      response.type === "opaqueredirect" ||
      (response.status > 300 && response.status < 400 && response.headers.has("location"));
    return isRedirect && redirect !== "manual" ? follow(url, init, headers) : response;
  }

  /** Where a redirect leads is found out without the token, which is sent there only if it belongs there. */
  async function follow(
    url: string | Request,
    init: RequestInit,
    headers: NonNullable<RequestInit["headers"]>,
  ): Promise<Response> {
    const method = init.method ?? (url as Request).method ?? "GET";
    if (/^(get|head)$/i.test(method)) {
      const bare = new Headers(headers);
      bare.delete("authorization");
      const found = await fetch(url, { ...init, headers: bare, credentials: "omit" });
      if (!allowed.has(new URL(found.url).origin)) return found;
      if (found.redirected) return fetch(found.url, { ...init, headers, redirect: "error" });
    }
    throw new ClientError(
      "redirected",
      `The server redirects ${method} ${(url as Request).url ?? url}: call the final address.`,
    );
  }

  return (input, init = {}) => {
    const isRequest = input instanceof Request;
    let url: string | Request;
    try {
      url = check(isRequest ? input.url : String(input));
    } catch (error) {
      return Promise.reject(error);
    }
    // A stream is read once, so what carries one can't be sent again.
    const isOnce = typeof ReadableStream === "function" && init.body instanceof ReadableStream;
    return authorized({
      send: (held) => send(isRequest ? input.clone() : (url as string), init, held),
      isRefused: ({ status }) => status === 401 && !isOnce,
      signal: init.signal ?? (isRequest ? input.signal : undefined),
    });
  };
}
