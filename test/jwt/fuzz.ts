/**
 * `npm run fuzz`: verifies a million mutated tokens and stops at the first that is answered with anything but the right AuthError.
 * A mutant that verifies is right only if it is, letter for letter, a token that was signed here; every eighth is signed anew, to get past the
 * signature, and may verify. The same seed makes the same mutations, of keys that are new each time; the mutant that went wrong is printed whole:
 * `node test/jwt/fuzz.ts --seed 42 --count 1000000`.
 */
import { parseArgs } from "node:util";
import { AuthError } from "../../src/errors.ts";
import { type Algorithm, createKeySet, createVerifier, type Key } from "../../src/jwt/index.ts";
import { fakeSystem } from "../support/fake-system.ts";
import { AUDIENCE, encode, ISSUER, keyFor, signEncoded, signRaw } from "./support.ts";

const { values } = parseArgs({ options: { seed: { type: "string" }, count: { type: "string", default: "1000000" } } });
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
const count = Number(values.count);

const CODES = new Set(["token_invalid", "token_expired", "token_subject_missing"]);
/** How often each is fuzzed: a signature of the slow ones takes fifty times as long to check. */
const ALGORITHMS: readonly [Algorithm, weight: number][] = [
  ["HS256", 60],
  ["HS384", 10],
  ["HS512", 10],
  ["RS256", 8],
  ["ES256", 6],
  ["EdDSA", 3],
  ["PS256", 2],
  ["ML-DSA-44", 1],
];

/** Mulberry32: small, and the same on every machine. */
function createRandom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = createRandom(seed);
const below = (limit: number): number => Math.floor(random() * limit);
const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;

const PIECES = [
  ".",
  "..",
  "=",
  "+",
  "/",
  " ",
  "\n",
  "\0",
  "é",
  "\ud800",
  "A",
  "_",
  "-",
  "e30",
  "bnVsbA",
  "eyJhbGciOiJub25lIn0",
  encode({ alg: "none" }),
  encode({ crit: ["b64"], b64: false }),
];

type Mutation = (token: string, other: string) => string;

const MUTATIONS: readonly Mutation[] = [
  (token) => replaceAt(token, below(token.length), String.fromCharCode(below(128))),
  (token) =>
    replaceAt(
      token,
      below(token.length),
      pick("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".split("")),
    ),
  (token) => replaceAt(token, below(token.length), String.fromCharCode(below(0x10000))),
  (token) => token.slice(0, below(token.length)),
  (token) => token.slice(below(token.length)),
  (token) => insertAt(token, below(token.length + 1), pick(PIECES)),
  (token) => token.slice(0, below(token.length)) + token.slice(below(token.length)),
  (token, other) => token.slice(0, below(token.length)) + other.slice(below(other.length)),
  (token, other) => withPart(token, below(3), other.split(".")[below(3)] ?? ""),
  (token) => withPart(token, below(3), pick(PIECES)),
  (token) => withPart(token, 0, mutateJson(token.split(".")[0] ?? "")),
  (token) => withPart(token, 1, mutateJson(token.split(".")[1] ?? "")),
  (token) => insertAt(token, below(token.length), "x".repeat(below(9000))),
  (token) => token.split(".").reverse().join("."),
];

function replaceAt(text: string, at: number, piece: string): string {
  return text.slice(0, at) + piece + text.slice(at + 1);
}

function insertAt(text: string, at: number, piece: string): string {
  return text.slice(0, at) + piece + text.slice(at);
}

function withPart(token: string, index: number, part: string): string {
  const parts = token.split(".");
  parts[index] = part;
  return parts.join(".");
}

function mutateJson(encoded: string): string {
  const text = Buffer.from(encoded, "base64url").toString("latin1");
  const piece = pick([
    '"',
    ",",
    ":",
    "{",
    "}",
    "[",
    "]",
    "\\",
    "1e999",
    "null",
    '"alg":"none"',
    '"sub":"1"',
    '"exp":9e9',
    "\ufeff",
    '"__proto__":{}',
    '"crit":[]',
  ]);
  return encode(Buffer.from(insertAt(text, below(text.length + 1), piece), "latin1"));
}

const system = fakeSystem();
const now = system.now();
const fields = ALGORITHMS.map(([alg, weight]) => {
  const key = keyFor(alg);
  const header = { alg, typ: "at+jwt", kid: key.kid };
  const claims = { iss: ISSUER, aud: AUDIENCE, sub: "42", iat: now, exp: now + 900 };
  const tokens = [claims, { ...claims, roles: ["a"], jti: "j" }, { ...claims, exp: now - 60, iat: now - 90 }].map(
    (content) => signRaw(key, header, content),
  );
  const options = { keys: createKeySet([key]), issuer: ISSUER, audience: AUDIENCE, system } as const;
  return { alg, key, weight, tokens, verifiers: [createVerifier(options), createVerifier({ ...options, cache: 64 })] };
});
const turns = fields.flatMap((field) => Array.from({ length: field.weight }, () => field));

/** Signs a mutant's first two parts, if it has them, so that its header and claims are read. */
function signAnew(mutant: string, key: Key): string {
  const [header, claims] = mutant.split(".");
  return header !== undefined && claims !== undefined && mutant.length < 8000
    ? signEncoded(key, header, claims)
    : mutant;
}

/** What is wrong with the answer to a mutant, or `undefined`. */
function wrongAnswer(
  verify: (token: string) => unknown,
  mutant: string,
  tokens: readonly string[],
): string | undefined {
  try {
    verify(mutant);
    return tokens.includes(mutant) ? undefined : "a mutant was accepted";
  } catch (error) {
    if (error instanceof AuthError && CODES.has(error.code)) return undefined;
    return `it threw ${error}`;
  }
}

console.log(`${count} mutated tokens, seed ${seed}`);
const start = performance.now();
for (let done = 1; done <= count; done++) {
  const { alg, key, tokens, verifiers } = pick(turns);
  let mutant = pick(tokens);
  for (let i = 0; i <= below(3); i++) mutant = pick(MUTATIONS)(mutant, pick(tokens));
  const isSigned = alg === "HS256" && below(8) === 0;
  if (isSigned) mutant = signAnew(mutant, key);
  const wrong = wrongAnswer(pick(verifiers).verify, mutant, isSigned ? [...tokens, mutant] : tokens);
  if (wrong !== undefined) {
    console.error(`${wrong} (${alg}, seed ${seed}, mutant ${done}):\n${JSON.stringify(mutant)}`);
    process.exit(1);
  }
  if (done % Math.ceil(count / 20) === 0)
    console.log(`${done} in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
console.log("every one was refused with an AuthError, or was a token that had been signed");
