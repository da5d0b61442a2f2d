/**
 * `latchkey/express`, for Express 5.
 * ```ts
 * app.use(authRoutes(auth)); // or app.use("/auth", authRoutes(auth))
 * app.get("/me", requireAuth(auth), (request, response) => response.json(authOf(request).claims));
 * ```
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { NextFunction, Request, RequestHandler, Response } from "express";
import type { Auth, Identity } from "../auth.ts";
import type { HandlerOptions } from "../handler.ts";
import {
  type Admitted,
  type Admitting,
  type ApplicationOf,
  admitted,
  admitting,
  createGuard,
  type GuardOptions,
  type GuardSource,
  type OnlyKnown,
  type RequestReader,
  toHttpError,
} from "../http/guard.ts";
import { authorizationOf } from "../http/node-authorization.ts";
import { isPromise } from "../promise.ts";
import { NodeHead } from "./node-request.ts";
import { createNodeRoutes } from "./node-routes.ts";

export type { Guarded, GuardOptions, GuardSource, HttpError, TokenIdentity } from "../http/guard.ts";

/** Serves the endpoints below where it is mounted; any other path goes on to the next handler. A body parser may stand before it. */
export function authRoutes(auth: Auth, options?: HandlerOptions): RequestHandler {
  const routes = createNodeRoutes(auth, options);
  return (request, response, next) => {
    if (!routes.knows(request.path)) return next();
    routes.answer(request, response, request.baseUrl).catch(next);
  };
}

const READER: RequestReader<Request> = {
  authorization: authorizationOf,
  url: ({ originalUrl }) => originalUrl,
  head: (request) => new NodeHead(request),
};

/** A handler that leaves the types of what comes after it alone: Express still reads a path's parameters off the path. */
export type AuthHandler = (request: IncomingMessage, response: ServerResponse, next: NextFunction) => void;

/**
 * Lets pass who may, with `request.auth`. A refusal goes to `next` as Express expects it: `error.status`, `error.code`, and `error.headers` with the
 * challenge, which Express' own error handler answers with.
 */
export function requireAuth<
  Source extends GuardSource,
  const Options extends GuardOptions<Request, ApplicationOf<Source>>,
>(
  source: Source,
  options?: Options & OnlyKnown<Options, ApplicationOf<Source>>,
): AuthHandler & Admitting<Admitted<Source, Options>> {
  const guard = createGuard<Request>(source, READER, options);
  const handler: RequestHandler = (request, response, next) => {
    let who: unknown;
    try {
      who = guard(request);
    } catch (error) {
      return refuse(error, response, next);
    }
    if (isPromise(who)) return passLater(who, request, response, next);
    (request as { auth?: unknown }).auth = who;
    next();
  };
  return admitting(handler as AuthHandler, options);
}

/** Apart, so that no function is made for a request whose answer is there at once. */
function passLater(who: Promise<unknown>, request: Request, response: Response, next: NextFunction): void {
  who.then(
    (found) => {
      (request as { auth?: unknown }).auth = found;
      next();
    },
    (error) => refuse(error, response, next),
  );
}

function refuse(error: unknown, response: Response, next: NextFunction): void {
  next(toHttpError(error, (name, value) => response.setHeader(name, value)));
}

/** Whatever its parameters, body and query are. */
type AnyRequest = Pick<Request, "originalUrl">;

/**
 * Who sends a request that has passed `requireAuth`.
 * @param guard what `requireAuth` returned: the answer has the type of whom that lets pass, application claims included, and `undefined` where it is
 *   optional. Without it the type is yours to name.
 * @throws TypeError when no guard stands before the handler, so that a route which lost its guard fails instead of serving everybody.
 */
export function authOf<Who>(request: AnyRequest, guard: Admitting<Who>): Who;
export function authOf<Who = Identity>(request: AnyRequest): Who;
export function authOf(request: AnyRequest, guard?: Admitting<unknown>): unknown {
  return admitted((request as { auth?: unknown }).auth, guard);
}
