/**
 * What is asked by those who keep the server running: is the process alive, may it be given requests, what has it counted.
 * Alive and ready are two questions: a server whose store is gone is not to be restarted for that, only to be left alone.
 */
import * as z from "zod";
import type { Auth } from "../auth.ts";
import { AuthError } from "../errors.ts";
import { type Contract, route } from "../http/route.ts";
import { toPrometheus } from "../metrics/prometheus.ts";

export interface OperationsOptions {
  /** True once the server is on its way down. */
  readonly isDraining: () => boolean;
  /** Who may read /metrics: anybody who reaches this port, who has one of the credentials, or (with none) nobody. */
  readonly metrics: "anybody" | readonly string[];
}

const StatusAnswer = z.object({ status: z.literal("ok") });
/** Milliseconds that an answer of the store is good for: probes come from everywhere, and one question serves them all. */
const ANSWER_TIME = 500;

export function operationsContract(auth: Auth, { isDraining, metrics }: OperationsOptions): Contract {
  const askStore = shareAnswers(() => auth.ping());
  const group = "Operations";

  const metricsRoute = route({
    method: "GET",
    path: "/metrics",
    summary: "What this instance has counted, as Prometheus reads it",
    guard: metrics === "anybody" ? "none" : "service",
    ...(metrics !== "anybody" && { credentials: metrics }),
    text: "text/plain; version=0.0.4; charset=utf-8",
    group,
    async handle() {
      const { contentType, text } = await toPrometheus(auth.metrics);
      return { status: 200, text: { type: contentType, content: text } };
    },
  });

  return {
    name: "operations",
    routes: [
      route({
        method: "GET",
        path: "/livez",
        summary: "Is the process alive",
        guard: "none",
        answer: StatusAnswer,
        group,
        handle: async () => ({ status: 200, body: { status: "ok" } }),
      }),
      route({
        method: "GET",
        path: "/readyz",
        summary: "May it be given requests: its store answers, and it is not going down",
        guard: "none",
        answer: StatusAnswer,
        refusals: ["busy", "store_unavailable"],
        group,
        async handle() {
          if (isDraining()) throw new AuthError("busy", { reason: "going down", detail: "Going down: ask another." });
          await askStore();
          return { status: 200, body: { status: "ok" } };
        },
      }),
      ...(metrics === "anybody" || metrics.length > 0 ? [metricsRoute] : []),
    ],
  };
}

/** Asks once for all who ask at the same time, or shortly after. */
function shareAnswers(ask: () => Promise<void>): () => Promise<void> {
  let answer: Promise<void> | undefined;
  return () => {
    if (!answer) {
      const asked = ask();
      answer = asked;
      const forget = () => setTimeout(() => (answer = undefined), ANSWER_TIME).unref();
      asked.then(forget, forget);
    }
    return answer;
  };
}
