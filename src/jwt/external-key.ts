/**
 * A private key that this process never sees: it is in a KMS or a hardware module, which signs on request.
 * Verifying needs no request, so it stays what it is with a local public key.
 */
import { rowOf } from "./algorithms.ts";
import { encodeBase64url } from "./base64url.ts";
import { rawEcdsaSignature } from "./ecdsa-der.ts";
import { type Key, materialOf, type PublicKey } from "./key.ts";

export interface ExternalKeyOptions {
  /** The public half, as `importKey` gives it; it brings the algorithm and the `kid`. */
  readonly publicKey: PublicKey;
  /**
   * Signs.
   * @param bytes the text to sign, in ASCII; the service is to hash it as the algorithm says.
   * @returns the signature. A rejection is passed on to whoever called `sign`.
   */
  readonly sign: (bytes: Uint8Array) => Promise<Uint8Array>;
  /** How the service writes ECDSA signatures: "raw" (R and S one after the other, the default) or "der", as most do. */
  readonly signatureFormat?: "raw" | "der";
}

/** A key whose private half is elsewhere. Key sets take it like any other; a signer made of them answers with promises. */
export class ExternalKey {
  readonly type = "external";
  readonly publicKey: PublicKey;
  readonly alg: PublicKey["alg"];
  readonly kid: string;
  readonly #sign: ExternalKeyOptions["sign"];
  readonly #isDer: boolean;

  /** @internal */
  constructor({ publicKey, sign, signatureFormat = "raw" }: ExternalKeyOptions) {
    this.publicKey = publicKey;
    this.alg = publicKey.alg;
    this.kid = publicKey.kid;
    this.#sign = sign;
    this.#isDer = signatureFormat === "der";
    Object.freeze(this);
  }

  /** True: it signs, though not here. */
  get canSign(): boolean {
    return true;
  }

  /**
   * Signs an ASCII text.
   * @returns base64url.
   * @throws TypeError when what came back is no signature by this key: it is checked before anyone else sees it.
   */
  async sign(text: string): Promise<string> {
    const row = rowOf(this.alg);
    const answer = await this.#sign(Buffer.from(text, "latin1"));
    const size = row.kind === "pair" ? (row.size ?? 0) : 0;
    const signature = answer instanceof Uint8Array && this.#isDer ? rawEcdsaSignature(answer, size / 2) : answer;
    const encoded = signature instanceof Uint8Array ? encodeBase64url(signature) : "";
    if (materialOf(this.publicKey).verifies(`${text}.${encoded}`, text.length)) return encoded;
    throw new TypeError(`the external signer did not give an ${this.alg} signature that fits its public key`);
  }
}

/**
 * Makes a key whose private half is elsewhere.
 * @throws TypeError when an option is missing or mistyped.
 */
export function createExternalKey(options: ExternalKeyOptions): ExternalKey {
  const { publicKey, sign, signatureFormat = "raw" } = options ?? {};
  if ((publicKey as Key | undefined)?.type !== "public")
    throw new TypeError('publicKey comes from importKey(…, { type: "public" })');
  if (typeof sign !== "function") throw new TypeError("sign is a function from bytes to a promise of the signature");
  const isEcdsa = rowOf(publicKey.alg).kty === "EC";
  if (signatureFormat !== "raw" && !(signatureFormat === "der" && isEcdsa)) {
    throw new TypeError('signatureFormat is "raw", or for ES256, ES384 and ES512 "der"');
  }
  return new ExternalKey(options);
}
