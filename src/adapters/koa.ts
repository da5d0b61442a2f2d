/**
 * `latchkey/koa`, for Koa 3.
 * ```ts
 * app.use(authRoutes(auth));
 * app.use(requireAuth(auth)); // from here on
 * app.use((context) => { context.body = context.state.auth.claims; });
 * ```
 */
import type { Context, Middleware, ParameterizedContext } from "koa";
import type { Auth } from "../auth.ts";
import type { HandlerOptions } from "../handler.ts";
import {
  type Admitted,
  type ApplicationOf,
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
import { createNodeRoutes, takenOff } from "./node-routes.ts";

export type { Guarded, GuardOptions, GuardSource, HttpError, TokenIdentity } from "../http/guard.ts";

/** Serves the endpoints, under `options.prefix`; any other path goes on to the next middleware. */
export function authRoutes(auth: Auth, options?: HandlerOptions): Middleware {
  const routes = createNodeRoutes(auth, options);
  return async (context, next) => {
    if (!routes.knows(context.path)) return next();
    // The answer is written to node's own response.
    context.respond = false;
    const incoming = context.req as typeof context.req & { body?: unknown };
    incoming.body ??= (context.request as { body?: unknown }).body;
    // For koa-mount, which takes off the path that it mounts at.
    await routes.answer(incoming, context.res, takenOff({ originalUrl: context.originalUrl, url: context.url }));
  };
}

/** The middleware of a guard: what comes after it finds `context.state.auth`. */
export type AuthMiddleware<Who> = (
  context: ParameterizedContext<{ auth: Who }>,
  next: () => Promise<unknown>,
) => Promise<unknown>;

const READER: RequestReader<Context> = {
  authorization: ({ req }) => authorizationOf(req),
  url: ({ req }) => req.url ?? "",
  head: ({ req }) => new NodeHead(req),
};

/** Lets pass who may, with `context.state.auth`. A refusal is thrown as Koa expects it: `status`, `headers` with the challenge, `expose`. */
export function requireAuth<
  Source extends GuardSource,
  const Options extends GuardOptions<Context, ApplicationOf<Source>>,
>(
  source: Source,
  options?: Options & OnlyKnown<Options, ApplicationOf<Source>>,
): AuthMiddleware<Admitted<Source, Options>> {
  const guard = createGuard<Context>(source, READER, options);
  // Not an async function: the promise that Koa waits for is that of what comes after us.
  return (context, next) => {
    let who: unknown;
    try {
      who = guard(context as unknown as Context);
    } catch (error) {
      return Promise.reject(refusalOf(error, context));
    }
    if (isPromise(who)) return passLater(who, context, next);
    (context.state as { auth?: unknown }).auth = who;
    return next();
  };
}

type GuardedContext = Pick<ParameterizedContext, "set"> & { readonly state: { auth?: unknown } };

async function passLater(
  who: Promise<unknown>,
  context: GuardedContext,
  next: () => Promise<unknown>,
): Promise<unknown> {
  try {
    context.state.auth = await who;
  } catch (error) {
    throw refusalOf(error, context);
  }
  return next();
}

function refusalOf(error: unknown, context: GuardedContext): unknown {
  return toHttpError(error, (name, value) => context.set(name, value));
}
