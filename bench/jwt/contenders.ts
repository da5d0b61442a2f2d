/** Everybody who can do an algorithm, with the same keys, the same claims and the same tokens. */
import { type Algorithm, generateKeyForms, type KeyForms } from "./algorithms.ts";
import { type OwnClaims, ownClaims } from "./claims.ts";
import { type Contender, POOL_SIZE } from "./contender.ts";
import { oursFor, TYP } from "./ours.ts";
import { peersFor } from "./peers.ts";
import { rawFor } from "./raw.ts";

export interface Field {
  readonly key: KeyForms;
  readonly claims: readonly OwnClaims[];
  readonly tokens: readonly string[];
  readonly contenders: readonly Contender[];
}

/**
 * Sets everything up and proves that it works: every contender has verified a token of ours, and caches hold them all.
 * @param entry the module of ours to measure.
 */
export async function fieldFor(algorithm: Algorithm, entry: string): Promise<Field> {
  const key = await generateKeyForms(algorithm);
  const claims = ownClaims(POOL_SIZE);
  const ours = await oursFor(entry, algorithm, key, claims);
  const contenders = [
    ...rawFor(algorithm, key, ours.tokens),
    ...ours.contenders,
    ...peersFor(algorithm, key, claims, TYP),
  ];
  for (const { name, verify } of contenders) {
    const verified = await verify?.call((verify.texts ?? ours.tokens)[0]!, 0);
    if (verify && !verified) throw new Error(`${name} refuses a good ${algorithm.alg} token`);
    if (verify?.isCached) ours.tokens.forEach(verify.call);
  }
  return { key, claims, tokens: ours.tokens, contenders };
}
