/**
 * A cache of tokens that have been verified, in the only form that is safe (CVE-2026-35039 and its like come from others).
 * It belongs to one verifier and so to one policy; it is found by signature but hits only when the whole token is equal; it is bounded; whether
 * the time has come or passed is judged again on every hit; and it is dropped whenever keys change. Revocation is not its business: that is
 * asked after it.
 */
import type { Claims } from "./claims.ts";

interface Entry<Verified> {
  readonly token: string;
  readonly claims: Verified;
  /** Seconds since 1970: the entry holds from the first to before the second. */
  readonly from: number;
  readonly until: number;
}

export interface VerifiedCache<Verified> {
  /** The claims of a token that was verified before and is valid now. */
  find(token: string, now: number): Verified | undefined;
  keep(token: string, claims: Verified, times: Pick<Claims, "exp" | "iat" | "nbf">): void;
  clear(): void;
  readonly size: number;
}

/**
 * Makes an empty cache.
 * @param capacity the most tokens that are kept. There are two generations of half that size: when the young one is full the old one is dropped
 *   and they change places, so nothing is bookkept on a hit.
 * @param tolerance of the clocks, in seconds, as the verifier has it.
 */
export function createVerifiedCache<Verified>(capacity: number, tolerance: number): VerifiedCache<Verified> {
  const half = Math.ceil(capacity / 2);
  let young = new Map<string, Entry<Verified>>();
  let old = new Map<string, Entry<Verified>>();

  function add(signature: string, entry: Entry<Verified>): void {
    if (young.size >= half) {
      old = young;
      young = new Map();
    }
    young.set(signature, entry);
  }

  return {
    find(token, now) {
      const signature = token.slice(token.lastIndexOf(".") + 1);
      const fresh = young.get(signature);
      const entry = fresh ?? old.get(signature);
      if (entry === undefined || entry.token !== token || now < entry.from || now >= entry.until) return undefined;
      if (fresh === undefined) add(signature, entry);
      return entry.claims;
    },
    keep(token, claims, { exp, iat, nbf }) {
      const signature = token.slice(token.lastIndexOf(".") + 1);
      add(signature, { token, claims, from: Math.max(iat, nbf ?? iat) - tolerance, until: exp + tolerance });
    },
    clear() {
      young = new Map();
      old = new Map();
    },
    get size() {
      return young.size + old.size;
    },
  };
}
