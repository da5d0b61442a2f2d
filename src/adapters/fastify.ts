/**
 * `latchkey/fastify`, for Fastify 5.
 * ```ts
 * await app.register(authRoutes(auth), { prefix: "/auth" });
 * app.get("/me", { onRequest: requireAuth(auth) }, (request) => authOf(request).claims);
 * ```
 */
import type { IncomingHttpHeaders } from "node:http";
import type {
  FastifyInstance,
  FastifyPluginCallback,
  FastifyReply,
  FastifyRequest,
  onRequestHookHandler,
} from "fastify";
import type { Auth, Identity } from "../auth.ts";
import { createHandler, type HandlerOptions } from "../handler.ts";
import { BODY_LIMIT } from "../http/body.ts";
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
import { toBase } from "../http/handler.ts";
import { authorizationOf } from "../http/node-authorization.ts";
import { isPromise } from "../promise.ts";
import { NodeHead } from "./node-request.ts";

export type { Guarded, GuardOptions, GuardSource, HttpError, TokenIdentity } from "../http/guard.ts";

/** All that Fastify knows: what a path does not answer to is 405 by us and not 404 by Fastify. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/**
 * A plugin with the endpoints, under the `prefix` that it is registered with, or else that of its options. Their body parser and their error handling stay
 * inside it; only the decoration of requests (`request.auth`) is left to the application around it.
 */
export function authRoutes(auth: Auth, options: HandlerOptions = {}): FastifyPluginCallback<{ prefix?: string }> {
  const plugin: FastifyPluginCallback<{ prefix?: string }> = (app, { prefix = options.prefix ?? "" }, done) => {
    if (!app.hasRequestDecorator("auth")) app.decorateRequest("auth", null as never);
    app.register((routes, _options, ready) => mount(routes, auth, options, ready), { prefix: toBase(prefix) });
    done();
  };
  // As fastify-plugin does it: what is decorated here is seen by whoever registered us.
  return Object.assign(plugin, {
    [Symbol.for("skip-override")]: true,
    [Symbol.for("fastify.display-name")]: "latchkey",
  });
}

function mount(app: FastifyInstance, auth: Auth, options: HandlerOptions, done: () => void): void {
  const handle = createHandler(auth, { ...options, prefix: app.prefix });
  // One byte more than the endpoints take, so that they refuse in their own words what is over; Fastify does what is far over.
  const bodyLimit = Math.max(app.initialConfig.bodyLimit ?? 0, (options.bodyLimit ?? BODY_LIMIT) + 1);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit }, (_request, body, parsed) => parsed(null, body));

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { method, raw, ip, host } = request;
    const headers = new Headers();
    // As they came: of two Authorization headers Node's own collection keeps the first and says nothing of the other.
    for (let i = 0; i < raw.rawHeaders.length; i += 2) {
      const [name = "", value = ""] = raw.rawHeaders.slice(i, i + 2);
      if (!name.startsWith(":")) headers.append(name, value);
    }
    headers.delete("content-length");
    headers.delete("transfer-encoding");
    const body = request.body as Buffer | undefined;
    const gone = new AbortController();
    reply.raw.once("close", () => gone.abort());
    const response = await handle(
      new Request(new URL(raw.url ?? "/", "http://localhost"), {
        method,
        headers,
        signal: gone.signal,
        ...(body !== undefined && method !== "GET" && method !== "HEAD" && { body: new Uint8Array(body) }),
      }),
      { ip: raw.socket.remoteAddress ?? ip, host },
    );
    reply.code(response.status);
    for (const [name, value] of response.headers) {
      if (name === "vary" && reply.hasHeader("vary")) reply.header(name, `${reply.getHeader("vary")}, ${value}`);
      else if (name !== "set-cookie") reply.header(name, value);
    }
    for (const cookie of response.headers.getSetCookie()) reply.header("set-cookie", cookie);
    reply.send(response.body === null ? undefined : Buffer.from(await response.arrayBuffer()));
  }

  for (const path of handle.paths) {
    for (const url of [path, `${path}/`]) {
      app.route({ method: [...METHODS], url, exposeHeadRoute: false, handler: answer });
    }
  }
  done();
}

const READER: RequestReader<FastifyRequest> = {
  authorization: ({ raw }) => authorizationOf(raw),
  url: ({ raw }) => raw.url ?? "",
  head: ({ raw }) => new NodeHead(raw),
};

/** Of any Fastify: with a logger of the application's, a type provider, or HTTP/2. */
type AnyRequest = { readonly raw: { readonly headers: IncomingHttpHeaders; readonly rawHeaders: string[] } };
export type AuthHook = (request: AnyRequest, reply: unknown, done: (error?: Error) => void) => void;

/**
 * A hook that lets pass who may, with `request.auth`. A refusal is thrown as Fastify expects it: `statusCode`, `code`, and `headers` with the challenge,
 * which Fastify's own error handler answers with.
 */
export function requireAuth<
  Source extends GuardSource,
  const Options extends GuardOptions<FastifyRequest, ApplicationOf<Source>>,
>(
  source: Source,
  options?: Options & OnlyKnown<Options, ApplicationOf<Source>>,
): AuthHook & Admitting<Admitted<Source, Options>> {
  const guard = createGuard<FastifyRequest>(source, READER, options);
  const handler: onRequestHookHandler = (request, reply, done) => {
    let who: unknown;
    try {
      who = guard(request);
    } catch (error) {
      return refuse(error, reply, done);
    }
    if (isPromise(who)) return passLater(who, request, reply, done);
    (request as { auth?: unknown }).auth = who;
    done();
  };
  return admitting(handler as AuthHook, options);
}

/** Apart, so that no function is made for a request whose answer is there at once. */
function passLater(who: Promise<unknown>, request: FastifyRequest, reply: FastifyReply, done: Done): void {
  who.then(
    (found) => {
      (request as { auth?: unknown }).auth = found;
      done();
    },
    (error) => refuse(error, reply, done),
  );
}

type Done = (error?: Error) => void;

function refuse(error: unknown, reply: FastifyReply, done: Done): void {
  done(toHttpError(error, (name, value) => reply.header(name, value)) as Error);
}

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
