/**
 * A route: one row of a dialect's table. The row holds everything that is public about an endpoint, so that the router,
 * the tests and the OpenAPI document read the same thing.
 */
import type { Auth, Identity, Tokens } from "../auth.ts";
import type { AuthError, AuthErrorCode } from "../errors.ts";
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
  /** What stands before every path of ours, as the client sees it. */
  readonly base: string;
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
  /** Answered as JSON. */
  readonly body?: object;
  /** Answered as it is, in the place of `body`. */
  readonly text?: TextBody;
  /** For an answer that others may keep, its Cache-Control; it then has an ETag, and who has it already is told 304. */
  readonly cacheControl?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Set-Cookie headers. */
  readonly cookies?: readonly string[];
}

export interface TextBody {
  /** Content-Type. */
  readonly type: string;
  readonly content: string;
}

/** What is public about one answer, beyond a row's success. */
export interface DocumentedAnswer {
  readonly description: string;
  /** Of its body as JSON; absent where it has none. */
  readonly schema?: Schema;
  /** Names of the headers it may have beside those of every answer. */
  readonly headers?: readonly string[];
}

export type DocumentedAnswers = Readonly<Record<number, DocumentedAnswer>>;

export interface Route<Body = unknown, Query = unknown> {
  readonly method: "GET" | "POST" | "DELETE" | "PATCH";
  /** Segments with `:name` for parameters; answered with and without a trailing slash. */
  readonly path: string;
  readonly summary: string;
  /** "bearer": an access token. "staff": one of a user who is staff at this moment. "service": a credential from the configuration. */
  readonly guard: "none" | "bearer" | "staff" | "service";
  /** Of the services that a row with `guard: "service"` lets in. Default: those that read the feed. */
  readonly credentials?: readonly string[];
  readonly body?: Schema<Body>;
  /** Of an object with the query's parameters, each of which may come once; those that it does not name are passed over. */
  readonly query?: Schema<Query>;
  /** The schema of a successful answer's body; absent for 204 and for text. */
  readonly answer?: Schema;
  /** The content type of a successful answer that is text. */
  readonly text?: string;
  /** The status of success. Default 200, and 204 for a row without `answer` and `text`. */
  readonly success?: number;
  /** Headers of a successful answer, beside those of every answer. */
  readonly headers?: readonly string[];
  /** The codes it may refuse with beyond those that its guard, body and query bring; for dialects that answer with problem details. */
  readonly refusals?: readonly AuthErrorCode[];
  /** What else it may answer; for dialects with words of their own. */
  readonly answers?: DocumentedAnswers;
  /** True: hands tokens over or takes them back, as cookies where the client wants it so. */
  readonly cookies?: boolean;
  /** What it belongs to, for readers. Default: the name of the dialect. */
  readonly group?: string;
  handle(context: RouteContext<Body, Query>): Promise<Answer>;
}

/** How a dialect differs from problem details and JSON, for the document. */
export interface DialectDocument {
  /** The content types of bodies that it takes. */
  readonly mediaTypes: readonly string[];
  /** Refusals that any of its rows may answer. */
  readonly answers: DocumentedAnswers;
  /** True: its clients write every path with a slash at the end. */
  readonly hasTrailingSlash: boolean;
}

/** The endpoints of one wire dialect. */
export interface Contract {
  readonly name: string;
  readonly routes: readonly Route[];
  /** How the dialect reads the body of a POST; the routes then judge it themselves. Default: strict JSON, judged by the route's schema. */
  readonly readBody?: (request: Request, limit: number) => Promise<unknown>;
  /** Who sends a request to a route with `guard: "bearer"`. Default: the engine's own access tokens. */
  readonly authenticate?: (request: Request) => Promise<Pick<Identity, "userId" | "claims" | "user">>;
  /** How the dialect words a refusal. Default: problem details. */
  readonly refuse?: (error: AuthError, request: Request) => Answer;
  /** What the document says of it. Default: strict JSON and problem details. */
  readonly document?: DialectDocument;
}

/** Types a row's handler by its schemas. */
export const route = <Body, Query>(row: Route<Body, Query>): Route => row as unknown as Route;
