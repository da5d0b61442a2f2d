/** What the README's chart shows of the results: one verification, by everybody, for one algorithm of each kind. */
import type { Bar, Chart, Panel } from "../chart.ts";
import { number } from "../report.ts";
import { OURS, OURS_CACHED } from "./contender.ts";
import type { AlgorithmResults, JwtResults } from "./results.ts";

const SHOWN_ALGORITHMS = ["HS256", "RS256", "ES256", "EdDSA"];
/** The best row of every peer is among these. */
const SHOWN: readonly (readonly [name: string, label: string])[] = [
  [OURS, "latchkey"],
  [OURS_CACHED, "latchkey, cache hit"],
  ["fast-jwt", "fast-jwt"],
  ["fast-jwt, its cache", "fast-jwt, cache hit"],
  ["fast-jwt, its cache keyed by the whole token", "fast-jwt, hit, token as key"],
  ["jsonwebtoken, KeyObject", "jsonwebtoken, KeyObject"],
  ["jose", "jose, one at a time"],
  ["jose, 32 in flight", "jose, 32 in flight"],
  ["hono/jwt, CryptoKey, 32 in flight", "hono/jwt, 32 in flight"],
];

export function toChart({ algorithms, machine, versions }: JwtResults): Chart {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return {
    title: "What it costs to verify an access token",
    subtitle: `Times the bare signature check of node:crypto (dotted line); shorter is better; ${machine.cores} cores`,
    footnote: `Node ${machine.node} · ${named.join(" · ")} · ${machine.date}`,
    rows: SHOWN.map(([name, label]) => ({ label, isOurs: name === OURS || name === OURS_CACHED })),
    panels: algorithms.filter(({ alg }) => SHOWN_ALGORITHMS.includes(alg)).map(toPanel),
  };
}

function toPanel({ alg, verify }: AlgorithmResults): Panel {
  const bars = SHOWN.map(([name]): Bar | undefined => {
    const row = verify.find((one) => one.name === name);
    return row && { value: row.toRaw.median, text: `${number(row.toRaw.median)}×` };
  });
  return { title: alg, reference: 1, bars };
}
