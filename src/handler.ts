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

export interface HandlerOptions extends Omit<RequestHandlerOptions, "auth" | "contracts"> {
  /** The wire dialects to serve. Default: latchkey. */
  readonly contracts?: readonly Contract[];
  /**
   * Whether GET /openapi.json answers the OpenAPI document of what is served, and GET /docs a page that shows it. Default: neither, since an
   * application may have its own.
   */
  readonly documents?: "none" | "openapi" | "docs";
}

/**
 * Serves an engine's endpoints: `(request: Request) => Promise<Response>`.
 * @param auth from `createAuth`.
 */
export function createHandler(
  auth: Auth,
  { contracts = [latchkeyContract], documents = "none", ...options }: HandlerOptions = {},
): Endpoints {
  const { cookies = true } = options;
  const own = documents === "none" ? [] : [createDocuments({ contracts, cookies, hasPage: documents === "docs" })];
  return createRequestHandler({ ...options, auth, contracts: [...contracts, ...own] });
}

export type { Connection, Endpoints, Handler };
