/** Argon2 (RFC 9106): the same function with and without a native binary. */
import { argon2 } from "node:crypto";

export interface Argon2Parameters {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** Derives a tag of `size` bytes. */
export type Argon2 = (
  password: string,
  salt: Uint8Array,
  parameters: Argon2Parameters,
  options: { readonly type: "argon2id" | "argon2i"; readonly size: number },
) => Promise<Uint8Array>;

/** No row goes beyond these; one that does was put there to exhaust us. */
const LARGEST = { memory: 262_144, passes: 16, parallelism: 16 } as const;

/** True when a stored hash may ask for this much work, and Argon2 is defined for it. */
export function isBounded({ memory, passes, parallelism }: Argon2Parameters): boolean {
  const isBelow = memory <= LARGEST.memory && passes <= LARGEST.passes && parallelism <= LARGEST.parallelism;
  return isBelow && passes >= 1 && parallelism >= 1 && memory >= 8 * parallelism;
}

let loaded: Promise<Argon2> | undefined;

/** The prebuilt binary does 2.2 times the hashes of Node's own; where none fits the platform, Node's own serves. */
export const deriveArgon2: Argon2 = async (...input) => {
  loaded ??= loadBinary();
  return (await loaded)(...input);
};

async function loadBinary(): Promise<Argon2> {
  try {
    const { hashRaw } = await import("@node-rs/argon2");
    const ALGORITHMS = { argon2i: 1, argon2id: 2 } as const;
    return (password, salt, { memory, passes, parallelism }, { type, size }) =>
      hashRaw(password, {
        algorithm: ALGORITHMS[type],
        memoryCost: memory,
        timeCost: passes,
        parallelism,
        outputLen: size,
        salt,
      });
  } catch {
    return nodeArgon2;
  }
}

/** Exported for the test that holds both against each other. */
export const nodeArgon2: Argon2 = (password, salt, { memory, passes, parallelism }, { type, size }) =>
  new Promise((resolve, reject) => {
    argon2(type, { message: password, nonce: salt, memory, passes, parallelism, tagLength: size }, (error, tag) =>
      error ? reject(error) : resolve(tag),
    );
  });
