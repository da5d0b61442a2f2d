/** A span for each request, by OpenTelemetry's conventions for HTTP servers. It holds the route's template, never what the client wrote. */
import type { Tracer } from "../metrics/tracing.ts";

interface Answered {
  readonly response: Response;
  /** The route's path, or "none". */
  readonly route: string;
}

const ERROR = 2;

export function inSpan(tracer: Tracer, method: string, answer: () => Promise<Answered>): Promise<Answered> {
  return tracer.startActiveSpan(
    method,
    { kind: SERVER, attributes: { "http.request.method": method } },
    async (span) => {
      try {
        const answered = await answer();
        const { route, response } = answered;
        if (route !== "none") {
          span.updateName(`${method} ${route}`);
          span.setAttribute("http.route", route);
        }
        span.setAttribute("http.response.status_code", response.status);
        if (response.status >= 500) span.setStatus({ code: ERROR });
        return answered;
      } finally {
        span.end();
      }
    },
  );
}

/** `SpanKind.SERVER`. */
const SERVER = 1;
