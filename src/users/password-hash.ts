/**
 * Password hashes: argon2id in PHC strings (RFC 9106; OWASP's m = 19 MiB, t = 2, p = 1), off the event loop, behind a gate.
 * Hashes that Django made verify as well, by default: a row names its own format, and whoever can write rows could write
 * an argon2id hash just the same, so an option to allow them would protect nobody. A hash of another format or with other
 * parameters than ours says that it wants to be made anew.
 */
import { timingSafeEqual } from "node:crypto";
import { availableParallelism } from "node:os";
import type { System } from "../system.ts";
import { type Argon2Parameters, deriveArgon2, isBounded } from "./argon2.ts";
import { DJANGO_ITERATIONS, type ForeignHash, MOST_ITERATIONS, makeDjangoHash, readDjangoHash } from "./django-hash.ts";
import { createGate, type Gate, type GatePass } from "./gate.ts";

/**
 * What new hashes are: "argon2id", or "django" where Django still reads the same rows: `pbkdf2_sha256`, which every Django checks. Name the
 * iterations of your Django where they are not those of 5.2 (1,000,000), or both sides make each other's hashes anew at every login.
 */
export type PasswordFormat = "argon2id" | "django" | { readonly format: "django"; readonly iterations: number };

export interface PasswordHasher {
  /** @returns a hash in the format that was chosen. @throws AuthError `busy` when too many are waiting. */
  hash(password: string): Promise<string>;
  /** False for a wrong password, and for a string that is no hash we know or can compute; the work done is that of a real one. */
  verify(password: string, stored: string, pass?: GatePass): Promise<boolean>;
  /** Learns what kind of hash is in use: a failed login then does the work of it, too. */
  meet(stored: string): void;
  /** The work of `verify` for a user who does not exist. */
  verifyNobody(password: string, pass?: GatePass): Promise<false>;
  /** True when the stored hash has another format or other parameters than today's. */
  wantsRehash(stored: string): boolean;
  readonly gate: Gate;
}

export interface PasswordHasherOptions {
  readonly system: System;
  readonly parameters?: Argon2Parameters;
  /** Default "argon2id". */
  readonly format?: PasswordFormat;
  /** How many hashes run at once; default: the cores but one, at least one. */
  readonly concurrency?: number;
  /** How many may wait; default 64, some seconds' worth. */
  readonly queueLimit?: number;
  readonly onEvent?: (event: HashEvent) => void;
}

/** A kind of hash that can be read and not computed here, as bcrypt on a platform without its binary; told once for each kind. */
export interface HashEvent {
  readonly type: "hash_failed";
  readonly kind: string;
  readonly problem: string;
}

export const ARGON2_PARAMETERS: Argon2Parameters = { memory: 19_456, passes: 2, parallelism: 1 };

const TAG_SIZE = 32;
const SALT_SIZE = 16;
/** Kinds of foreign hashes whose cost a failed login imitates: as many as a table has after one or two upgrades of Django. */
const IMITATED_KINDS = 3;

/** A hash that can be checked, of whatever format. */
type KnownHash = Pick<ForeignHash, "kind" | "matches">;

export function createPasswordHasher(options: PasswordHasherOptions): PasswordHasher {
  const { system, parameters = ARGON2_PARAMETERS, onEvent = () => {} } = options;
  const iterations = readFormat(options.format === undefined ? "argon2id" : options.format);
  const gate = createGate({
    concurrency: options.concurrency ?? Math.max(1, availableParallelism() - 1),
    queueLimit: options.queueLimit ?? 64,
  });
  /**
   * One hash of every kind that was met, of our own format from the start. A failure does the work of all of them, so that its time tells
   * neither whether the user exists nor in what format the user's hash is.
   */
  const kinds = new Map<string, KnownHash>();
  const nobody = iterations === undefined ? argon2idNobody() : djangoNobody(iterations);
  kinds.set(nobody.kind, nobody);

  /** Random salt and digest: as much work to check as any, and no password fits. */
  function argon2idNobody(): KnownHash {
    return fromPhc({ parameters, salt: system.randomBytes(SALT_SIZE), tag: system.randomBytes(TAG_SIZE) });
  }

  function djangoNobody(count: number): KnownHash {
    const digest = Buffer.from(system.randomBytes(TAG_SIZE)).toString("base64");
    return readDjangoHash(`pbkdf2_sha256$${count}$nobody$${digest}`) as ForeignHash;
  }

  function learn(known: KnownHash): void {
    if (kinds.size <= IMITATED_KINDS && !kinds.has(known.kind)) kinds.set(known.kind, known);
  }

  const failedKinds = new Set<string>();

  /**
   * What can't be computed is no match, and no error either: an error would make the guess one that nobody looked at, and a kind that fails would
   * take the limits from everybody whose failure imitates it.
   */
  async function compute(known: KnownHash, password: string): Promise<boolean> {
    try {
      return await known.matches(password);
    } catch (error) {
      const { kind } = known;
      if (failedKinds.has(kind)) return false;
      failedKinds.add(kind);
      onEvent({ type: "hash_failed", kind, problem: error instanceof Error ? error.message : String(error) });
      return false;
    }
  }

  /** In one place of the gate: nobody waits twice, and no queue refuses a guess that was looked at, which would then not count. */
  function check(password: string, known: KnownHash | undefined, pass?: GatePass): Promise<boolean> {
    return gate.run(async () => {
      if (known && (await compute(known, password))) return true;
      for (const [kind, other] of kinds) if (kind !== known?.kind) await compute(other, password);
      return false;
    }, pass);
  }

  return {
    hash: (password) =>
      gate.run(async () => {
        if (iterations !== undefined) {
          return makeDjangoHash(password, { iterations, randomBytes: system.randomBytes });
        }
        const salt = system.randomBytes(SALT_SIZE);
        const tag = await deriveArgon2(password, salt, parameters, { type: "argon2id", size: TAG_SIZE });
        return toPhc({ parameters, salt, tag });
      }),

    async verify(password, stored, pass) {
      const known = readHash(stored);
      if (known) learn(known);
      return check(password, known, pass);
    },

    meet(stored) {
      const known = readHash(stored);
      if (known) learn(known);
    },

    async verifyNobody(password, pass) {
      await check(password, undefined, pass);
      return false;
    },

    wantsRehash(stored) {
      const phc = parsePhc(stored);
      // Django could not read it.
      if (phc && iterations !== undefined) return true;
      if (phc) return toKind(phc.parameters) !== toKind(parameters);
      const foreign = readDjangoHash(stored);
      if (!foreign) return false;
      if (iterations === undefined) return true;
      // What Django's own settings may prefer (argon2, scrypt, bcrypt_sha256) is left to Django.
      return foreign.isOutdated || (foreign.iterations ?? iterations) < iterations;
    },
    gate,
  };
}

/** @returns the iterations for Django's format, `undefined` for ours. @throws TypeError */
function readFormat(format: PasswordFormat): number | undefined {
  if (format === "argon2id") return undefined;
  const iterations = format === "django" ? DJANGO_ITERATIONS : format?.format === "django" ? format.iterations : 0;
  if (Number.isSafeInteger(iterations) && iterations >= 100_000 && iterations <= MOST_ITERATIONS) return iterations;
  throw new TypeError(
    `passwordFormat must be "argon2id", "django" or { format: "django", iterations } with 100,000 to ${MOST_ITERATIONS} iterations`,
  );
}

const readHash = (stored: string): KnownHash | undefined => {
  const phc = parsePhc(stored);
  return phc ? fromPhc(phc) : readDjangoHash(stored);
};

interface Phc {
  readonly parameters: Argon2Parameters;
  readonly salt: Uint8Array;
  readonly tag: Uint8Array;
}

const toKind = ({ memory, passes, parallelism }: Argon2Parameters) => `argon2id ${memory} ${passes} ${parallelism}`;

const fromPhc = ({ parameters, salt, tag }: Phc): KnownHash => ({
  kind: toKind(parameters),
  matches: async (password) =>
    timingSafeEqual(await deriveArgon2(password, salt, parameters, { type: "argon2id", size: tag.length }), tag),
});

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
  const parameters = { memory, passes, parallelism };
  if (!isBounded(parameters)) return undefined;
  return {
    parameters,
    salt: Buffer.from(match[4] as string, "base64"),
    tag: Buffer.from(match[5] as string, "base64"),
  };
}
