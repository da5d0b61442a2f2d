/**
 * A cache of tokens that have been verified, in the only form that is safe (CVE-2026-35039 is what others become).
 * It belongs to one verifier and so to one policy; it is found by its signature but hits only when the whole token is equal; it is bounded; whether
 * the time has come or passed is judged again on every hit; and it is dropped whenever keys change. Revocation is not its business: that is
 * asked after it.
 */
import type { Claims } from "./claims.ts";
import { MAX_TOKEN_LENGTH } from "./limits.ts";

interface Entry<Verified> {
  readonly token: string;
  readonly verified: Verified;
  /** Seconds since 1970: the entry holds from the first to before the second. */
  readonly from: number;
  readonly until: number;
}

export interface VerifiedCache<Verified> {
  /** What a token stands for that was verified before, under the same keys, and is valid now. */
  find(token: unknown, now: number): Verified | undefined;
  /** @param version of the keys when the token was judged: if they have changed since, it is not kept. */
  keep(token: string, verified: Verified, times: Pick<Claims, "exp" | "iat" | "nbf">, version: number): void;
  readonly size: number;
}

export interface CacheOptions {
  /** The most tokens that are kept. */
  readonly capacity: number;
  /** Of the clocks, in seconds, as the verifier has it. */
  readonly tolerance: number;
  readonly keys: { readonly version: number };
}

/**
 * Four characters of a signature make a label: 24 bits, in every algorithm close to random. Where they are is counted from the token's end, since
 * looking for its dots costs more: the shortest signature has 43 characters, and only ML-DSA, with thousands, ends in what is not random. It is a number because a map finds a number in a
 * third of the time it takes to hash 43 characters, and nothing is allocated. Two tokens of one label drive each other out, which costs a
 * verification: of 4,096 that are kept, one in four thousand has such a neighbour, and nobody can make a token for another's label.
 */
const LABEL_LENGTH = 4;
const LABEL_FROM_END = 43;
const LONG_TOKEN = 3200;
const LABEL_FROM_LONG_END = 128;

/**
 * Makes an empty cache. It has two generations of half its capacity: when the young one is full the old one is dropped and they change places, so
 * nothing is kept in order on a hit.
 */
export function createVerifiedCache<Verified>({ capacity, tolerance, keys }: CacheOptions): VerifiedCache<Verified> {
  const half = Math.ceil(capacity / 2);
  let young = new Map<number, Entry<Verified>>();
  let old = new Map<number, Entry<Verified>>();
  let version = keys.version;

  function dropIfKeysChanged(): void {
    if (version === keys.version) return;
    young = new Map();
    old = new Map();
    version = keys.version;
  }

  function add(label: number, entry: Entry<Verified>): void {
    if (young.size >= half) {
      old = young;
      young = new Map();
    }
    young.set(label, entry);
  }

  return {
    find(token, now) {
      dropIfKeysChanged();
      if (typeof token !== "string" || token.length > MAX_TOKEN_LENGTH) return undefined;
      const label = labelOf(token);
      const fresh = young.get(label);
      const entry = fresh ?? old.get(label);
      if (entry === undefined || entry.token !== token || now < entry.from || now >= entry.until) return undefined;
      if (fresh === undefined) add(label, entry);
      return entry.verified;
    },
    keep(token, verified, times, judgedVersion) {
      dropIfKeysChanged();
      if (judgedVersion !== version) return;
      add(labelOf(token), { token, verified, ...validity(times, tolerance) });
    },
    get size() {
      return young.size + old.size;
    },
  };
}

/** When a token is valid, in seconds since 1970: from the first to before the second. (RFC 7519 §4.1.4–4.1.6) */
export function validity({ exp, iat, nbf }: Pick<Claims, "exp" | "iat" | "nbf">, tolerance: number) {
  return { from: Math.max(iat, nbf ?? iat) - tolerance, until: exp + tolerance };
}

/** A text that is no token gets a label too: what is found by it is compared. */
function labelOf(token: string): number {
  const start = Math.max(0, token.length - (token.length > LONG_TOKEN ? LABEL_FROM_LONG_END : LABEL_FROM_END));
  // A copy: looking into a part of a text, which a token out of a header is, costs more for each character.
  const first = token.slice(start, start + LABEL_LENGTH);
  let label = 0;
  for (let index = 0; index < first.length; index++) label = (label << 7) | first.charCodeAt(index);
  return label;
}
