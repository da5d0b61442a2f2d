/**
 * Secrets: judged once, then only derived from.
 * Whoever can verify an HS256 token can also mint one, so the secret that signs access tokens is never used for
 * anything else as it stands: every other key is derived from the root with HKDF (RFC 5869) under a label of its own.
 */
import { hkdfSync } from "node:crypto";

/** Secrets carry numbers so that a token can say which one made it, and a new one can come without signing anyone out. */
export interface NumberedSecret {
  /** 1 to 65,535; grows with every new secret. */
  readonly number: number;
  readonly secret: string | Uint8Array;
}

/** One secret (its number is then 1), or a list whose first entry makes tokens and whose others are still accepted. */
export type RootSecret = string | Uint8Array | readonly NumberedSecret[];

/** A key for each accepted secret, all derived under one label. */
export interface NumberedKeys {
  /** The number that new tokens are made under. */
  readonly current: number;
  readonly newest: number;
  readonly byNumber: ReadonlyMap<number, Uint8Array>;
}

const HKDF_SALT = "latchkey/v1";
const KEY_SIZE = 32;
/** HS256 wants 32 bytes (RFC 7518 §3.2), and a root that other keys come from no fewer. */
const SMALLEST_SECRET = 32;

/**
 * Derives one 256-bit key per accepted secret.
 * @param label what the key is for, such as "refresh-token"; two labels never give the same key.
 * @throws TypeError for a secret that `secretProblem` refuses, or numbers that are repeated or out of range.
 */
export function deriveKeys(root: RootSecret, label: string): NumberedKeys {
  const secrets = toNumberedSecrets(root);
  const byNumber = new Map<number, Uint8Array>();
  for (const { number, secret } of secrets) {
    byNumber.set(number, new Uint8Array(hkdfSync("sha256", secret, HKDF_SALT, label, KEY_SIZE)));
  }
  return { current: (secrets[0] as NumberedSecret).number, newest: Math.max(...byNumber.keys()), byNumber };
}

/**
 * A secret or several as a list, the one that makes tokens first.
 * @throws TypeError for a secret that `secretProblem` refuses, or numbers that are repeated or out of range.
 */
export function toNumberedSecrets(root: RootSecret): readonly NumberedSecret[] {
  const secrets = Array.isArray(root)
    ? (root as readonly NumberedSecret[])
    : [{ number: 1, secret: root as string | Uint8Array }];
  if (secrets.length === 0) throw new TypeError("at least one secret is needed");
  const numbers = new Set<number>();
  for (const { number, secret } of secrets) {
    if (!Number.isInteger(number) || number < 1 || number > 65_535) {
      throw new TypeError("the number of a secret must be a whole number from 1 to 65535");
    }
    if (numbers.has(number)) throw new TypeError(`there are two secrets with the number ${number}`);
    numbers.add(number);
    const problem = secretProblem(secret);
    if (problem) throw new TypeError(`the secret ${problem}`);
  }
  return secrets;
}

/** The words that examples and templates are made of. A secret of nothing else was copied from a document. */
const PLACEHOLDER_WORDS = new Set(
  (
    "your my our the a an some this that is in to of or at and be with by it here not do use me super very top ultra " +
    "secret secrets key keys private signing jwt hs token change changed replace replaced set generate generated " +
    "please prod production dev development local testing test demo example sample placeholder default insecure " +
    "unsafe secure strong random string text value long longer enough least characters chars character bytes byte " +
    "bits bit password passphrase todo fixme foo bar baz xxx django fastapi app application " +
    "0 1 2 3 4 5 6 7 8 9"
  ).split(" "),
);
const LONGEST_WORD = Math.max(...[...PLACEHOLDER_WORDS].map((word) => word.length));

/** True when the letters and digits of a text can be read as placeholder words from end to end. */
function isPlaceholder(text: string): boolean {
  const letters = text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const readable = [true]; // readable[n]: the first n letters are whole words
  for (let end = 1; end <= letters.length; end++) {
    for (let size = 1; size <= Math.min(end, LONGEST_WORD) && !readable[end]; size++) {
      readable[end] = readable[end - size] === true && PLACEHOLDER_WORDS.has(letters.slice(end - size, end));
    }
  }
  return readable[letters.length] === true;
}

/**
 * Judges a secret.
 * @returns what is wrong with it, worded to follow "the secret …" and ending in the way out; `undefined` when it will do.
 */
export function secretProblem(secret: string | Uint8Array): string | undefined {
  const wayOut = "make one with: openssl rand -base64 48";
  if (typeof secret !== "string" && !(secret instanceof Uint8Array)) return `must be a text or bytes; ${wayOut}`;
  const bytes = Buffer.from(secret as string);
  if (bytes.length === 0) return `is empty; ${wayOut}`;
  if (bytes.length < SMALLEST_SECRET) {
    return `has ${bytes.length} bytes and needs at least ${SMALLEST_SECRET}; ${wayOut}`;
  }
  if (bytes.length > 4096) return `has ${bytes.length} bytes, more than 4096; ${wayOut}`;
  if (typeof secret === "string" && isPlaceholder(secret)) return `is a placeholder; ${wayOut}`;
  if (new Set(bytes).size < 8 || isRepetition(bytes) || isSequence(bytes)) return `is easy to guess; ${wayOut}`;
  return undefined;
}

/** "abcabcabc…": the whole is one shorter piece again and again. */
function isRepetition(bytes: Uint8Array): boolean {
  for (let period = 1; period <= bytes.length / 2; period++) {
    let matches = true;
    for (let i = period; i < bytes.length && matches; i++) matches = bytes[i] === bytes[i - period];
    if (matches) return true;
  }
  return false;
}

/** "abcdefgh…" or "9876543…": nearly every byte follows from the one before it. */
function isSequence(bytes: Uint8Array): boolean {
  let steps = 0;
  for (let i = 1; i < bytes.length; i++) {
    if (Math.abs((bytes[i] as number) - (bytes[i - 1] as number)) <= 1) steps++;
  }
  return steps > bytes.length * 0.8;
}
