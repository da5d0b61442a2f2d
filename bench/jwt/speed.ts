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

/**
 * Longer batches for signing. ML-DSA signs by trial and error (FIPS 204 §3.2): the cost of one signature varies as much as its mean is long. Of an RSA
 * signature a usual batch holds fifty, of which a neighbour's burst takes the half.
 */
const SIGN_BATCH_FACTORS: Readonly<Record<string, number>> = { RS: 4, PS: 4, "ML-DSA": 8 };

await answerParent(async ({ alg, entry, measuring }: SpeedInput, progress): Promise<SpeedResult> => {
  const algorithm = algorithmNamed(alg);
  const { contenders, tokens } = await fieldFor(algorithm, entry);
  progress(`${alg} sign`);
  const sign = await measureInterleaved(
    casesOf(contenders, "sign", tokens, SIGN_BATCH_FACTORS[algorithm.family]),
    measuring,
  );
  progress(`${alg} verify`);
  const verify = await measureInterleaved(casesOf(contenders, "verify", tokens), measuring);
  const token = tokens[0]!;
  const payloadLength = Buffer.from(token.split(".")[1]!, "base64url").length;
  return { tokenLength: token.length, payloadLength, sign, verify };
});

function casesOf(
  contenders: readonly Contender[],
  what: "sign" | "verify",
  tokens: readonly string[],
  batchFactor = 1,
): Case[] {
  return contenders.flatMap((contender) => {
    const operation = contender[what];
    if (!operation) return [];
    return [toCase(contender.name, { ...operation, batchFactor }, tokens)];
  });
}
