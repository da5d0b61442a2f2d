/** results/http.md: the verdict first, then a table for each framework, then how it was measured. */
import { between, type Column, machineText, number, table, times } from "../report.ts";
import { ANONYMOUS, NO_AUTH, OURS_CACHED, TOKEN_COUNT } from "./application.ts";
import type { FrameworkResults, HttpResults } from "./results.ts";
import { CONNECTION_COUNT } from "./rounds.ts";
import type { Measured, Verdict } from "./verdict.ts";

const left = (title: string): Column => ({ title, align: "left" });
const right = (title: string): Column => ({ title, align: "right" });

export function toPage(results: HttpResults, verdicts: readonly Verdict[]): string {
  const versions = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`);
  return [
    "# HTTP: what guarding a route costs",
    "",
    `${machineText(results.machine)}.`,
    `Measured: the packed package, beside ${versions.join(", ")}.`,
    pinningText(results),
    ...(results.isQuick ? ["", "**A quick run: the spread is wide, and the figures below are only a hint.**"] : []),
    "",
    "Ratios are what counts: the median of the rounds, with the 10th and 90th percentile in brackets. Rates and times are",
    "medians that accompany them and hold for this machine and this hour only.",
    "",
    "## The promised figures",
    "",
    verdictTable(verdicts),
    "",
    ...results.frameworks.flatMap((framework) => [...frameworkSection(framework), ""]),
    ...method(results),
    "",
  ].join("\n");
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  return table(
    [left("figure"), left("target"), left("measured"), left("verdict")],
    verdicts.map(({ figure, target, measured, isMet }) => [
      figure,
      target,
      measured.length === 0 ? "not in this run" : measuredSummary(measured),
      isMet === undefined ? "" : isMet ? "met" : "**missed**",
    ]),
  );
}

/** All that miss, or the worst of those that are met. */
function measuredSummary(measured: readonly Measured[]): string {
  const missed = measured.filter(({ isMet }) => !isMet);
  if (missed.length === 0) return `${measured.length > 1 ? "worst: " : ""}${measuredText(measured[0]!)}`;
  const count = measured.length > 1 ? `${missed.length} of ${measured.length}: ` : "";
  return `${count}${missed.map(measuredText).join(" · ")}`;
}

function measuredText({ label, spread, unit }: Measured): string {
  return `${label} ${number(spread.median)}${unit === "times" ? "×" : ` ${unit}`} (${between(spread)})`;
}

function frameworkSection({ framework, rows }: FrameworkResults): string[] {
  return [
    `## ${framework}`,
    "",
    table(
      [
        left("guard"),
        right("to no auth, by CPU"),
        right("by the clock"),
        right("latchkey over it"),
        right("CPU µs"),
        right("load's CPU µs"),
        right("requests/s"),
        right("p99 ms"),
        right("bytes beyond"),
        right("server busy"),
      ],
      rows.map((row) => [
        row.guard,
        row.guard === NO_AUTH ? "" : times(row.toNoAuth),
        row.guard === NO_AUTH ? "" : times(row.rateToNoAuth),
        row.guard === OURS_CACHED || !row.oursOver ? "" : times(row.oursOver),
        number(row.cpuMicros.median),
        number(row.loadCpuMicros.median),
        number(row.requestsPerSecond.median),
        number(row.p99.median),
        ANONYMOUS.includes(row.guard) ? "" : number(row.allocatedBeyond.median),
        `${Math.round(row.utilization.median * 100)} %`,
      ]),
    ),
  ];
}

function pinningText({ cores }: HttpResults): string {
  return cores
    ? `Server on core ${cores.server}, load on core ${cores.load}.`
    : "**Server and load were not pinned to cores of their own: this system has no taskset, or one core.**";
}

function method({ effort: { starts, rounds, turns, turnMs, warmUpRequests } }: HttpResults): string[] {
  return [
    "## How it was measured",
    "",
    '- One route, `GET /profile`, that answers `{"sub":…}` as JSON: bare, and with each guard in front of it, with the',
    "  framework's defaults (NODE_ENV=production). All of a framework are in one process, each on a port of its own: two processes of one",
    "  application differ by up to a tenth for as long as they live, which is more than a guard costs. What Express and Koa make anew for each",
    "  application, the prototypes of requests, is shared, as it is by the routes of one. The load comes from another process.",
    `- The process is started ${starts} times, so that no figure rests on where its memory came to lie.`,
    `- ${rounds} rounds after each start, of ${turns} turns, each turn asking every application of a framework for ${turnMs} ms in random order, after`,
    `  ${warmUpRequests.toLocaleString("en-US")} requests of warm-up. The turns of a round are added up, and ratios are taken inside a round: what disturbs the machine disturbs both sides.`,
    `- ${CONNECTION_COUNT} keep-alive connections with one request in flight on each. The load generator writes prepared requests to raw sockets,`,
    `  ${TOKEN_COUNT} different tokens in turn, the same bytes for everybody, and checks of every answer the status, the length and`,
    "  that it names the token's user. *Server busy* is the share of a core that the server had: what lacks to 100 % is what other",
    "  processes took, or time in which the server waited for the load.",
    "  The load never sleeps during a turn: a server pays for waking whom it writes to, the more often the slower it is.",
    "- *By CPU*: user and system time of the server's process, all its threads, for one request; this is what the figures are held",
    "  against, since a neighbour that takes the core away does not count. *By the clock*: requests per second.",
    "- Everybody verifies the same HS256 tokens, which `auth.refresh` signed: signature, `exp`, `iss` and `aud`. Caches hold all",
    "  tokens. *latchkey* is `requireAuth` over `createAuth` on SQLite and also knows which sessions have ended; *latchkey, no",
    "  cache* is `requireAuth` over a verifier without a cache, as in a service that holds no database. *A guard that does",
    "  nothing* is the framework's own price for having one.",
    "- Peers have a KeyObject or CryptoKey that was made once where they take one. @fastify/jwt and fast-jwt have their cache on;",
    "  fast-jwt's is keyed by the token itself, which is quicker than by the hash of it, as it would otherwise. @fastify/jwt is there both ways.",
    "- On Hono a guard before a handler makes Hono compose the two, which costs more than the guard; *around the handler* is",
    "  `requireAuth(auth).around(handler)`.",
    "- *Bytes beyond*: V8's own count of allocated bytes over the same requests, less that of the guard that does nothing in the same round.",
  ];
}
