/** The fetch-native handler of an engine: what the server, every adapter and any fetch runtime mount. */
import type { Auth } from "./auth.ts";
import { latchkeyContract } from "./contracts/latchkey.ts";
import { createDocuments } from "./http/documents.ts";
import {
  type Connection,
  createRequestHandler,
  type Endpoints,
  type Handler,
  type RequestHandlerOptions,
} from "./http/handler.ts";
import type { Contract } from "./http/route.ts";
import type { Verifier } from "./jwt/index.ts";
import { type OptionNames, refuseUnknownOptions } from "./known-options.ts";
import { isPromise } from "./promise.ts";

export interface HandlerOptions extends Omit<RequestHandlerOptions, "auth" | "contracts"> {
  /** The wire dialects to serve. Default: latchkey. */
  readonly contracts?: readonly Contract[];
  /**
   * Whether GET /openapi.json answers the OpenAPI document of what is served, and GET /docs a page that shows it. Default: neither, since an
   * application may have its own.
   */
  readonly documents?: "none" | "openapi" | "docs";
}

const OPTIONS = {
  contracts: true,
  documents: true,
  prefix: true,
  cookies: true,
  allowedOrigins: true,
  proxyCount: true,
  clientAddress: true,
  feedTokens: true,
  bodyLimit: true,
  tracer: true,
  onRequest: true,
} as const satisfies OptionNames<HandlerOptions>;

/**
 * Serves an engine's endpoints: `(request: Request) => Promise<Response>`.
 * @param auth from `createAuth`.
 * @throws TypeError for what is no engine, such as the promise of one, and for an option that can't be meant.
 */
export function createHandler(auth: Auth, handlerOptions: HandlerOptions = {}): Endpoints {
  refuseOther(auth);
  refuseUnknownOptions(handlerOptions, OPTIONS, "authRoutes");
  const { contracts = [latchkeyContract], documents = "none", ...options } = handlerOptions;
  if (documents !== "none" && documents !== "openapi" && documents !== "docs")
    throw new TypeError(`documents is "none", "openapi" or "docs", not ${JSON.stringify(documents)}`);
  const { cookies = true } = options;
  const own = documents === "none" ? [] : [createDocuments({ contracts, cookies, hasPage: documents === "docs" })];
  return createRequestHandler({ ...options, auth, contracts: [...contracts, ...own] });
}

/** What is no engine would be mounted all the same, and every endpoint would fail. */
function refuseOther(auth: unknown): void {
  const { login, authenticate, metrics } = (auth ?? {}) as Partial<Auth>;
  if (typeof login === "function" && typeof authenticate === "function" && metrics !== undefined) return;
  throw new TypeError(`authRoutes takes an engine: await createAuth(…). It was given ${nameOf(auth)}`);
}

function nameOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (isPromise(value)) return "a promise, which is not awaited";
  if (typeof (value as Partial<Verifier>).verify === "function") return "a verifier, which only requireAuth takes";
  return typeof value === "object" ? "another object" : `a ${typeof value}`;
}

export type { Connection, Endpoints, Handler };
