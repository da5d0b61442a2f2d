/**
 * `latchkey/fetch`: for runtimes that speak Request and Response (Bun, Deno, workers, service frameworks).
 * ```ts
 * const routes = authRoutes(auth, { prefix: "/auth" });
 * const profile = requireAuth(auth)((request, who) => Response.json(who.claims));
 * export default { fetch: (request) => (new URL(request.url).pathname === "/me" ? profile(request) : routes(request)) };
 * ```
 */
import type { Auth } from "../auth.ts";
import { createHandler, type Endpoints, type HandlerOptions } from "../handler.ts";
import {
  type Admitted,
  type ApplicationOf,
  createGuard,
  type GuardOptions,
  type GuardSource,
  type OnlyKnown,
  type RequestReader,
} from "../http/guard.ts";
import { isPromise } from "../promise.ts";
import { toRefusal, WebHead } from "./web-request.ts";

export type { Endpoints, HandlerOptions } from "../handler.ts";
export type { Guarded, GuardOptions, GuardSource, TokenIdentity } from "../http/guard.ts";

/** Serves the endpoints. `knows(path)` of what is returned tells which paths are theirs. */
export function authRoutes(auth: Auth, options?: HandlerOptions): Endpoints {
  return createHandler(auth, options);
}

const READER: RequestReader<Request> = {
  authorization: ({ headers }) => headers.get("authorization"),
  url: ({ url }) => url,
  head: (request) => new WebHead(request),
};

/**
 * Guards a handler: it is called with the request and who sends it, and not at all when the request is refused. The handler may name a request of its
 * runtime's own kind, as it is called with the very one that came.
 */
export function requireAuth<
  Source extends GuardSource,
  const Options extends GuardOptions<Request, ApplicationOf<Source>>,
>(source: Source, options?: Options & OnlyKnown<Options, ApplicationOf<Source>>) {
  type Who = Admitted<Source, Options>;
  const guard = createGuard<Request>(source, READER, options);
  return <Received extends Request, Rest extends readonly unknown[]>(
    handler: (request: Received, who: Who, ...rest: Rest) => Response | Promise<Response>,
  ) =>
    async (request: Received, ...rest: Rest): Promise<Response> => {
      let who: unknown;
      try {
        who = guard(request);
        if (isPromise(who)) who = await who;
      } catch (error) {
        return toRefusal(error);
      }
      return handler(request, who as Who, ...rest);
    };
}
