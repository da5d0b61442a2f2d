/** Making new keys. */
import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { type Algorithm, type PairAlgorithm, type SecretAlgorithm, statedRow } from "./algorithms.ts";
import { makePairKey, makeSecretKey } from "./import-key.ts";
import type { PrivateKey, SecretKey } from "./key.ts";
import { refuseBadKid } from "./key-rules.ts";

export interface GenerateOptions {
  /** The key's name in token headers; as `importKey` has it by default. */
  readonly kid?: string;
  /** Bits of an RSA modulus, 2048 (the default) to 8192. Signing costs about the cube of it. */
  readonly modulusLength?: number;
}

/**
 * Makes a new key. For a secret as many random bytes as the hash has; for a pair its private key, which also verifies.
 * It takes under a millisecond, but for RSA 50 to 1,000.
 * @throws TypeError when the algorithm is none of ours or an option is out of range.
 */
export function generateKey(alg: SecretAlgorithm, options?: GenerateOptions): SecretKey;
export function generateKey(alg: PairAlgorithm, options?: GenerateOptions): PrivateKey;
export function generateKey(alg: Algorithm, options?: GenerateOptions): SecretKey | PrivateKey;
export function generateKey(alg: Algorithm, options: GenerateOptions = {}): SecretKey | PrivateKey {
  const row = statedRow(alg);
  const { kid, modulusLength = 2048 } = options;
  if (kid !== undefined) refuseBadKid(kid);
  if (row.kind === "secret") return makeSecretKey(randomBytes(row.size), { alg, row, kid });
  if (!Number.isInteger(modulusLength) || modulusLength < 2048 || modulusLength > 8192) {
    throw new TypeError("modulusLength is a whole number of bits from 2048 to 8192");
  }
  const { privateKey } = generatePair(row.keyType, { modulusLength, namedCurve: row.namedCurve });
  return makePairKey(privateKey, { alg, row, kid }) as PrivateKey;
}

/** Node types this function once per key type; the table already says which options a type takes. */
const generatePair = generateKeyPairSync as unknown as (
  keyType: string,
  options: { modulusLength: number; namedCurve: string | undefined },
) => { privateKey: KeyObject };
