/**
 * A key: one piece of secret, private or public material that serves one algorithm and no other (RFC 8725 §3.1).
 * Its fields are public facts. The material itself is out of reach of `console.log`, `JSON.stringify` and property walks; only this folder can
 * ask for it.
 */
import type { KeyObject } from "node:crypto";
import type { Algorithm, PairAlgorithm, SecretAlgorithm } from "./algorithms.ts";

export type KeyType = "secret" | "private" | "public";

/** What a key can do with texts; made once, at import. */
export interface KeyMaterial {
  /** The key as Node holds it; of a private key, the private half. */
  readonly keyObject: KeyObject;
  /**
   * Checks the signature of a token.
   * @param token ASCII, free of "+" and "/", at most 8 KiB: the signed text, a dot, the signature.
   * @param inputLength where that dot is.
   */
  readonly verifies: (token: string, inputLength: number) => boolean;
  /** Signs an ASCII text of at most 8 KiB that comes in two parts; base64url. Absent from a public key. */
  readonly sign: ((header: string, payload: string) => string) | undefined;
}

let readMaterial: (key: Key) => KeyMaterial;

/** Made by `importKey` and `generateKey`. */
export class Key<Type extends KeyType = KeyType> {
  readonly type: Type;
  /** The one algorithm that this key serves. It decides what a token's header must say, never the other way round. */
  readonly alg: Type extends "secret" ? SecretAlgorithm : PairAlgorithm;
  /** Its name in a token's header (RFC 7515 §4.1.4). */
  readonly kid: string;
  readonly #material: KeyMaterial;

  static {
    readMaterial = (key) => key.#material;
  }

  /** @internal */
  constructor(type: Type, alg: Algorithm, kid: string, material: KeyMaterial) {
    this.type = type;
    this.alg = alg as Key<Type>["alg"];
    this.kid = kid;
    this.#material = material;
    Object.freeze(this);
  }

  /** True for a secret and for a private key. */
  get canSign(): boolean {
    return this.type !== "public";
  }
}

export type SecretKey = Key<"secret">;
export type PrivateKey = Key<"private">;
export type PublicKey = Key<"public">;

/** The inside of a key. */
export function materialOf(key: Key): KeyMaterial {
  return readMaterial(key);
}
