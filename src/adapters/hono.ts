/**
 * `latchkey/hono`, for Hono 4 on any runtime.
 * ```ts
 * app.use(authRoutes(auth));
 * app.get("/me", requireAuth(auth), (c) => c.json(c.var.auth.claims));
 * app.get("/quick", requireAuth(auth).around((c) => c.json(c.var.auth.claims)));
 * ```
 */
import type { Context, Env, Handler, Input, MiddlewareHandler, Next } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Auth } from "../auth.ts";
import { AuthError } from "../errors.ts";
import { createHandler, type HandlerOptions } from "../handler.ts";
import type { RequestHead } from "../http/cookies.ts";
import {
  type Admitted,
  type ApplicationOf,
  createGuard,
  type GuardOptions,
  type GuardSource,
  type OnlyKnown,
  type RequestReader,
} from "../http/guard.ts";
import { toProblem } from "../http/problem.ts";
import { isPromise } from "../promise.ts";
import { readAuthorizationHeader } from "./hono-on-node.ts";
import { isRewrittenByUrl, pathOf } from "./path.ts";

export type { Guarded, GuardOptions, GuardSource, TokenIdentity } from "../http/guard.ts";

/** Serves the endpoints, under `options.prefix`; any other path goes on to the next handler. */
export function authRoutes(auth: Auth, options?: HandlerOptions): MiddlewareHandler {
  const handle = createHandler(auth, options);
  return async (c, next) => {
    if (!handle.knows(c.req.path)) return next();
    // A path with dots in it has become another on its way through a URL; who filters paths in front of us saw it as it was.
    if (isRewrittenByUrl(pathOf(incomingOf(c)?.url ?? "/"))) return next();
    return handle(await withBody(c), { ip: incomingOf(c)?.socket?.remoteAddress });
  };
}

const READ_PAST_HONO = "latchkey: the body was read by c.req.raw before authRoutes; read it by c.req, which keeps it";

/**
 * The request, whose body somebody in front may have read: Hono keeps what was read by `c.req`.
 * @throws TypeError when it was read past Hono, and is gone.
 */
async function withBody({ req }: Context): Promise<Request> {
  if (!req.raw.bodyUsed) return req.raw;
  const body = await req.arrayBuffer().catch((cause: unknown) => {
    throw new TypeError(READ_PAST_HONO, { cause });
  });
  const { url, method, headers } = req.raw;
  return new Request(url, { method, headers, body });
}

const READER: RequestReader<Context> = {
  authorization: (c) => readAuthorizationHeader(c.req.raw),
  url: (c) => c.req.url,
  head: (c) => new HonoHead(c),
};

type Guarding<Who> = { readonly Variables: { readonly auth: Who } };

/** A guard before handlers, or around one. */
export type AuthMiddleware<Who> = MiddlewareHandler<{ Variables: { auth: Who } }> & {
  /**
   * Puts the guard around one handler instead of before it. Hono calls a handler that stands alone without composing anything, and composing costs
   * more than the guard: for routes where that counts.
   */
  around<E extends Env, P extends string, I extends Input, Answer extends ReturnType<Handler>>(
    handler: (c: Context<E & Guarding<Who>, P, I>, next: Next) => Answer,
  ): (c: Context<E, P, I>, next: Next) => Answer;
};

/** A refusal as Hono knows errors. The guard's own, an `AuthError` with `code` and `reason`, is its `cause`. */
class Refusal extends HTTPException {
  declare readonly cause: AuthError;

  constructor(cause: AuthError) {
    super(cause.status as ContentfulStatusCode, { message: cause.message, cause });
  }

  /** Made when it is asked for: a body can be sent once. */
  override getResponse(): Response {
    return toProblem(this.cause);
  }
}

function toHttpException(error: unknown): unknown {
  return error instanceof AuthError ? new Refusal(error) : error;
}

/** Lets pass who may, with `c.var.auth`. A refusal is thrown as an HTTPException, which `app.onError` sees, with the AuthError as its `cause`. */
export function requireAuth<
  Source extends GuardSource,
  const Options extends GuardOptions<Context, ApplicationOf<Source>>,
>(
  source: Source,
  options?: Options & OnlyKnown<Options, ApplicationOf<Source>>,
): AuthMiddleware<Admitted<Source, Options>> {
  const guard = createGuard<Context>(source, READER, options);
  // No promise but that of what comes after us: at Hono's own speed a promise is what costs most.
  function around(handler: GuardedHandler): GuardedHandler {
    return (c, next) => {
      let who: unknown;
      try {
        who = guard(c);
      } catch (error) {
        throw toHttpException(error);
      }
      if (isPromise(who)) return passLater(who, handler, c, next);
      c.set("auth", who);
      return handler(c, next);
    };
  }
  return Object.assign(around(goOn), { around }) as never;
}

type GuardedHandler = (c: Context, next: Next) => unknown;

const goOn: GuardedHandler = (_c, next) => next();

async function passLater(who: Promise<unknown>, handler: GuardedHandler, c: Context, next: Next): Promise<unknown> {
  let found: unknown;
  try {
    found = await who;
  } catch (error) {
    throw toHttpException(error);
  }
  c.set("auth", found);
  return handler(c, next);
}

class HonoHead implements RequestHead {
  readonly #context: Context;

  constructor(context: unknown) {
    this.#context = context as Context;
  }

  get method(): string {
    return this.#context.req.method;
  }

  get host(): string {
    return this.#context.req.raw.headers.get("host") ?? new URL(this.#context.req.url).host;
  }

  header(name: string): string | null {
    return this.#context.req.raw.headers.get(name);
  }
}

interface Incoming {
  readonly url?: string;
  readonly socket?: { readonly remoteAddress?: string };
}

/** Node's own request, where Hono runs on node. */
function incomingOf(c: Context): Incoming | undefined {
  return (c.env as { readonly incoming?: Incoming } | undefined)?.incoming;
}
