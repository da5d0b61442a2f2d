/**
 * Ory's graceful rotation: a token that has been used may be used again until the grace since its first use is over, and
 * each use gives another, independent token. A use after the grace revokes the whole chain.
 */
import { REFUSED, type RefreshRule } from "./rule.ts";

/** Seconds. It is off by default; 20 is what we have. */
const GRACE = 20;

export const oryGrace: RefreshRule = {
  name: "Ory grace",
  knowsAttempts: false,
  logIn() {
    /** Token → when it was first used. */
    const tokens = new Map<string, number | undefined>([["0", undefined]]);
    let isRevoked = false;
    return {
      first: "0",
      refresh(token, now) {
        if (isRevoked || !tokens.has(token)) return REFUSED;
        const usedAt = tokens.get(token);
        if (usedAt !== undefined && now > usedAt + GRACE) {
          isRevoked = true;
          return REFUSED;
        }
        if (usedAt === undefined) tokens.set(token, now);
        const made = String(tokens.size);
        tokens.set(made, undefined);
        return { is: "token", token: made };
      },
    };
  },
};
