/**
 * Password hashes: argon2id in PHC strings (RFC 9106; OWASP's m = 19 MiB, t = 2, p = 1), off the event loop, behind a gate.
 * A hash made with other parameters still verifies, and says that it wants to be made anew.
 */
import { argon2, timingSafeEqual } from "node:crypto";
import { availableParallelism } from "node:os";
import type { System } from "../system.ts";
import { createGate, type Gate } from "./gate.ts";

export interface Argon2Parameters {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

export interface PasswordHasher {
  /** @returns a PHC string. @throws AuthError `busy` when too many are waiting. */
  hash(password: string): Promise<string>;
  /** False for a wrong password and for a string that is no hash we know; the work done is that of a real one. */
  verify(password: string, stored: string): Promise<boolean>;
  /** The work of `verify` for a user who does not exist. */
  verifyNobody(password: string): Promise<false>;
  /** True when the stored hash was made with other parameters than today's. */
  wantsRehash(stored: string): boolean;
  readonly gate: Gate;
}

export interface PasswordHasherOptions {
  readonly system: System;
  readonly parameters?: Argon2Parameters;
  /** How many hashes run at once; default: the cores but one, at least one. */
  readonly concurrency?: number;
  /** How many may wait; default 64, some seconds' worth. */
  readonly queueLimit?: number;
}

export const ARGON2_PARAMETERS: Argon2Parameters = { memory: 19_456, passes: 2, parallelism: 1 };

const TAG_SIZE = 32;
const SALT_SIZE = 16;
/** No row of ours goes beyond these; a row that does was put there to exhaust us. */
const LARGEST = { memory: 262_144, passes: 16, parallelism: 16 } as const;

/** Derives the tag: the same function with and without a native binary. */
type Argon2id = (password: string, salt: Uint8Array, parameters: Argon2Parameters, size: number) => Promise<Uint8Array>;

export function createPasswordHasher(options: PasswordHasherOptions): PasswordHasher {
  const { system, parameters = ARGON2_PARAMETERS } = options;
  const gate = createGate({
    concurrency: options.concurrency ?? Math.max(1, availableParallelism() - 1),
    queueLimit: options.queueLimit ?? 64,
  });
  const argon2id = loadArgon2id();
  // Random salt and tag: as much work to check as any, and no password fits.
  const nobody: Phc = { parameters, salt: system.randomBytes(SALT_SIZE), tag: system.randomBytes(TAG_SIZE) };

  async function matches(password: string, { parameters, salt, tag }: Phc): Promise<boolean> {
    const derived = await gate.run(async () => (await argon2id)(password, salt, parameters, tag.length));
    return timingSafeEqual(derived, tag);
  }

  return {
    async hash(password) {
      const salt = system.randomBytes(SALT_SIZE);
      const tag = await gate.run(async () => (await argon2id)(password, salt, parameters, TAG_SIZE));
      return toPhc({ parameters, salt, tag });
    },
    async verify(password, stored) {
      const phc = parsePhc(stored);
      return (await matches(password, phc ?? nobody)) && phc !== undefined;
    },
    async verifyNobody(password) {
      await matches(password, nobody);
      return false;
    },
    wantsRehash(stored) {
      const phc = parsePhc(stored);
      if (!phc) return false;
      const { memory, passes, parallelism } = phc.parameters;
      return memory !== parameters.memory || passes !== parameters.passes || parallelism !== parameters.parallelism;
    },
    gate,
  };
}

/** The prebuilt binary does 2.2 times the hashes of Node's own; where none fits the platform, Node's own serves. */
async function loadArgon2id(): Promise<Argon2id> {
  try {
    const { hashRaw } = await import("@node-rs/argon2");
    return (password, salt, { memory, passes, parallelism }, size) =>
      hashRaw(password, {
        algorithm: 2, // argon2id
        memoryCost: memory,
        timeCost: passes,
        parallelism,
        outputLen: size,
        salt,
      });
  } catch {
    return nodeArgon2id;
  }
}

/** Exported for the test that holds both against each other. */
export const nodeArgon2id: Argon2id = (password, salt, { memory, passes, parallelism }, size) =>
  new Promise((resolve, reject) => {
    argon2(
      "argon2id",
      { message: password, nonce: salt, memory, passes, parallelism, tagLength: size },
      (error, tag) => (error ? reject(error) : resolve(tag)),
    );
  });

interface Phc {
  readonly parameters: Argon2Parameters;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

const toBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64").replace(/=+$/, "");

function toPhc({ parameters: { memory, passes, parallelism }, salt, tag }: Phc): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${toBase64(salt)}$${toBase64(tag)}`;
}

function parsePhc(text: string): Phc | undefined {
  const match =
    /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{16,86})$/.exec(
      text,
    );
  if (!match) return undefined;
  const [memory, passes, parallelism] = match.slice(1, 4).map(Number) as [number, number, number];
  const isBounded = memory <= LARGEST.memory && passes <= LARGEST.passes && parallelism <= LARGEST.parallelism;
  if (!isBounded || passes < 1 || parallelism < 1 || memory < 8 * parallelism) return undefined;
  return {
    parameters: { memory, passes, parallelism },
    salt: Buffer.from(match[4] as string, "base64"),
    tag: Buffer.from(match[5] as string, "base64"),
  };
}
