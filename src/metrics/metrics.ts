/**
 * What an engine counts of its own work. The parts that work hold the counters and do no more than add to an integer, so that a guard pays for
 * one addition; names, labels and text are made when somebody reads.
 */
import { randomBytes } from "node:crypto";
import { AuthError } from "../errors.ts";
import { createHistogram } from "./histogram.ts";
import type { Metric, MetricSource } from "./metric.ts";
import { createTally } from "./tally.ts";

/** A request that was answered. */
export interface AnsweredRequest {
  readonly method: string;
  /** The route's path as it is written in the table, never what the client wrote. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** `auth.metrics`. */
export interface Metrics {
  /** Tells this engine from others that count for themselves. */
  readonly instance: string;
  /** When counting began, in milliseconds since 1970. */
  readonly startedAt: number;
  /** Everything that is measured, as it stands now. */
  read(): readonly Metric[];
  /** What is read; for other systems than Prometheus. */
  readonly sources: readonly MetricSource[];
  /** Adds what an application or a server measures itself. @throws TypeError for a name that is taken. */
  add(...sources: readonly MetricSource[]): void;
}

/** What the parts of an engine count with. */
export interface Counters {
  /** A guard has let a token pass. */
  accepted(): void;
  /** A guard has refused one, or could not say. */
  refused(error: unknown): void;
  login(outcome: string): void;
  refresh(outcome: string): void;
  registration(outcome: string): void;
  event(type: string): void;
  request(request: AnsweredRequest): void;
}

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
/** Reasons are sentences of ours that quote what a token says: without the quotations there are some sixty. */
const QUOTATION = /"(?:[^"\\]|\\.)*"|-?\d[\d.e+]*/g;
const MOST_REASONS = 100;

/** What a refusal is counted as. */
export const outcomeOf = (error: unknown): string => (error instanceof AuthError ? error.code : "internal");

export function createMetrics(): { readonly metrics: Metrics; readonly counters: Counters } {
  let acceptedCount = 0;
  const verifications = createTally(
    "latchkey_verifications_total",
    "Access tokens judged at guards, by outcome (accepted, or the code of the refusal) and reason.",
    ["outcome", "reason"],
    MOST_REASONS,
  );
  const logins = createTally(
    "latchkey_logins_total",
    "Sign-ins by password, by outcome: granted, or the code of the refusal.",
    ["outcome"],
  );
  const refreshes = createTally(
    "latchkey_refreshes_total",
    "Refreshes by outcome: rotated, repeated (a benign replay), restored, or the code of the refusal; refresh_token_reused is a theft that was caught.",
    ["outcome"],
  );
  const registrations = createTally(
    "latchkey_registrations_total",
    "Registrations by outcome: done, or the code of the refusal.",
    ["outcome"],
  );
  const events = createTally(
    "latchkey_events_total",
    "What `onEvent` was told of, by type: reuse of a refresh token, what became of keys, password hashes that can't be computed.",
    ["type"],
  );
  const requests = createTally(
    "latchkey_http_requests_total",
    "Requests that were answered, by the route's path, method and class of status.",
    ["route", "method", "status"],
  );
  const durations = createHistogram(
    "latchkey_http_request_seconds",
    "Time from the head of a request to its answer, by the route's path.",
    "route",
  );

  const sources: MetricSource[] = [
    {
      ...verifications,
      read: () => [{ labels: { outcome: "accepted", reason: "" }, value: acceptedCount }, ...verifications.read()],
    },
    logins,
    refreshes,
    registrations,
    events,
    requests,
    durations,
  ];

  return {
    metrics: {
      instance: randomBytes(6).toString("hex"),
      startedAt: Date.now(),
      sources,
      read: () => sources.map(({ name, help, type, read }) => ({ name, help, type, samples: read() })),
      add(...more) {
        for (const source of more) {
          if (sources.some(({ name }) => name === source.name)) {
            throw new TypeError(`there is a metric ${source.name} already`);
          }
          sources.push(source);
        }
      },
    },
    counters: {
      accepted() {
        acceptedCount++;
      },
      refused(error) {
        const reason = error instanceof AuthError ? error.reason.replace(QUOTATION, "…") : "";
        verifications.add(outcomeOf(error), reason);
      },
      login: logins.add,
      refresh: refreshes.add,
      registration: registrations.add,
      event: events.add,
      request({ method, route, status, seconds }) {
        requests.add(route, METHODS.has(method) ? method : "other", `${Math.floor(status / 100)}xx`);
        durations.observe(route, seconds);
      },
    },
  };
}
