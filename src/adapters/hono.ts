/**
 * `latchkey/hono`, for Hono 4 on any runtime.
 * ```ts
 * app.use(authRoutes(auth));
 * app.get("/me", requireAuth(auth), (c) => c.json(c.var.auth.claims));
 * ```
 */
import type { Context, MiddlewareHandler, Next } from "hono";
import type { Auth } from "../auth.ts";
import { createHandler, type HandlerOptions } from "../handler.ts";
import type { RequestHead } from "../http/cookies.ts";
import { type Admitted, type ApplicationOf, createGuard, type GuardOptions, type GuardSource } from "../http/guard.ts";
import { refusalWithResponse } from "./web-request.ts";

export type { Guarded, GuardOptions, GuardSource, TokenIdentity } from "../http/guard.ts";

/** Serves the endpoints, under `options.prefix`; any other path goes on to the next handler. */
export function authRoutes(auth: Auth, options?: HandlerOptions): MiddlewareHandler {
  const handle = createHandler(auth, options);
  return async (c, next) => {
    if (!handle.knows(c.req.path)) return next();
    return handle(c.req.raw, { ip: addressOf(c) });
  };
}

/** Lets pass who may, with `c.var.auth`. A refusal is thrown as Hono expects it: an error with `getResponse`, which `app.onError` sees. */
export function requireAuth<
  Source extends GuardSource,
  const Options extends GuardOptions<Context, ApplicationOf<Source>>,
>(
  source: Source,
  options?: Options,
): MiddlewareHandler<{
  Variables: { auth: Admitted<Source, Options> };
}> {
  const guard = createGuard<Context>(source, options);
  // Not an async function: the promise that Hono waits for is that of what comes after us.
  return (c, next) => {
    let who: unknown;
    try {
      who = guard(new HonoHead(c), c.req.url, c as unknown as Context);
    } catch (error) {
      return Promise.reject(refusalWithResponse(error));
    }
    if (who instanceof Promise) return passLater(who, c as unknown as Context, next);
    c.set("auth", who as never);
    return next();
  };
}

async function passLater(who: Promise<unknown>, c: Context, next: Next): Promise<void> {
  let found: unknown;
  try {
    found = await who;
  } catch (error) {
    throw refusalWithResponse(error);
  }
  c.set("auth", found as never);
  await next();
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

/** The peer's address, where Hono runs on node. */
function addressOf(c: Context): string | undefined {
  const { incoming } = (c.env ?? {}) as { incoming?: { socket?: { remoteAddress?: string } } };
  return incoming?.socket?.remoteAddress;
}
