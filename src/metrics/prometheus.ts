/**
 * Metrics as Prometheus reads them, by prom-client: in a registry of our own, or in the application's beside its own metrics.
 * prom-client is loaded at the first scrape, and by nobody who has none.
 */
import type { Metrics } from "./metrics.ts";

/** What is needed of prom-client's Registry. */
export interface MetricRegistry {
  // biome-ignore lint/suspicious/noExplicitAny: prom-client types a metric as one of its own classes; it asks them for `name` and `get` alone
  registerMetric(metric: any): void;
}

/**
 * Puts an engine's metrics into an application's registry: `registerMetrics(promClient.register, auth.metrics)`.
 * @throws Error of prom-client for a second engine in one registry: give it a registry of its own.
 */
export function registerMetrics(registry: MetricRegistry, metrics: Metrics): void {
  for (const { name, help, type, read } of metrics.sources) {
    registry.registerMetric({
      ...{ name, help, type, aggregator: "sum" },
      get: async () => ({ name, help, type, aggregator: "sum", values: read() }),
      reset() {},
    });
  }
}

/** What a scrape is answered. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** Writes the text that Prometheus reads. */
export async function toPrometheus(metrics: Metrics): Promise<Exposition> {
  const { Registry } = await import("prom-client");
  const registry = new Registry();
  registerMetrics(registry, metrics);
  return { contentType: registry.contentType, text: await registry.metrics() };
}
