/**
 * `client.fetch`: the platform's, with credentials that are good, and only to where they belong.
 * They are renewed ahead of expiry, and once when they are refused all the same: a 401 means that nothing was done, so the
 * request may be sent again. The token goes to baseUrl's origin and those that were named. Where a redirect leads to another
 * origin, the platform takes the header off (Fetch Standard, HTTP-redirect fetch: Node, and browsers since 2023).
 */
import { now } from "./clock.ts";
import type { Held, Session } from "./session.ts";

/** The share of its life, the last, in which a token is renewed on the side. */
const AHEAD = 0.1;

export interface FetchOptions {
  readonly baseUrl: string;
  readonly origins: readonly string[];
  readonly isCookie: boolean;
  readonly session: Session;
  readonly ready: Promise<void>;
}

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Waits for tokens only where there are none that are good. */
export async function renewIfDue({ held, refresh }: Session, signal?: AbortSignal | null): Promise<void> {
  if (!held) return;
  const left = held.expiresAt - now();
  if (left <= 0) await unlessAborted(refresh(), signal);
  else if (left < held.expires_in * AHEAD) refresh().catch(() => {});
}

export function createFetch({ baseUrl, origins, isCookie, session, ready }: FetchOptions): Fetch {
  const allowed = [baseUrl, ...origins].map((url) => new URL(url).origin);
  /** Refused although it was new when it was sent: who refuses that refuses all, and new ones are no help. */
  let hopeless: Held | undefined;

  return async (input, init = {}) => {
    const request = input instanceof Request ? input : undefined;
    const { origin, href } = new URL(request?.url ?? (input as string), `${baseUrl}/`);
    if (!allowed.includes(origin)) {
      throw new TypeError(`No credentials go to ${origin}: add it to 'origins'`);
    }
    await ready;
    const signal = init.signal ?? request?.signal;
    await renewIfDue(session, signal);
    let isNew = false;
    for (;;) {
      const used = session.held;
      const headers = new Headers(init.headers ?? request?.headers);
      // The caller's own counts.
      if (used?.access_token && !headers.has("authorization")) {
        headers.set("authorization", `Bearer ${used.access_token}`);
      }
      const response = await fetch(request?.clone() ?? href, {
        ...(isCookie && { credentials: "include" }),
        ...init,
        headers,
      });
      if (
        response.status !== 401 ||
        !used ||
        used === hopeless ||
        // A stream is read once: what carries one can't be sent again.
        init.body instanceof ReadableStream ||
        // That is no fault of the token's.
        /wrong_password/.test(await response.clone().text())
      ) {
        return response;
      }
      if (isNew) {
        hopeless = used;
        return response;
      }
      if (session.held === used) isNew = await unlessAborted(session.refresh(), signal);
      // Never sent again in another user's name.
      if (session.held?.session_id !== used.session_id) return response;
    }
  };
}

/** Stops waiting, not what is waited for: others may wait for it too. */
const unlessAborted = <T>(promise: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> =>
  Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      signal?.throwIfAborted();
      signal?.addEventListener("abort", () => reject(signal.reason));
    }),
  ]);
