/** The fetch-native handler of an engine: what the server, every adapter and any fetch runtime mount. */
import type { Auth } from "./auth.ts";
import { latchkeyContract } from "./contracts/latchkey.ts";
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
}

/**
 * Serves an engine's endpoints: `(request: Request) => Promise<Response>`.
 * @param auth from `createAuth`.
 */
export function createHandler(
  auth: Auth,
  { contracts = [latchkeyContract], ...options }: HandlerOptions = {},
): Endpoints {
  return createRequestHandler({ ...options, auth, contracts });
}

export type { Connection, Endpoints, Handler };
