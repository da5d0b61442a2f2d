/**
 * `latchkey/node`: for bare node:http.
 * ```ts
 * const routes = authRoutes(auth);
 * const profile = requireAuth(auth)((request, response) => response.end(`user ${request.auth.userId}`));
 * createServer((request, response) => (request.url === "/me" ? profile(request, response) : routes(request, response)));
 * ```
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Auth } from "../auth.ts";
import { AuthError } from "../errors.ts";
import type { HandlerOptions } from "../handler.ts";
import {
  type Admitted,
  type ApplicationOf,
  createGuard,
  type GuardOptions,
  type GuardSource,
  type OnlyKnown,
  type RequestReader,
} from "../http/guard.ts";
import { authorizationOf } from "../http/node-authorization.ts";
import { describeProblem } from "../http/problem.ts";
import { isPromise } from "../promise.ts";
import { NodeHead } from "./node-request.ts";
import { createNodeRoutes } from "./node-routes.ts";
import { pathOf } from "./path.ts";

export type { Guarded, GuardOptions, GuardSource, TokenIdentity } from "../http/guard.ts";

/** Serves the endpoints. What is none of theirs goes to `next`, or is 404 where there is none. */
export function authRoutes(auth: Auth, options?: HandlerOptions) {
  const routes = createNodeRoutes(auth, options);
  return (request: IncomingMessage, response: ServerResponse, next?: () => void): void => {
    if (next === undefined || routes.knows(pathOf(request.url ?? "/"))) void routes.answer(request, response);
    else next();
  };
}

const READER: RequestReader<IncomingMessage> = {
  authorization: authorizationOf,
  url: ({ url }) => url ?? "",
  head: (request) => new NodeHead(request),
};

/** A request that has passed the guard. */
export type Authenticated<Who> = IncomingMessage & { readonly auth: Who };

/**
 * Guards a listener: it is called with `request.auth`, and not at all when the request is refused.
 * @throws TypeError for an option that can't be meant.
 */
export function requireAuth<
  Source extends GuardSource,
  const Options extends GuardOptions<IncomingMessage, ApplicationOf<Source>>,
>(source: Source, options?: Options & OnlyKnown<Options, ApplicationOf<Source>>) {
  type Who = Admitted<Source, Options>;
  const guard = createGuard<IncomingMessage>(source, READER, options);
  return (listener: (request: Authenticated<Who>, response: ServerResponse) => unknown) => {
    // No function is made for a request unless its answer has to be waited for.
    function pass(who: unknown, request: IncomingMessage, response: ServerResponse): void {
      (request as { auth?: unknown }).auth = who;
      void listener(request as Authenticated<Who>, response);
    }
    function passLater(who: Promise<unknown>, request: IncomingMessage, response: ServerResponse): void {
      who.then(
        (found) => pass(found, request, response),
        (error) => refuse(response, error),
      );
    }
    return (request: IncomingMessage, response: ServerResponse): void => {
      let who: unknown;
      try {
        who = guard(request);
      } catch (error) {
        refuse(response, error);
        return;
      }
      if (isPromise(who)) passLater(who, request, response);
      else pass(who, request, response);
    };
  };
}

/**
 * Judges a request that has no response, such as an upgrade to a WebSocket.
 * @returns a function of a request that gives who sends it, and rejects with AuthError. A cookie counts only from our own pages and allowed origins.
 * @throws TypeError for an option that can't be meant.
 */
export function authenticateRequest<
  Source extends GuardSource,
  const Options extends GuardOptions<IncomingMessage, ApplicationOf<Source>>,
>(
  source: Source,
  options?: Options & OnlyKnown<Options, ApplicationOf<Source>>,
): (request: IncomingMessage) => Promise<Admitted<Source, Options>> {
  const guard = createGuard<IncomingMessage>(source, READER, options);
  return async (request) => guard(request) as Admitted<Source, Options>;
}

/** What is no refusal (an authenticator of the application's that failed) is 500 and a warning: thrown from here it would end the process. */
function refuse(response: ServerResponse, error: unknown): void {
  if (!(error instanceof AuthError)) process.emitWarning(error instanceof Error ? error : String(error));
  const refusal = error instanceof AuthError ? error : new AuthError("internal", { cause: error });
  const { status, headers, body } = describeProblem(refusal);
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
}
