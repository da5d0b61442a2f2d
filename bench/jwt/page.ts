/** results/jwt.md: the verdict first, then every table, then how it was measured. */
import { between, type Column, machineText, number, table, times } from "../report.ts";
import { OURS, OURS_CACHED } from "./contender.ts";
import type { AlgorithmResults, HostileResults, JwtResults, Row } from "./results.ts";
import type { Measured, Verdict } from "./verdict.ts";

const left = (title: string): Column => ({ title, align: "left" });
const right = (title: string): Column => ({ title, align: "right" });

export function toPage(results: JwtResults, verdicts: readonly Verdict[]): string {
  const versions = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`);
  const [first] = results.algorithms;
  return [
    "# Tokens: what signing and verifying cost",
    "",
    `${machineText(results.machine)}.`,
    `Measured: latchkey as ${results.form}, beside ${versions.join(", ")}.`,
    ...(results.isQuick ? ["", "**A quick run: the spread is wide, and the figures below are only a hint.**"] : []),
    "",
    "Ratios are what counts: the median of the rounds, with the 10th and 90th percentile in brackets. Microseconds are",
    "medians that accompany them and hold for this machine and this hour only.",
    "",
    "## The promised figures",
    "",
    verdictTable(verdicts),
    "",
    ...results.algorithms.flatMap((algorithm) => [...algorithmSection(algorithm), ""]),
    ...(results.heap.length > 0 ? [...heapSection(results), ""] : []),
    ...(results.hostile ? [...hostileSection(results.hostile), ""] : []),
    ...(results.imports ? [...importSection(results.imports), ""] : []),
    ...method(results, first),
  ].join("\n");
}

export function verdictTable(verdicts: readonly Verdict[]): string {
  return table(
    [left("figure"), left("target"), left("measured"), left("")],
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

function measuredText({ label, value, spread, unit }: Measured): string {
  const suffix = unit === "times" ? "×" : ` ${unit}`;
  const text = `${number(value)}${suffix}${spread ? ` (${between(spread)})` : ""}`;
  return label ? `${label} ${text}` : text;
}

function algorithmSection({ alg, tokenLength, payloadLength, sign, verify }: AlgorithmResults): string[] {
  return [
    `## ${alg}`,
    "",
    `A payload of ${payloadLength} bytes, a token of ${tokenLength} characters.`,
    "",
    speedTable("sign", sign),
    "",
    speedTable("verify", verify),
  ];
}

function speedTable(what: string, rows: readonly Row[]): string {
  const hasCache = rows.some(({ name }) => name === OURS_CACHED);
  return table(
    [
      left(what),
      right("to raw"),
      right(`to ${OURS}`),
      ...(hasCache ? [right(`to ${OURS_CACHED}`)] : []),
      right("µs"),
      right("CPU µs"),
    ],
    rows.map(({ name, micros, cpuMicros, toRaw, toOurs, toOursCached }) => [
      name,
      times(toRaw),
      times(toOurs),
      ...(toOursCached ? [`${number(toOursCached.median)}×`] : []),
      number(micros.median),
      number(cpuMicros),
    ]),
  );
}

function heapSection({ heap }: JwtResults): string[] {
  const ours = heap.find(({ name }) => name === OURS)?.bytes;
  return [
    "## Heap bytes of one HS256 verification",
    "",
    table(
      [left("verify"), right("bytes"), right(`to ${OURS}`)],
      heap.map(({ name, bytes }) => [name, number(bytes), ours ? `${number(bytes / ours)}×` : ""]),
    ),
  ];
}

function hostileSection({ rows, macAtLimit }: HostileResults): string[] {
  const names = Object.keys(rows[0]?.toGood ?? {});
  return [
    "## Refusing hostile tokens (HS256)",
    "",
    "Times verifying a good token with the same library in the same round; median microseconds in brackets. Peers have no",
    `limit on a token's length: a well-signed long one is verified. *${OURS_CACHED}* is held against ${OURS} without it.`,
    "",
    `One bare HMAC over 8 KiB costs ${times(macAtLimit)} what verifying a good token costs: whoever checks the signature of a`,
    "well-formed forgery of that length can't refuse it for much less.",
    "",
    table(
      [left("form"), right("characters"), ...names.map(right), right(`${OURS} to raw HMAC`)],
      rows.map((row) => [
        row.form,
        number(row.length),
        ...names.map((name) => `${number(row.toGood[name]!.median)}× (${number(row.micros[name]!)})`),
        times(row.toRaw),
      ]),
    ),
  ];
}

function importSection({ base, costs }: NonNullable<JwtResults["imports"]>): string[] {
  return [
    "## Importing",
    "",
    `Milliseconds on top of a process that imports node:crypto alone (${number(base.median)} ms on this machine).`,
    "",
    table(
      [left("import"), right("ms"), right("spread")],
      costs.map(({ name, added }) => [name, number(added.median), between(added)]),
    ),
  ];
}

function method({ rounds, batchMs }: JwtResults, first: AlgorithmResults | undefined): string[] {
  return [
    "## How it was measured",
    "",
    `- Each algorithm in a process of its own; ${rounds} rounds, each running everybody once in random order for about`,
    `  ${batchMs} ms; ratios are taken inside a round, so that what disturbs the machine disturbs both sides. Warm-up is`,
    "  not counted; the nursery is collected between batches, off the clock.",
    "- *raw* has the bytes, the signature and the key ready and does nothing else: one-shot `crypto.sign` and",
    "  `crypto.verify`; for HS `createHmac(…).update(text).digest()`, as base64url text where it signs.",
    `- Everybody verifies the same 512 tokens that ${OURS} signed${first ? ` (payload of ${first.payloadLength} bytes)` : ""}, in turn, each time as a new string`,
    "  cut from a header, as a server gets it. The algorithm, `exp`, `iss` and `aud` are checked by all;",
    `  ${OURS} also checks everything else that it always does. Caches hold all 512 tokens, and every call is a hit.`,
    "- *in flight*: that many promises open at any moment, which lets WebCrypto use all cores; *CPU µs* counts all threads.",
    "- Peers have prepared keys (KeyObject, CryptoKey) in their best row and the key as text in the row named so.",
    "- Heap: V8's own count of allocated bytes over many calls, after warm-up, in a process for each; memory outside the",
    "  heap is not in it.",
  ];
}
