/**
 * Password hashes as Django stores them: read, checked, and written in the one format that every Django reads.
 * The text before the first `$` names the algorithm. The salt's text is used as it stands, the password as UTF-8 without
 * normalisation. What a row may cost is bounded: whoever can write one row must not be able to occupy a core for minutes.
 */
import { hash, pbkdf2, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { type Argon2Parameters, deriveArgon2, isBounded } from "./argon2.ts";

/** A stored hash of another system, read but not yet checked. */
export interface ForeignHash {
  /** Algorithm and cost: hashes of one kind take the same work. */
  readonly kind: string;
  /** True for what is weaker than the format that Django prefers: SHA-1, argon2i, bcrypt's 72 bytes. */
  readonly isOutdated: boolean;
  /** Iterations of `pbkdf2_sha256`, the format that Django prefers; `undefined` for the others. */
  readonly iterations: number | undefined;
  matches(password: string): Promise<boolean>;
}

/** What Django 5.2 writes. */
export const DJANGO_ITERATIONS = 1_000_000;
/** Beyond what any Django writes (1,500,000 in 6.1), and a second or two of one core. */
export const MOST_ITERATIONS = 5_000_000;

/** The column holds 128 characters; a custom one may hold more. */
const LONGEST = 512;
/** 22 letters and digits: 128 bits, below which Django makes a hash anew. */
const SALT_LENGTH = 22;
const SALT_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

const deriveByPbkdf2 = promisify(pbkdf2);

type Reader = (rest: string) => ForeignHash | undefined;

/** By the text before the first `$`. */
const READERS: Readonly<Record<string, Reader>> = {
  pbkdf2_sha256: (rest) => readPbkdf2(rest, "sha256", 32),
  pbkdf2_sha1: (rest) => readPbkdf2(rest, "sha1", 20),
  argon2: readArgon2,
  scrypt: readScrypt,
  bcrypt_sha256: (rest) => readBcrypt(rest, "bcrypt_sha256", (password) => hash("sha256", password, "hex")),
  bcrypt: (rest) => readBcrypt(rest, "bcrypt", (password) => password),
};

/**
 * Reads a stored hash.
 * @returns `undefined` for an unusable password (`!…`), an unknown algorithm, a damaged text, or a cost out of bounds.
 */
export function readDjangoHash(stored: string): ForeignHash | undefined {
  if (stored.length > LONGEST) return undefined;
  const end = stored.indexOf("$");
  const name = stored.slice(0, Math.max(end, 0));
  return Object.hasOwn(READERS, name) ? READERS[name]?.(stored.slice(end + 1)) : undefined;
}

/** Makes a `pbkdf2_sha256` hash, which every Django checks without further packages. */
export async function makeDjangoHash(
  password: string,
  { iterations, randomBytes }: { readonly iterations: number; readonly randomBytes: (size: number) => Uint8Array },
): Promise<string> {
  const salt = makeSalt(randomBytes);
  const digest = await deriveByPbkdf2(password, salt, iterations, 32, "sha256");
  return `pbkdf2_sha256$${iterations}$${salt}$${digest.toString("base64")}`;
}

function makeSalt(randomBytes: (size: number) => Uint8Array): string {
  let salt = "";
  while (salt.length < SALT_LENGTH) {
    // 248 is the largest multiple of 62 in a byte: above it some letters would come more often.
    for (const byte of randomBytes(SALT_LENGTH)) if (byte < 248) salt += SALT_ALPHABET[byte % 62];
  }
  return salt.slice(0, SALT_LENGTH);
}

function readPbkdf2(rest: string, digest: "sha256" | "sha1", size: number): ForeignHash | undefined {
  const match = /^([1-9]\d{0,8})\$([^$]+)\$([^$]+)$/.exec(rest);
  const iterations = Number(match?.[1]);
  const expected = readBase64(match?.[3], size);
  if (!match || !expected || iterations > MOST_ITERATIONS) return undefined;
  return {
    kind: `pbkdf2_${digest} ${iterations}`,
    isOutdated: digest === "sha1",
    iterations: digest === "sha256" ? iterations : undefined,
    matches: async (password) =>
      timingSafeEqual(await deriveByPbkdf2(password, match[2] as string, iterations, size, digest), expected),
  };
}

function readArgon2(rest: string): ForeignHash | undefined {
  const match =
    /^(argon2id|argon2i)\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,128})\$([A-Za-z0-9+/]{16,128})$/.exec(
      rest,
    );
  if (!match) return undefined;
  const [memory, passes, parallelism] = match.slice(2, 5).map(Number) as [number, number, number];
  const parameters: Argon2Parameters = { memory, passes, parallelism };
  if (!isBounded(parameters)) return undefined;
  const type = match[1] as "argon2id" | "argon2i";
  const salt = Buffer.from(match[5] as string, "base64");
  const expected = Buffer.from(match[6] as string, "base64");
  return {
    kind: `${type} ${memory} ${passes} ${parallelism}`,
    isOutdated: type === "argon2i",
    iterations: undefined,
    matches: async (password) =>
      timingSafeEqual(await deriveArgon2(password, salt, parameters, { type, size: expected.length }), expected),
  };
}

const LARGEST_SCRYPT = { memory: 256 * 1024 * 1024, blocks: 2 ** 22 } as const;

function readScrypt(rest: string): ForeignHash | undefined {
  const match = /^([1-9]\d{0,7})\$([^$]+)\$([1-9]\d?)\$([1-9]\d?)\$([^$]+)$/.exec(rest);
  const expected = readBase64(match?.[5], 64);
  if (!match || !expected) return undefined;
  const [N, r, p] = [match[1], match[3], match[4]].map(Number) as [number, number, number];
  const memory = 128 * r * (N + p + 2);
  // RFC 7914 §2; OpenSSL refuses anything else when it is to compute it.
  const isDefined = N > 1 && (N & (N - 1)) === 0 && Math.log2(N) < 16 * r;
  if (!isDefined || memory > LARGEST_SCRYPT.memory || N * r * p > LARGEST_SCRYPT.blocks) return undefined;
  return {
    kind: `scrypt ${N} ${r} ${p}`,
    isOutdated: false,
    iterations: undefined,
    matches: (password) =>
      new Promise((resolve, reject) => {
        scrypt(password, match[2] as string, 64, { N, r, p, maxmem: memory + 1024 * 1024 }, (error, derived) =>
          error ? reject(error) : resolve(timingSafeEqual(derived, expected)),
        );
      }),
  };
}

/** 2^15 rounds take some seconds. */
const MOST_BCRYPT_COST = 15;
const LEAST_BCRYPT_COST = 4;
/** bcrypt looks at no more bytes, so a longer password would be checked in part. */
const BCRYPT_BYTES = 72;

function readBcrypt(rest: string, name: string, prepare: (password: string) => string): ForeignHash | undefined {
  const match = /^(\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53})$/.exec(rest);
  const cost = Number(match?.[2]);
  if (!match || cost < LEAST_BCRYPT_COST || cost > MOST_BCRYPT_COST) return undefined;
  return {
    kind: `bcrypt ${cost}`,
    isOutdated: name === "bcrypt",
    iterations: undefined,
    async matches(password) {
      const { verify } = await import("@node-rs/bcrypt");
      const message = prepare(password);
      const isWhole = Buffer.byteLength(message) <= BCRYPT_BYTES;
      return (await verify(message, match[1] as string)) && isWhole;
    },
  };
}

/** Padded base64 of exactly `size` bytes in its one spelling. */
function readBase64(text: string | undefined, size: number): Buffer | undefined {
  const bytes = Buffer.from(text ?? "", "base64");
  return bytes.length === size && bytes.toString("base64") === text ? bytes : undefined;
}
