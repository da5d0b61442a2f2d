/**
 * Spans for whoever traces: HTTP requests, password hashes, the store. The tracer is OpenTelemetry's and comes from outside; without one the work is
 * called and that is all. Spans hold names of ours and numbers, nothing that a client sent.
 */

/** What is needed of `trace.getTracer("latchkey")` of `@opentelemetry/api`. */
export interface Tracer {
  startActiveSpan<T>(
    name: string,
    options: { readonly kind?: number; readonly attributes?: Record<string, string | number> },
    work: (span: TracerSpan) => T,
  ): T;
}

export interface TracerSpan {
  setAttribute(name: string, value: string | number): unknown;
  updateName(name: string): unknown;
  /** `code` 2 is an error. */
  setStatus(status: { readonly code: number; readonly message?: string }): unknown;
  end(): void;
}

/** Does the work inside a span. */
export type Trace = <T>(
  name: string,
  attributes: Record<string, string | number>,
  work: () => Promise<T>,
) => Promise<T>;

const ERROR = 2;

export function createTrace(tracer: Tracer | undefined): Trace {
  if (tracer === undefined) return (_name, _attributes, work) => work();
  return (name, attributes, work) =>
    tracer.startActiveSpan(name, { attributes }, async (span) => {
      try {
        return await work();
      } catch (error) {
        // Its code, not its message: that may tell more than a trace should.
        const { code } = error as { readonly code?: unknown };
        span.setStatus({ code: ERROR, ...(typeof code === "string" && { message: code }) });
        throw error;
      } finally {
        span.end();
      }
    });
}
