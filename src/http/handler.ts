/**
 * The fetch-native handler: a Request goes in, a Response comes out, whatever the runtime or framework around it.
 * It finds the route, checks credentials before it reads the body, validates the body, and turns refusals into problems.
 */
import { hash } from "node:crypto";
import { Hono } from "hono";
import type { Auth, Identity } from "../auth.ts";
import { AuthError, type FieldError } from "../errors.ts";
import { readJsonBody } from "./body.ts";
import { clientAddress } from "./client-address.ts";
import { readBearer } from "./credentials.ts";
import { ANSWER_HEADERS, toProblem } from "./problem.ts";
import type { Answer, Contract, Route } from "./route.ts";
import type { Schema } from "./schema.ts";
import { createServiceGuard } from "./service-credentials.ts";

/** What the runtime knows of a connection and a Request does not say. */
export interface Connection {
  /** The peer's address. */
  readonly ip?: string | undefined;
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
  /** Credentials of services that may read the revocation feed. Default: none. */
  readonly feedTokens?: readonly string[];
  /** Called once for each request, after it was answered. */
  readonly onRequest?: (request: HandledRequest) => void;
}

export type Handler = (request: Request, connection?: Connection) => Promise<Response>;

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
  feedTokens = [],
  onRequest,
}: RequestHandlerOptions): Handler {
  const requireService = createServiceGuard(feedTokens);
  const app = new Hono<{ Bindings: { connection: Connection; handled: Handled } }>({
    getPath: toPath,
  });

  for (const path of new Set(contracts.flatMap(({ routes }) => routes.map((route) => route.path)))) {
    const rows = contracts.flatMap((contract) =>
      contract.routes.filter((route) => route.path === path).map((route) => ({ contract, route })),
    );
    for (const { contract, route } of rows) {
      app.on(route.method, path, async (c) => {
        c.env.handled.route = path;
        c.env.handled.contract = contract;
        const request = c.req.raw;
        const url = new URL(request.url);
        if (route.guard === "service") requireService(request);
        const identity =
          route.guard === "bearer"
            ? ((await (contract.authenticate?.(request) ?? authenticate(auth, request))) as Identity)
            : (undefined as unknown as Identity);
        const answer = await route.handle({
          auth,
          body: await readBody(contract, route, request),
          params: c.req.param() as Record<string, string>,
          query: url.searchParams,
          identity,
          device: {
            ip: clientAddress(c.env.connection.ip, request.headers.get("x-forwarded-for"), proxyCount),
            userAgent: request.headers.get("user-agent") ?? undefined,
          },
          signal: request.signal,
        });
        const { body, cacheControl } = answer;
        if (body !== undefined && cacheControl !== undefined) {
          return toCacheable(request, JSON.stringify(body), cacheControl);
        }
        return toResponse(answer);
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
  app.onError((error, c) => {
    c.env.handled.error = error;
    const refusal = error instanceof AuthError ? error : new AuthError("internal", { cause: error });
    return refuse(refusal, c.env.handled.contract, c.req.raw);
  });

  return async (request, connection = {}) => {
    const handled: Handled = { route: "none", contract: undefined, error: undefined };
    const response = await app.fetch(request, { connection, handled });
    onRequest?.({
      method: request.method,
      route: handled.route,
      status: response.status,
      reason: handled.error instanceof AuthError ? handled.error.reason : undefined,
      error: handled.error,
    });
    return response;
  };
}

/** An answer that may be kept; nothing but 304 for who has it already (RFC 9110 §13.1.2). */
function toCacheable(request: Request, body: string, cacheControl: string): Response {
  const etag = `"${hash("sha256", body, "base64url").slice(0, 22)}"`;
  const headers = { ...JSON_HEADERS, "cache-control": cacheControl, etag };
  const known = request.headers.get("if-none-match")?.split(",") ?? [];
  const isKnown = known.some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag);
  return isKnown ? new Response(null, { status: 304, headers }) : new Response(body, { status: 200, headers });
}

/** Verifies the bearer token of a request. @throws AuthError `credentials_missing` when there is none. */
export async function authenticate(
  auth: Auth,
  request: { readonly url: string; readonly headers: Headers },
): Promise<Identity> {
  const token = readBearer(request);
  if (token === undefined) throw new AuthError("credentials_missing");
  return auth.authenticate(token);
}

/**
 * The path as it was written, but for one trailing slash. No path of ours needs an escape, so one that has any is none of ours:
 * who filters paths in front of us need not know every spelling of them.
 */
function toPath({ url }: Request): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const length = url.slice(start).search(/[?#]|$/);
  const path = url.slice(start, start + length);
  if (path.includes("%")) return NO_PATH;
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

async function readBody(contract: Contract, route: Route, request: Request): Promise<unknown> {
  if (contract.readBody) return route.method === "POST" ? contract.readBody(request) : undefined;
  return route.body ? validate(route.body, await readJsonBody(request)) : undefined;
}

function toResponse({ status, body, headers }: Answer): Response {
  if (body === undefined) return new Response(null, { status, headers: { ...ANSWER_HEADERS, ...headers } });
  return new Response(JSON.stringify(body), { status, headers: { ...JSON_HEADERS, ...headers } });
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
  for (const { path, message } of result.error.issues) {
    const field = path.join(".");
    // One word about a field is enough: an empty list is no text, and not also an empty one.
    if (!errors.some((error) => error.field === field)) errors.push({ field, message });
  }
  throw new AuthError("input_invalid", { reason: errors.map((e) => `${e.field} ${e.message}`).join("; "), errors });
}
