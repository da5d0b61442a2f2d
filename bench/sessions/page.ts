/** results/sessions.md: the verdict first, then every table, then how it was measured. */
import { between, type Column, machineText, number, table, times } from "../report.ts";
import type { RequestKind } from "./request-plan.ts";
import type { RequestsResult } from "./requests.ts";
import type { RevocationRow, SessionsResults, StoreRotations } from "./results.ts";
import { type Verdict, withUnit } from "./verdict.ts";

const left = (title: string): Column => ({ title, align: "left" });
const right = (title: string): Column => ({ title, align: "right" });

export function toPage(results: SessionsResults, verdicts: readonly Verdict[]): string {
  const versions = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`);
  return [
    "# Sessions: what refreshing, guarding and ending cost",
    "",
    `${machineText(results.machine)}.`,
    `Measured: the packed package, beside ${versions.join(", ")}.`,
    ...(results.isQuick ? ["", "**A quick run: the spread is wide, and the figures below are only a hint.**"] : []),
    "",
    "Ratios are what counts: the median of the rounds, with the 10th and 90th percentile in brackets. Rates and times are",
    "medians that accompany them and hold for this machine and this hour only.",
    "",
    "## The promised figures",
    "",
    verdictTable(verdicts),
    "",
    ...results.rotations.flatMap((one) => [...rotationSection(one), ""]),
    ...(results.requests ? [...requestSection(results.requests), ""] : []),
    ...(results.revocation.length > 0 ? [...revocationSection(results.revocation), ""] : []),
    ...(results.indexMemory ? [...memorySection(results.indexMemory), ""] : []),
    ...method(results),
    "",
  ].join("\n");
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  return table(
    [left("figure"), left("target"), left("measured"), left("verdict")],
    verdicts.map(({ figure, target, value, spread, unit, isMet }) => [
      figure,
      target,
      value === undefined
        ? "not in this run"
        : `${withUnit(unit === "statements" ? String(value) : number(value), unit)}${spread ? ` (${between(spread)})` : ""}`,
      isMet === undefined ? "" : isMet ? "pass" : "**miss**",
    ]),
  );
}

function rotationSection({ store, tables, growth }: StoreRotations): string[] {
  return [
    `## Rotations on ${store}`,
    "",
    table(
      [
        left("sessions"),
        right("auth.refresh, per second"),
        right("bare statement, per second"),
        right("ratio"),
        right("CPU µs"),
        right("bare CPU µs"),
      ],
      tables.map(({ sessionCount, oursPerSecond, barePerSecond, oursToBare, oursCpuMicros, bareCpuMicros }) => [
        sessionCount.toLocaleString("en-US"),
        number(oursPerSecond.median),
        number(barePerSecond.median),
        times(oursToBare),
        number(oursCpuMicros),
        number(bareCpuMicros),
      ]),
    ),
    "",
    `A rotation in the large table costs ${times(growth.ours)} one in the small, the bare statement ${times(growth.bare)}.`,
  ];
}

const KIND_TITLES: Readonly<Record<RequestKind, string>> = {
  refresh: "refresh",
  guarded: "guarded GET of an application",
  me: "GET of the signed-in user",
  login: "login, four in flight",
  "lonely login": "login, one at a time",
};

function requestSection({ rows }: RequestsResult): string[] {
  return [
    "## CPU of one request over HTTP",
    "",
    table(
      [left("request"), left("server"), right("CPU µs"), right("latchkey over it")],
      rows.map(({ kind, server, cpuMicros, oursOver }) => [
        KIND_TITLES[kind],
        server,
        number(cpuMicros.median),
        server === "latchkey" ? "" : times(oursOver),
      ]),
    ),
  ];
}

function revocationSection(rows: readonly RevocationRow[]): string[] {
  return [
    "## Ending a session, seen from another process",
    "",
    table(
      [
        left("store"),
        right("sessions ended"),
        right("p50 ms"),
        right("p99 ms"),
        right("longest ms"),
        right("guarded requests"),
        right("statements for them"),
      ],
      rows.map(({ store, samples, p50, p99, max, guard }) => [
        store,
        String(samples),
        number(p50),
        number(p99),
        number(max),
        guard.guarded.toLocaleString("en-US"),
        String(guard.guardStatements),
      ]),
    ),
  ];
}

function memorySection({ entryCount, rows }: NonNullable<SessionsResults["indexMemory"]>): string[] {
  return [
    `## The revocation index with ${entryCount.toLocaleString("en-US")} live entries`,
    "",
    table(
      [left("entries"), right("MB"), right("bytes an entry")],
      rows.map(({ kind, bytes }) => [kind, number(bytes / 1e6), number(bytes / entryCount)]),
    ),
  ];
}

function method({ rotations, requests }: SessionsResults): string[] {
  return [
    "## How it was measured",
    "",
    `- Rotations: ${rotations[0]?.rounds ?? "no"} rounds, each running the engine and the bare statement on both tables in random order;`,
    "  ratios are taken inside a round. `auth.refresh` with an attempt id, an address and a user agent, 64 in flight;",
    "  every session in turn, in random order, and the clock steps past the grace before it is a session's turn again, so",
    "  that each refresh rotates: the generations in the table are added up at the end and must equal the refreshes.",
    "- The bare statement is the engine's own UPDATE with values made beforehand. SQLite: prepared, on the main thread, 64",
    "  to a transaction, on a copy of the file with the engine's settings (WAL, `synchronous = FULL`). PostgreSQL: through",
    "  postgres.js, prepared, 64 in flight over as many connections as the engine has, on a copy of the database; the server",
    "  has the settings it comes with and waits for the disk.",
    "- The event loop's delay is that of the process that both makes the refreshes and serves them, by `monitorEventLoopDelay`.",
    "- CPU of a request: the server is a process of its own, the load comes from another, everybody is asked in turn in",
    `  random order, ${
      requests?.rows.length
        ? `${Object.entries(requests.counts)
            .map(([kind, count]) => `${count} × ${kind}`)
            .join(", ")} a round`
        : "so many requests a round"
    }; user and system time of the server's process, all threads, divided by the`,
    "  requests. 16 requests in flight. A hash after a pause costs more than one after another (its memory has left the",
    "  caches), so logins are measured both one at a time and four in flight. NODE_ENV=production everywhere.",
    "- *latchkey* is the server as `latchkey serve` runs it, logging each request. *home-made* is `sessions/home-made-server.ts`:",
    "  express 5, jsonwebtoken with secrets as text, a table of hashed refresh tokens in node:sqlite that are replaced at each",
    "  use; no reuse rule, no grace, no log. *better-auth* has its own node handler; *session write* is its `get-session` with",
    "  `updateAge: 0`, *cookie cache* the same with the signed cookie. All stores are SQLite with WAL and `synchronous = FULL`;",
    "  passwords are argon2id by @node-rs/argon2 with equal parameters.",
    "- *Guarded GET of an application*: one route on bare `node:http` that asks `auth.authenticate` or `auth.api.getSession`;",
    "  home-made's is express with its middleware. *GET of the signed-in user*: `/v1/users/me` and `/api/auth/get-session`.",
    "- Ending: two servers on one store; the session is ended on one by its refresh token, and a client asks an application",
    "  of the other once a millisecond from the acknowledgement to the first 401. Ends come at random moments.",
    "- The index: heap and buffers of a process before and after it was filled, both after garbage collection.",
  ];
}
