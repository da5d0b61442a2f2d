/**
 * `latchkey/next`, for the App Router of Next.js 16. Nothing of Next is imported: it speaks Request, Response and Headers.
 * ```ts
 * // app/auth/[...path]/route.ts
 * export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = authRoutes(auth, { prefix: "/auth" });
 * // app/api/orders/route.ts
 * export const GET = requireAuth(auth)((request, who) => Response.json(ordersOf(who.userId)));
 * // app/page.tsx
 * const who = await currentAuth(auth, await headers());
 * // proxy.ts
 * export const proxy = signInProxy({ signInPath: "/login", except: ["/auth"] });
 * ```
 * What renders never rotates: a refresh happens where cookies can be set, in the route handlers. An engine may be given as a function that opens it:
 * `next build` loads every route, where there is neither a secret nor a database.
 */
import type { Auth } from "../auth.ts";
import { AuthError } from "../errors.ts";
import { createHandler, type HandlerOptions } from "../handler.ts";
import { ACCESS_COOKIE, type RequestHead, readCookie } from "../http/cookies.ts";
import {
  type Admitted,
  type ApplicationOf,
  createGuard,
  type Guarded,
  type GuardOptions,
  type GuardSource,
  type OnlyKnown,
  type RequestReader,
} from "../http/guard.ts";
import { toBase } from "../http/handler.ts";
import { requireAuth as requireAuthOf } from "./fetch.ts";

export type { Guarded, GuardOptions, GuardSource, TokenIdentity } from "../http/guard.ts";

/** An engine or a verifier, or what opens one when the first request comes. */
export type Opened<Source> = Source | (() => Source | Promise<Source>);

type RouteHandler = (request: Request) => Promise<Response>;

export interface RouteOptions extends HandlerOptions {
  /**
   * The `basePath` of next.config, where there is one: Next takes it off before a route handler sees the path, and cookies are set for the whole path, or
   * browsers do not bring them back. Default: none.
   */
  readonly basePath?: string;
}

/**
 * The endpoints as route handlers, for a catch-all route below `options.prefix`. HEAD Next makes of GET; PUT none of them takes, and says so with an Allow
 * header, which Next's own refusal has not (RFC 9110 §15.5.6).
 */
export function authRoutes(
  auth: Opened<Auth>,
  { basePath = "", ...options }: RouteOptions = {},
): Readonly<Record<"GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS", RouteHandler>> {
  const handler = prepare(auth, (opened) => createHandler(opened, options));
  const base = toBase(basePath, "basePath");
  const answer: RouteHandler = async (request) =>
    (await handler())(request, { host: request.headers.get("host") ?? undefined, base });
  return { GET: answer, POST: answer, PUT: answer, PATCH: answer, DELETE: answer, OPTIONS: answer };
}

/** Guards a route handler: it is called with the request (Next's own, where it says `NextRequest`), who sends it and what Next gives, and not at all when the request is refused. */
export function requireAuth<
  Source extends GuardSource,
  const Options extends GuardOptions<Request, ApplicationOf<Source>>,
>(source: Opened<Source>, options?: Options & OnlyKnown<Options, ApplicationOf<Source>>) {
  const guard = prepare(source, (opened) => requireAuthOf(opened, options));
  return <Received extends Request, Rest extends readonly unknown[]>(
    handler: (request: Received, who: Admitted<Source, Options>, ...rest: Rest) => Response | Promise<Response>,
  ) =>
    async (request: Received, ...rest: Rest): Promise<Response> =>
      (await guard())(handler)(request, ...rest);
}

/**
 * Makes what rests on a source: at once where it is here, and otherwise when it is first needed. An attempt that failed is made anew by the next request.
 */
function prepare<Source extends object, Made>(
  source: Opened<Source>,
  make: (opened: Source) => Made,
): () => Made | Promise<Made> {
  if (typeof source !== "function") {
    const made = make(source);
    return () => made;
  }
  let making: Promise<Made> | undefined;
  async function open(source: () => Source | Promise<Source>): Promise<Made> {
    try {
      return make(await source());
    } catch (error) {
      making = undefined;
      throw error;
    }
  }
  return () => {
    making ??= open(source);
    return making;
  };
}

type PageHeaders = Pick<Headers, "get">;

const READER: RequestReader<PageHeaders> = {
  authorization: (headers) => headers.get("authorization"),
  // A page's own URL is not among them, and no page takes a token from it.
  url: () => "",
  head: (headers) => new HeadersHead(headers),
};

/**
 * Who sees a page, for server components: from the headers of the request that is rendered for.
 * @param headers what `await headers()` of "next/headers" gives.
 * @returns `undefined` for nobody, an expired or a bad token alike: a page that is rendered can't refresh. The browser's client does, and asks again.
 * @throws AuthError only where nobody can say (503).
 */
export async function currentAuth<Source extends GuardSource>(
  source: Opened<Source>,
  headers: PageHeaders,
  options: Pick<GuardOptions<unknown, ApplicationOf<Source>>, "freshness" | "claims" | "roles"> = {},
): Promise<Guarded<Source> | undefined> {
  const opened = typeof source === "function" ? await source() : source;
  const guard = createGuard<PageHeaders>(opened, READER, { ...options, optional: true } as GuardOptions<PageHeaders>);
  try {
    return (await guard(headers)) as Guarded<Source> | undefined;
  } catch (error) {
    if (error instanceof AuthError && error.status < 500) return undefined;
    throw error;
  }
}

export interface SignInProxyOptions {
  /** Where who is not signed in is sent, with `?next=` and the path that was asked for. */
  readonly signInPath: string;
  /** Paths, with all below them, that anybody may see; "/" is the home page alone. `signInPath` and Next's own are always among them. */
  readonly except?: readonly string[];
}

/** What a proxy is given; of Next's `NextRequest` more than of a Request. */
type ProxyRequest = Request & { readonly nextUrl?: { readonly basePath: string } };

/**
 * An optimistic check for `proxy.ts`: who carries no credential at all is sent to sign in, everybody else goes on. It verifies nothing and protects
 * nothing; the pages and route handlers behind it do. All paths are the application's own, without the `basePath` of next.config.
 */
export function signInProxy({
  signInPath,
  except = [],
}: SignInProxyOptions): (request: ProxyRequest) => Response | undefined {
  const open = [signInPath, "/_next", "/favicon.ico", ...except].map((path) => path.replace(/\/+$/, ""));
  return (request) => {
    const { pathname: asked, search, origin } = new URL(request.url);
    const base = request.nextUrl?.basePath ?? "";
    const pathname = asked.slice(base.length) || "/";
    if (open.some((path) => pathname === (path || "/") || (path !== "" && pathname.startsWith(`${path}/`)))) {
      return undefined;
    }
    const head = new HeadersHead(request.headers);
    if (head.header("authorization") !== null || head.header("cookie")?.includes(`${ACCESS_COOKIE}=`)) return undefined;
    const target = new URL(base + signInPath, origin);
    target.searchParams.set("next", pathname + search);
    return Response.redirect(target, 307);
  };
}

/** The path that `signInProxy` has put into `?next=`, as Next's `redirect` takes it, when it is one of this site's; otherwise "/". */
export function nextPath(next: string | null | undefined): string {
  // "//evil.example" and "/\evil.example" are other sites to a browser.
  return next?.startsWith("/") && !/^\/[/\\]/.test(next) && ![...next].some((character) => character < " ")
    ? next
    : "/";
}

/** A page is read by GET, whatever its request was. */
class HeadersHead implements RequestHead {
  readonly method = "GET";
  readonly host = undefined;
  readonly #headers: Pick<Headers, "get">;

  constructor(headers: Pick<Headers, "get">) {
    this.#headers = headers;
  }

  header(name: string): string | null {
    return this.#headers.get(name);
  }
}

/** The access token that a page's request carries as a cookie, for fetches to other services on its behalf. */
export function accessTokenOf(headers: Pick<Headers, "get">): string | undefined {
  return readCookie(new HeadersHead(headers), ACCESS_COOKIE);
}
