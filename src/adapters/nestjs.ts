/**
 * `latchkey/nestjs`, for NestJS 11 and 12, on Express or on Fastify.
 * ```ts
 * @Module({ imports: [AuthModule.forRoot(auth, { prefix: "auth" })], providers: [{ provide: APP_GUARD, useClass: AuthGuard }] })
 * class AppModule {}
 *
 * @Get("me") me(@CurrentAuth() who: Identity) { return { id: who.userId }; }
 * @Public() @Get("hello") hello() { return "hello"; }
 * ```
 * The guard asks Nest for what it judges by (`AUTH_GUARD_SOURCE`), so a test replaces either.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type CanActivate,
  createParamDecorator,
  type DynamicModule,
  type ExecutionContext,
  type FactoryProvider,
  HttpException,
  Inject,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type Provider,
  SetMetadata,
  type Type,
} from "@nestjs/common";
import { Reflector } from "@nestjs/core";
import type { Auth, Identity } from "../auth.ts";
import { AuthError } from "../errors.ts";
import type { HandlerOptions } from "../handler.ts";
import {
  type ApplicationOf,
  createGuard,
  type Guard,
  type GuardOptions,
  type GuardSource,
  type RequestReader,
} from "../http/guard.ts";
import { authorizationOf } from "../http/node-authorization.ts";
import { describeProblem, refusalHeaders } from "../http/problem.ts";
import { isPromise } from "../promise.ts";
import { NodeHead } from "./node-request.ts";
import { createNodeRoutes } from "./node-routes.ts";
import { pathOf } from "./path.ts";

export type { Guarded, GuardOptions, GuardSource, TokenIdentity } from "../http/guard.ts";

/** What the guard asks: an engine or a verifier. Override this provider in tests. */
export const AUTH_GUARD_SOURCE = Symbol("latchkey: what guards ask");

const OPTIONS_KEY = "latchkey:guard";
const PUBLIC_KEY = "latchkey:public";

/**
 * Marks a handler or a controller that needs no credential; whoever has a good one is known all the same. What stands at a handler counts, and what stands
 * at its controller only where the handler has neither `@Public()` nor `@RequireAuth()`; one that has both is not public.
 */
export const Public = () => SetMetadata(PUBLIC_KEY, true);

/** What a handler or a controller asks for beyond a good token: `@RequireAuth({ roles: ["staff"] })`, under `AuthGuard`. */
export const RequireAuth = (options: GuardOptions<IncomingMessage>) => SetMetadata(OPTIONS_KEY, options);

/** Who sends the request, over HTTP or GraphQL; `undefined` on a public handler that nobody's credential came to. */
export const CurrentAuth: (...pipes: Type[]) => ParameterDecorator = createParamDecorator(
  (_data: unknown, context: ExecutionContext): unknown => requestOf(context).auth,
);

type NestRequest = IncomingMessage & { auth?: unknown; originalUrl?: string };

/** What a guard needs of a request; of a socket's handshake there may be no more. */
export type GuardedRequest = Pick<IncomingMessage, "headers"> & { auth?: unknown };

/** On Fastify a request is one of its own around node's. */
function incomingOf(request: NestRequest & { readonly raw?: IncomingMessage }): IncomingMessage {
  return request.rawHeaders === undefined && request.raw !== undefined ? request.raw : request;
}

const READER: RequestReader<NestRequest> = {
  authorization: (request) => authorizationOf(incomingOf(request)),
  url: ({ originalUrl, url }) => originalUrl ?? url ?? "",
  head: (request) => new NodeHead(incomingOf(request)),
};

/** Lets pass who may, with `request.auth`. A refusal is an HttpException with the problem as its body. */
export class AuthGuard implements CanActivate {
  readonly #source: GuardSource;
  readonly #reflector: Reflector;
  /** By the options that stand at the handler, so that each policy is compiled once. */
  readonly #guards = new Map<GuardOptions<IncomingMessage>, Guard<NestRequest>>();
  /** By handler and the class that it is called on: what their decorators say does not change, and looking it up costs more than judging a token. */
  readonly #known = new WeakMap<object, WeakMap<object, Guard<NestRequest>>>();

  constructor(source: GuardSource, reflector: Reflector) {
    this.#source = source;
    this.#reflector = reflector;
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    return admit(
      this.#guardOf(context.getHandler(), context.getClass()),
      context,
      this.getRequest(context) as NestRequest,
    );
  }

  /** The request of a context. HTTP and GraphQL (`{ req }` in its context) are known; override it for others, such as a socket's handshake. */
  protected getRequest(context: ExecutionContext): GuardedRequest {
    return requestOf(context);
  }

  #guardOf(handler: ReturnType<ExecutionContext["getHandler"]>, controller: Type): Guard<NestRequest> {
    let byController = this.#known.get(handler);
    if (byController === undefined) {
      byController = new WeakMap();
      this.#known.set(handler, byController);
    }
    let guard = byController.get(controller);
    if (guard === undefined) {
      guard = this.#readGuard([handler, controller]);
      byController.set(controller, guard);
    }
    return guard;
  }

  #readGuard(targets: readonly Parameters<Reflector["get"]>[1][]): Guard<NestRequest> {
    const options = this.#readOptions(targets);
    let guard = this.#guards.get(options);
    if (guard === undefined) {
      guard = createGuard<NestRequest>(this.#source, READER, options);
      this.#guards.set(options, guard);
    }
    return guard;
  }

  /** The nearest decorator decides alone: what is asked for at a handler is not loosened by its controller, and what is public there asks for nothing. */
  #readOptions(targets: readonly Parameters<Reflector["get"]>[1][]): GuardOptions<IncomingMessage> {
    for (const target of targets) {
      const options = this.#reflector.get<GuardOptions<IncomingMessage> | undefined>(OPTIONS_KEY, target);
      if (options !== undefined) return options;
      if (this.#reflector.get<boolean | undefined>(PUBLIC_KEY, target) === true) return OPEN;
    }
    return USUAL;
  }
}

const OPEN: GuardOptions<IncomingMessage> = Object.freeze({ optional: true });
const USUAL: GuardOptions<IncomingMessage> = Object.freeze({});

// What `@Injectable()` and `@Inject()` would do: our source holds nothing that has to be compiled.
Injectable()(AuthGuard);
Inject(AUTH_GUARD_SOURCE)(AuthGuard, undefined, 0);
Inject(Reflector)(AuthGuard, undefined, 1);

/** A guard of its own for one controller or handler: `@UseGuards(requireAuth(verifier, { roles: ["staff"] }))`. */
export function requireAuth<Source extends GuardSource>(
  source: Source,
  options?: GuardOptions<IncomingMessage, ApplicationOf<Source>>,
): CanActivate {
  const guard = createGuard<NestRequest>(source, READER, options);
  return { canActivate: (context) => admit(guard, context, requestOf(context)) };
}

/**
 * The request of a context. `switchToHttp` makes three functions and copies them onto the context each time it is called; where they would look is looked
 * at directly. A context that a test made by hand may have nothing but that one method.
 * @throws TypeError for a context that has no request with headers: what can't be judged is not let pass.
 */
function requestOf(context: ExecutionContext): NestRequest {
  const type = context.getType?.<string>() ?? "http";
  // Of a GraphQL resolver the first argument is the object around the field, and what that holds is no request.
  const found: NestRequest | null | undefined =
    type === "graphql"
      ? context.getArgByIndex<{ req?: NestRequest } | undefined>(2)?.req
      : (context.getArgByIndex?.(0) ?? context.switchToHttp().getRequest());
  if (found?.headers !== undefined) return found;
  throw new TypeError(
    `latchkey: a context of type "${type}" has no request with headers; override getRequest of AuthGuard`,
  );
}

function admit(guard: Guard<NestRequest>, context: ExecutionContext, request: NestRequest): boolean | Promise<boolean> {
  let who: unknown;
  try {
    who = guard(request);
  } catch (error) {
    throw toHttpException(error, context);
  }
  if (isPromise(who)) return admitLater(who, request, context);
  request.auth = who;
  return true;
}

async function admitLater(who: Promise<unknown>, request: NestRequest, context: ExecutionContext): Promise<true> {
  try {
    request.auth = await who;
  } catch (error) {
    throw toHttpException(error, context);
  }
  return true;
}

/** Node's has the one, Fastify's reply the other. */
interface NestResponse {
  setHeader?(name: string, value: string): unknown;
  header?(name: string, value: string): unknown;
}

function toHttpException(error: unknown, context: ExecutionContext): unknown {
  if (!(error instanceof AuthError)) return error;
  const { status, body } = describeProblem(error);
  if ((context.getType?.() ?? "http") === "http") {
    const response = context.switchToHttp().getResponse<NestResponse>();
    // Whoever words the answer, a filter of the application's too, says what type it is.
    for (const [name, value] of Object.entries(refusalHeaders(error))) {
      if (response.setHeader) response.setHeader(name, value);
      else response.header?.(name, value);
    }
  }
  const exception = new HttpException(JSON.parse(body), status, { cause: error });
  // Nest finds one in bodies of its own shape only, and what filters pass on is this.
  exception.message = error.message;
  return exception;
}

/** The endpoints as middleware, for `consumer.apply(authRoutes(auth)).forRoutes("*")` or `app.use`. */
export function authRoutes(auth: Auth, options?: HandlerOptions) {
  const routes = createNodeRoutes(auth, options);
  return (request: NestRequest, response: ServerResponse, next: () => void): void => {
    const url = request.originalUrl ?? request.url ?? "/";
    if (!routes.knows(pathOf(url))) return void next();
    // Where Nest has mounted us it has taken the path off.
    request.url = url;
    void routes.answer(request, response);
  };
}

type Routes = ReturnType<typeof authRoutes>;

/** The endpoints that `AuthModule` mounts, or null. */
const AUTH_ROUTES = Symbol("latchkey: endpoints");

/** For an engine that has to be opened, or configured by what Nest injects. */
export interface AuthModuleAsyncOptions extends HandlerOptions {
  readonly imports?: DynamicModule["imports"];
  /** What `useFactory` is called with. */
  readonly inject?: FactoryProvider["inject"];
  // biome-ignore lint/suspicious/noExplicitAny: whatever is injected
  readonly useFactory: (...injected: any[]) => Auth | Promise<Auth>;
}

/** The endpoints, and what `AuthGuard` needs, for the whole application. Who needs the engine injects `AUTH_GUARD_SOURCE`. */
export class AuthModule implements NestModule {
  readonly #routes: Routes | null;

  constructor(routes: Routes | null) {
    this.#routes = routes;
  }

  /** An application that holds the engine. */
  static forRoot(auth: Auth, options?: HandlerOptions): DynamicModule {
    return toModule({ provide: AUTH_GUARD_SOURCE, useValue: auth }, options ?? {});
  }

  static forRootAsync({ imports = [], inject = [], useFactory, ...options }: AuthModuleAsyncOptions): DynamicModule {
    return { ...toModule({ provide: AUTH_GUARD_SOURCE, useFactory, inject }, options), imports };
  }

  /** A service that holds no database: guards only. */
  static forVerifier(source: GuardSource): DynamicModule {
    return toModule({ provide: AUTH_GUARD_SOURCE, useValue: source }, undefined);
  }

  configure(consumer: MiddlewareConsumer): void {
    if (this.#routes) consumer.apply(this.#routes).forRoutes("{*all}");
  }
}
Module({})(AuthModule);
Inject(AUTH_ROUTES)(AuthModule, undefined, 0);

/** @param options of the endpoints; undefined: none. */
function toModule(source: Provider, options: HandlerOptions | undefined): DynamicModule {
  const routes = {
    provide: AUTH_ROUTES,
    inject: [AUTH_GUARD_SOURCE],
    // A test that gives the guard another engine gives it to the endpoints as well; a verifier has none.
    useFactory: (guardSource: GuardSource) =>
      options !== undefined && "login" in guardSource ? authRoutes(guardSource as Auth, options) : null,
  };
  return { module: AuthModule, global: true, providers: [source, routes], exports: [AUTH_GUARD_SOURCE] };
}

export type { Identity };
