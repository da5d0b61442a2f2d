/**
 * The yardstick: what the signature alone costs in node:crypto, with everything around it left out. The bytes to sign
 * or to check, the signature and the key lie ready; nothing is encoded, decoded, parsed or checked.
 */
import { createHmac, sign, verify } from "node:crypto";
import type { Algorithm, KeyForms } from "./algorithms.ts";
import { type Contender, RAW } from "./contender.ts";

/** @param tokens what the others verify; their signing inputs and signatures are taken apart here, off the clock. */
export function rawFor(algorithm: Algorithm, key: KeyForms, tokens: readonly string[]): Contender[] {
  const inputs = tokens.map((token) => token.slice(0, token.lastIndexOf(".")));
  return algorithm.family === "HS" ? rawMac(algorithm, key, inputs) : rawSignature(algorithm, key, tokens, inputs);
}

function rawMac({ digest }: Algorithm, key: KeyForms, inputs: readonly string[]): Contender[] {
  const secret = key.privateKey;
  const hash = digest!;
  const toText = (input: string): string => createHmac(hash, secret).update(input).digest("base64url");
  const toBuffer = (input: string): Buffer => createHmac(hash, secret).update(input).digest();
  return [
    {
      name: RAW,
      // Signing needs the MAC as text; verifying needs its bytes, because they are what is compared in constant time.
      sign: { texts: inputs, call: toText },
      verify: { texts: inputs, call: toBuffer },
    },
    { name: `${RAW}, MAC as text`, verify: { texts: inputs, call: toText } },
  ];
}

function rawSignature(
  algorithm: Algorithm,
  key: KeyForms,
  tokens: readonly string[],
  inputs: readonly string[],
): Contender[] {
  const { digest, options } = algorithm;
  const bytes = inputs.map((input) => Buffer.from(input));
  const signatures = tokens.map((token) => Buffer.from(token.slice(token.lastIndexOf(".") + 1), "base64url"));
  // A bare KeyObject where nothing has to be said beside it: the least work that node:crypto can be given.
  const isBare = Object.keys(options).length === 0;
  const privateKey = isBare ? key.privateKey : { key: key.privateKey, ...options };
  const publicKey = isBare ? key.publicKey : { key: key.publicKey, ...options };
  return [
    {
      name: RAW,
      sign: { call: (_, index) => sign(digest, bytes[index]!, privateKey) },
      verify: { call: (_, index) => verify(digest, bytes[index]!, publicKey, signatures[index]!) },
    },
  ];
}
