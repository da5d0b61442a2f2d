/** New key pairs, made on the thread pool: an RSA key takes up to a second, in which the server goes on answering. */
import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { type PairAlgorithm, rowOf, type SignatureRow } from "../jwt/algorithms.ts";
import { importKey } from "../jwt/import-key.ts";
import type { Jwk } from "../jwt/jwk.ts";
import type { PrivateKey } from "../jwt/key.ts";

/** Node types this function once per key type; the table already says which options a type takes. */
const generate = promisify(generateKeyPair) as unknown as (
  keyType: string,
  options: { readonly modulusLength: number; readonly namedCurve: string | undefined },
) => Promise<{ readonly privateKey: KeyObject }>;

/** @returns a private key whose `kid` is its RFC 7638 thumbprint. */
export async function makeKey(alg: PairAlgorithm): Promise<PrivateKey> {
  const { keyType, namedCurve } = rowOf(alg) as SignatureRow;
  const { privateKey } = await generate(keyType, { modulusLength: 2048, namedCurve });
  return importKey(privateKey.export({ format: "jwk" }) as unknown as Jwk, { alg, type: "private" });
}
