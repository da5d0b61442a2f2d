/**
 * OpenTelemetry for the server. Its API is an optional peer and is loaded only where tracing is on; the SDK, the exporter and their settings are the
 * operator's, loaded before us (`node --import ./tracing.js …`).
 */
import type { Connection, Handler } from "../handler.ts";
import type { Tracer } from "../metrics/tracing.ts";
import { ConfigError } from "./config.ts";

export interface Tracing {
  readonly tracer: Tracer;
  /** Goes on with the trace that a request names. */
  continuing(handle: Handler): Handler;
}

/** @throws ConfigError where the package is not there. */
export async function loadTracing(): Promise<Tracing> {
  const api = await import("@opentelemetry/api").catch(() => {
    throw new ConfigError([
      "LATCHKEY_TRACING is on and @opentelemetry/api is not installed: npm install it, with an SDK",
    ]);
  });
  const { context, propagation, trace } = api;
  return {
    tracer: trace.getTracer("latchkey"),
    continuing: (handle) => (request: Request, connection?: Connection) =>
      context.with(propagation.extract(context.active(), Object.fromEntries(request.headers)), () =>
        handle(request, connection),
      ),
  };
}
