/**
 * The secrets of the configuration as keys of HS256, HS384 and HS512. Secret number 1 is named as its algorithm, as it is
 * where there is no ring; number 2 of HS256 is "HS256.2". A name says nothing about the secret (docs/keys.md).
 */
import { type Algorithm, rowOf, type SecretAlgorithm } from "../jwt/algorithms.ts";
import { importKey } from "../jwt/import-key.ts";
import type { SecretKey } from "../jwt/key.ts";
import { type NumberedSecret, type RootSecret, toNumberedSecrets } from "../secrets.ts";

export interface SecretKeys {
  /** The name of the key that the first secret is under an algorithm. */
  currentKid(alg: SecretAlgorithm): string;
  /** The names of all of them. */
  kids(alg: SecretAlgorithm): readonly string[];
  /** The key of that name; `undefined` when the configuration has no such secret, or one too short for the algorithm. */
  find(kid: string, alg: SecretAlgorithm): SecretKey | undefined;
}

export const isSecretAlgorithm = (alg: Algorithm): alg is SecretAlgorithm => rowOf(alg).kind === "secret";

export function createSecretKeys(secrets: RootSecret): SecretKeys {
  const numbered = toNumberedSecrets(secrets);
  const made = new Map<string, SecretKey>();
  const kidOf = ({ number }: NumberedSecret, alg: SecretAlgorithm) => (number === 1 ? alg : `${alg}.${number}`);

  return {
    currentKid: (alg) => kidOf(numbered[0] as NumberedSecret, alg),
    kids: (alg) => numbered.map((secret) => kidOf(secret, alg)),
    find(kid, alg) {
      const secret = numbered.find((candidate) => kidOf(candidate, alg) === kid)?.secret;
      const row = rowOf(alg);
      if (secret === undefined || row.kind !== "secret" || Buffer.byteLength(secret) < row.size) return undefined;
      const key = made.get(kid) ?? importKey(Buffer.from(secret as string), { alg, kid });
      made.set(kid, key);
      return key;
    },
  };
}
