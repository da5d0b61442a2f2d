/** The row by which staff see what this instance has counted: what /metrics says, as JSON, for a console that draws it. */
import * as z from "zod";
import { route } from "../http/route.ts";

const MetricsAnswer = z.object({
  instance: z.string().describe("Which instance answers: each counts for itself, from its start on."),
  started_at: z.iso.datetime(),
  metrics: z.array(
    z.object({
      name: z.string(),
      help: z.string(),
      type: z.enum(["counter", "gauge", "histogram"]),
      samples: z.array(
        z.object({
          name: z.string().describe("The metric's; of a histogram with _bucket, _sum or _count behind it."),
          labels: z.record(z.string(), z.string()),
          value: z.number(),
        }),
      ),
    }),
  ),
});

export const metricsRoute = route({
  method: "GET",
  path: "/v1/staff/metrics",
  summary: "What this instance has counted since it started",
  guard: "staff",
  group: "Staff",
  answer: MetricsAnswer,
  async handle({ auth: { metrics } }) {
    const body: z.output<typeof MetricsAnswer> = {
      instance: metrics.instance,
      started_at: new Date(metrics.startedAt).toISOString(),
      metrics: metrics.read().map(({ name, help, type, samples }) => ({
        ...{ name, help, type },
        samples: samples.map(({ metricName = name, labels, value }) => ({ name: metricName, labels, value })),
      })),
    };
    return { status: 200, body };
  },
});
