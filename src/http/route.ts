/**
 * A route: one row of a dialect's table. The row holds everything that is public about an endpoint, so that the router,
 * the tests and the OpenAPI document read the same thing.
 */
import type { Auth, Identity, Tokens } from "../auth.ts";
import type { AuthError } from "../errors.ts";
import type { Device } from "../sessions/sessions.ts";
import type { Schema } from "./schema.ts";

export interface RouteContext<Body, Query> {
  readonly auth: Auth;
  /** What the body schema made of the body. */
  readonly body: Body;
  readonly params: Readonly<Record<string, string>>;
  /** What the query schema made of the query; empty without one. */
  readonly query: Query;
  /** Who asks; only a route with `guard: "bearer"` or `"staff"` reads it. */
  readonly identity: Identity;
  /** The access token as it came, if any; for rows that tell what it says. */
  readonly accessToken: string | undefined;
  readonly device: Device;
  readonly cookies: CookieContext;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/** How a route deals in cookies; see cookies.ts. */
export interface CookieContext {
  /** True when the client asks for cookies instead of tokens in the body. */
  readonly isWanted: boolean;
  /**
   * The refresh token that the request carries as a cookie, if any.
   * @throws AuthError `origin_refused` when it is there and the request comes from elsewhere.
   */
  refreshToken(): string | undefined;
  /** The Set-Cookie headers that hand tokens over. */
  give(tokens: Tokens): readonly string[];
  /** Those that take them back. */
  clear(): readonly string[];
}

export interface Answer {
  readonly status: number;
  readonly body?: object;
  /** For an answer that others may keep, its Cache-Control; it then has an ETag, and who has it already is told 304. */
  readonly cacheControl?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Set-Cookie headers. */
  readonly cookies?: readonly string[];
}

export interface Route<Body = unknown, Query = unknown> {
  readonly method: "GET" | "POST" | "DELETE" | "PATCH";
  /** Segments with `:name` for parameters; answered with and without a trailing slash. */
  readonly path: string;
  readonly summary: string;
  /** "bearer": an access token. "staff": one of a user who is staff at this moment. "service": a credential from the configuration. */
  readonly guard: "none" | "bearer" | "staff" | "service";
  readonly body?: Schema<Body>;
  /** Of an object with the query's parameters, each of which may come once; those that it does not name are passed over. */
  readonly query?: Schema<Query>;
  /** The schema of a successful answer's body; absent for 204. */
  readonly answer?: Schema;
  handle(context: RouteContext<Body, Query>): Promise<Answer>;
}

/** The endpoints of one wire dialect. */
export interface Contract {
  readonly name: string;
  readonly routes: readonly Route[];
  /** How the dialect reads the body of a POST; the routes then judge it themselves. Default: strict JSON, judged by the route's schema. */
  readonly readBody?: (request: Request) => Promise<unknown>;
  /** Who sends a request to a route with `guard: "bearer"`. Default: the engine's own access tokens. */
  readonly authenticate?: (request: Request) => Promise<Pick<Identity, "userId" | "claims" | "user">>;
  /** How the dialect words a refusal. Default: problem details. */
  readonly refuse?: (error: AuthError, request: Request) => Answer;
}

/** Types a row's handler by its schemas. */
export const route = <Body, Query>(row: Route<Body, Query>): Route => row as unknown as Route;
