/**
 * The process that measures signing and verifying with one algorithm, everybody against everybody.
 * Started by run.ts, once an algorithm.
 */
import { answerParent } from "../child.ts";
import { type Case, type MeasuringOptions, measureInterleaved, type Series } from "../measure.ts";
import { algorithmNamed } from "./algorithms.ts";
import { type Contender, toCase } from "./contender.ts";
import { fieldFor } from "./contenders.ts";

export interface SpeedInput {
  readonly alg: string;
  readonly entry: string;
  readonly measuring: MeasuringOptions;
}

export interface SpeedResult {
  readonly tokenLength: number;
  readonly payloadLength: number;
  readonly sign: readonly Series[];
  readonly verify: readonly Series[];
}

/** ML-DSA signs by trial and error (FIPS 204 §3.2): the cost of one signature varies as much as its mean is long. */
const ML_DSA_SIGN_BATCH_FACTOR = 8;

await answerParent(async ({ alg, entry, measuring }: SpeedInput, progress): Promise<SpeedResult> => {
  const algorithm = algorithmNamed(alg);
  const { contenders, tokens } = await fieldFor(algorithm, entry);
  progress(`${alg} sign`);
  const sign = await measureInterleaved(casesOf(contenders, "sign", tokens, algorithm.family === "ML-DSA"), measuring);
  progress(`${alg} verify`);
  const verify = await measureInterleaved(casesOf(contenders, "verify", tokens, false), measuring);
  const token = tokens[0]!;
  const payloadLength = Buffer.from(token.split(".")[1]!, "base64url").length;
  return { tokenLength: token.length, payloadLength, sign, verify };
});

function casesOf(
  contenders: readonly Contender[],
  what: "sign" | "verify",
  tokens: readonly string[],
  isLong: boolean,
): Case[] {
  return contenders.flatMap((contender) => {
    const operation = contender[what];
    if (!operation) return [];
    const longer = isLong ? { batchFactor: ML_DSA_SIGN_BATCH_FACTOR } : {};
    return [toCase(contender.name, { ...operation, ...longer }, tokens)];
  });
}
