/**
 * The fetch-native handler: a Request goes in, a Response comes out, whatever the runtime or framework around it.
 * It finds the route, checks credentials before it reads the body, validates the body, and turns refusals into problems.
 */
import { hash } from "node:crypto";
import { Hono } from "hono";
import type { Auth, Identity } from "../auth.ts";
import { AuthError, type FieldError } from "../errors.ts";
import type { Tracer } from "../metrics/tracing.ts";
import { BODY_LIMIT, readJsonBody } from "./body.ts";
import { createAddressReader } from "./client-address.ts";
import {
  clearedCookies,
  REFRESH_COOKIE,
  type RequestHead,
  readCookie,
  requireOwnOrigin,
  tokenCookies,
  wantsCookies,
} from "./cookies.ts";
import { type CredentialOptions, readAccessToken } from "./credentials.ts";
import { answerPreflight, isPreflight, originHeaders, readOrigins } from "./cross-origin.ts";
import { ANSWER_HEADERS, toProblem } from "./problem.ts";
import { inSpan } from "./request-span.ts";
import type { Answer, Contract, CookieContext, Route } from "./route.ts";
import type { Schema } from "./schema.ts";
import { createServiceGuard } from "./service-credentials.ts";
import { tellFailure } from "./tell-failure.ts";

/** What the runtime knows of a connection and a Request does not say. */
export interface Connection {
  /** The peer's address. */
  readonly ip?: string | undefined;
  /** The Host header, where the Request's own URL does not say it. */
  readonly host?: string | undefined;
  /** What a framework has taken off the front of the path. */
  readonly base?: string | undefined;
}

export interface HandledRequest {
  readonly method: string;
  /** The route's path, or "none": never what the client wrote, which may hold anything. */
  readonly route: string;
  readonly status: number;
  /** The precise reason of a refusal. */
  readonly reason: string | undefined;
  readonly error: unknown;
}

export interface RequestHandlerOptions {
  readonly auth: Auth;
  readonly contracts: readonly Contract[];
  /** Proxies of ours in front, each of which appends to X-Forwarded-For. Default 0: the header is ignored. */
  readonly proxyCount?: number;
  /**
   * The client's address where no connection says it, as at the edge, from what your platform writes and no client can: `(request) =>
   * request.headers.get("cf-connecting-ip")`. Default: the connection's, and behind `proxyCount` proxies what they say.
   */
  readonly clientAddress?: (request: Request) => string | null | undefined;
  /** What stands before every path, such as "/auth"; with or without slashes at its ends. Default: nothing. */
  readonly prefix?: string;
  /** Whether clients may ask for cookies instead of tokens in the body. Default true. */
  readonly cookies?: boolean;
  /** Origins other than our own whose pages may call (CORS) and send cookies. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** Credentials of services that may read the revocation feed. Default: none. */
  readonly feedTokens?: readonly string[];
  /** Bytes that a body may have. Default 64 KiB. */
  readonly bodyLimit?: number;
  /** Makes a span of each request: `trace.getTracer("latchkey")` of `@opentelemetry/api`. Default: none. */
  readonly tracer?: Tracer | undefined;
  /**
   * Called once for each request, after it was answered: for a log, which is then where `error` is told, too.
   * Default: what nobody foresaw (500) goes to console.error, and nothing else.
   */
  readonly onRequest?: (request: HandledRequest) => void;
}

export type Handler = (request: Request, connection?: Connection) => Promise<Response>;

/** A handler that knows its endpoints, for who mounts it among others. */
export interface Endpoints extends Handler {
  /** The paths of the endpoints, without the prefix; segments that begin with ":" stand for any. */
  readonly paths: readonly string[];
  /** True when a path, prefix and all, is that of an endpoint. */
  knows(path: string): boolean;
}

/** What is noted of a request on its way. */
interface Handled {
  route: string;
  contract: Contract | undefined;
  error: unknown;
}

/** Matches no route. */
const NO_PATH = "/%";
const JSON_HEADERS = { "content-type": "application/json", ...ANSWER_HEADERS };

export function createRequestHandler({
  auth,
  contracts,
  proxyCount = 0,
  prefix = "",
  cookies: takesCookies = true,
  allowedOrigins: origins = [],
  feedTokens = [],
  bodyLimit = BODY_LIMIT,
  clientAddress,
  tracer,
  onRequest = tellFailure,
}: RequestHandlerOptions): Endpoints {
  const base = toBase(prefix);
  const allowedOrigins = readOrigins(origins);
  const credentials: CredentialOptions = { takesCookies, allowedOrigins };
  const requireService = createServiceGuard(feedTokens);
  const addressOf = createAddressReader({ clientAddress, proxyCount });
  const app = new Hono<{ Bindings: { connection: Connection; handled: Handled } }>({
    getPath: (request) => toPath(request, base),
  });

  /** Who asks, as far as the route wants to know. */
  async function identify(
    contract: Contract,
    { guard }: Route,
    request: Request,
    head: RequestHead,
  ): Promise<Identity> {
    if (guard !== "bearer" && guard !== "staff") return undefined as unknown as Identity;
    if (contract.authenticate) return contract.authenticate(request) as Promise<Identity>;
    const token = readAccessToken(head, request.url, credentials);
    if (token === undefined) throw new AuthError("credentials_missing");
    if (guard === "bearer") return auth.authenticate(token);
    // Staff may do so much that their own sessions are asked for in the store.
    const identity = await auth.authenticate(token, { freshness: "live" });
    await auth.staff.require(identity.userId);
    return identity;
  }

  const paths = [...new Set(contracts.flatMap(({ routes }) => routes.map((route) => route.path)))];
  for (const path of paths) {
    const rows = contracts.flatMap((contract) =>
      contract.routes.filter((route) => route.path === path).map((route) => ({ contract, route })),
    );
    refuseDoubles(path, rows);
    for (const { contract, route } of rows) {
      const requireCredential = route.credentials ? createServiceGuard(route.credentials) : requireService;
      app.on(route.method, path, async (c) => {
        c.env.handled.route = path;
        c.env.handled.contract = contract;
        const request = c.req.raw;
        const head = toHead(request, c.env.connection);
        if (route.guard === "service") requireCredential(head, request.url);
        const identity = await identify(contract, route, request, head);
        const answer = await route.handle({
          auth,
          body: await readBody(contract, route, request, bodyLimit),
          params: c.req.param() as Record<string, string>,
          query: route.query ? readQuery(route.query, request.url) : {},
          identity,
          get accessToken() {
            return readAccessToken(head, request.url, credentials);
          },
          device: {
            ip: addressOf(request, c.env.connection.ip),
            userAgent: request.headers.get("user-agent") ?? undefined,
          },
          cookies: toCookieContext(head, `${mountedAt(c.env.connection)}${base}${TOKEN_PATH}`, credentials),
          base: `${mountedAt(c.env.connection)}${base}`,
          get signal() {
            return request.signal;
          },
        });
        return answer.cacheControl === undefined
          ? toResponse(answer)
          : toCacheable(request, answer, answer.cacheControl);
      });
    }
    const allow = toAllow(rows.map(({ route }) => route));
    app.all(path, (c) => {
      c.env.handled.route = path;
      c.env.handled.contract = rows[0]?.contract;
      const error = new AuthError("method_not_allowed");
      c.env.handled.error = error;
      return refuse(error, c.env.handled.contract, c.req.raw, { allow });
    });
  }
  app.notFound((c) => {
    const error = new AuthError("not_found", { reason: "unknown path" });
    c.env.handled.error = error;
    return toProblem(error);
  });
  app.onError((error, c) => failed(error, c.env.handled, c.req.raw));

  const isPathOfOurs = new RegExp(`^(?:${paths.map(toPattern).join("|")})$`);

  async function handle(request: Request, connection: Connection = {}): Promise<Response> {
    if (!tracer) return (await answer(request, connection)).response;
    return (await inSpan(tracer, request.method, () => answer(request, connection))).response;
  }

  async function answer(request: Request, connection: Connection): Promise<{ response: Response; route: string }> {
    const handled: Handled = { route: "none", contract: undefined, error: undefined };
    const crossOrigin = originHeaders(request.headers.get("origin"), allowedOrigins);
    if (crossOrigin && isPreflight(request)) return { response: answerPreflight(crossOrigin), route: "none" };
    const started = performance.now();
    let response: Response;
    try {
      response = await app.fetch(request, { connection, handled });
    } catch (error) {
      // The router passes on what is thrown and is no Error.
      response = failed(error, handled, request);
    }
    if (crossOrigin) for (const [name, value] of Object.entries(crossOrigin)) response.headers.set(name, value);
    // Also where nobody is allowed: what a cache keeps of this answer is not for an origin that is.
    else if (allowedOrigins.length > 0) response.headers.set("vary", "Origin");
    const seconds = (performance.now() - started) / 1000;
    auth.metrics.countRequest({ method: request.method, route: handled.route, status: response.status, seconds });
    onRequest({
      method: request.method,
      route: handled.route,
      status: response.status,
      reason: handled.error instanceof AuthError ? handled.error.reason : undefined,
      error: handled.error,
    });
    return { response, route: handled.route };
  }

  const isOurs = (path: string) => isPathOfOurs.test(inside(path, base));
  return Object.assign(handle, { paths, knows: isOurs });
}

/** A route's path as a pattern of what it matches. */
const toPattern = (path: string) => path.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/:[^/]+/g, "[^/]+");

/** An answer that may be kept; nothing but 304 for who has it already (RFC 9110 §13.1.2). */
function toCacheable(request: Request, answer: Answer, cacheControl: string): Response {
  const content = answer.text?.content ?? JSON.stringify(answer.body);
  const etag = `"${hash("sha256", content, "base64url").slice(0, 22)}"`;
  const headers = { ...answer.headers, "cache-control": cacheControl, etag };
  const known = request.headers.get("if-none-match")?.split(",") ?? [];
  const isKnown = known.some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag);
  if (isKnown) return new Response(null, { status: 304, headers: { ...ANSWER_HEADERS, ...headers } });
  return toResponse({ ...answer, headers });
}

function toHead({ method, headers, url }: Request, { host }: Connection): RequestHead {
  return {
    method,
    get host() {
      return host ?? new URL(url).host;
    },
    header: (name) => headers.get(name),
  };
}

/** Where the default dialect signs in; what spends refresh tokens lies below. */
const TOKEN_PATH = "/v1/users/me/token";

function toCookieContext(
  head: RequestHead,
  path: string,
  { takesCookies, allowedOrigins }: CredentialOptions,
): CookieContext {
  return {
    get isWanted() {
      if (!wantsCookies(head)) return false;
      if (takesCookies) return true;
      throw new AuthError("request_invalid", { reason: "cookies are off", detail: "This server gives no cookies." });
    },
    refreshToken() {
      const token = takesCookies ? readCookie(head, REFRESH_COOKIE) : undefined;
      if (token !== undefined) requireOwnOrigin(head, allowedOrigins);
      return token;
    },
    give: (tokens) => tokenCookies(tokens, path),
    clear: () => clearedCookies(path),
  };
}

/** @throws TypeError for what no path begins with; `name` is what it was given as. */
export function toBase(path: string, name = "prefix"): string {
  const inner = path.replace(/^\/+|\/+$/g, "");
  if (!/^[A-Za-z0-9._~/-]*$/.test(inner) || inner.includes("//")) {
    throw new TypeError(`${name} must be a path such as "/auth", not ${JSON.stringify(path)}`);
  }
  return inner === "" ? "" : `/${inner}`;
}

/** Where a framework has mounted us. One with parameters is as its client wrote it: what could say more than a path in a cookie counts for nothing. */
function mountedAt({ base = "" }: Connection): string {
  return /^(?:\/[\w.~!$&'()*+=:@%-]+)*\/?$/.test(base) ? base.replace(/\/$/, "") : "";
}

/**
 * The path as it was written, but for one trailing slash. No path of ours needs an escape, so one that has any is none of ours:
 * who filters paths in front of us need not know every spelling of them.
 */
function toPath({ url }: Request, base: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const length = url.slice(start).search(/[?#]|$/);
  const path = url.slice(start, start + length);
  return inside(path, base);
}

/** What is left of a path below our prefix. */
function inside(path: string, base: string): string {
  if (path.includes("%") || !path.startsWith(`${base}/`)) return NO_PATH;
  const inner = path.slice(base.length);
  return inner.length > 1 && inner.endsWith("/") ? inner.slice(0, -1) : inner;
}

/** Which of two would answer is nothing to be left to their order. */
function refuseDoubles(path: string, rows: readonly { readonly contract: Contract; readonly route: Route }[]): void {
  for (const [i, { contract, route }] of rows.entries()) {
    const double = rows.slice(0, i).find((row) => row.route.method === route.method);
    if (!double) continue;
    const names = `${double.contract.name} and ${contract.name}`;
    throw new TypeError(`${names} both answer ${route.method} ${path}: give one of them another base path`);
  }
}

async function readBody(contract: Contract, route: Route, request: Request, limit: number): Promise<unknown> {
  if (contract.readBody) return route.method === "POST" ? contract.readBody(request, limit) : undefined;
  return route.body ? validate(route.body, await readJsonBody(request, limit)) : undefined;
}

/** @throws AuthError `input_invalid` that names the parameter. */
function readQuery<T>(schema: Schema<T>, url: string): T {
  const start = url.indexOf("?");
  const parameters = new URLSearchParams(start === -1 ? "" : url.slice(start));
  const input: Record<string, unknown> = Object.create(null);
  // One that comes twice is a list, which no schema takes for a text.
  for (const name of new Set(parameters.keys())) {
    const values = parameters.getAll(name);
    input[name] = values.length === 1 ? values[0] : values;
  }
  return validate(schema, input);
}

function toResponse({ status, body, text, headers, cookies = [] }: Answer): Response {
  const content = text?.content ?? (body === undefined ? null : JSON.stringify(body));
  const kind = text
    ? { ...ANSWER_HEADERS, "content-type": text.type }
    : body === undefined
      ? ANSWER_HEADERS
      : JSON_HEADERS;
  const response = new Response(content, { status, headers: { ...kind, ...headers } });
  for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return response;
}

/** Notes what was thrown, and words it; what is no refusal is no business of the client's. */
function failed(error: unknown, handled: Handled, request: Request): Response {
  handled.error = error;
  const refusal = error instanceof AuthError ? error : new AuthError("internal", { cause: error });
  return refuse(refusal, handled.contract, request);
}

/** Words a refusal as the dialect of the request does. */
function refuse(
  error: AuthError,
  contract: Contract | undefined,
  request: Request,
  headers: Readonly<Record<string, string>> = {},
): Response {
  if (!contract?.refuse) return toProblem(error, { headers });
  const answer = contract.refuse(error, request);
  const retryAfter = error.retryAfter === undefined ? {} : { "retry-after": String(error.retryAfter) };
  return toResponse({ ...answer, headers: { ...headers, ...retryAfter, ...answer.headers } });
}

function toAllow(routes: readonly Route[]): string {
  const methods: string[] = routes.map((route) => route.method);
  if (methods.includes("GET")) methods.push("HEAD");
  return [...new Set(methods)].sort().join(", ");
}

function validate<T>(schema: Schema<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const errors: FieldError[] = [];
  const reasons: string[] = [];
  for (const { code, path, message } of result.error.issues) {
    const field = path.join(".");
    // One word about a field is enough: an empty list is no text, and not also an empty one.
    if (errors.some((error) => error.field === field)) continue;
    errors.push({ field, message });
    // What a stranger has called a member is for himself to read, not for the log.
    reasons.push(code === "unrecognized_keys" ? "members that are not known" : `${field} ${message}`);
  }
  throw new AuthError("input_invalid", { reason: reasons.join("; "), errors });
}
