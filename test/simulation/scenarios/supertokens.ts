/**
 * SuperTokens core 12 (its rule since 12.1): the session knows its current token and the one before. The one before still
 * works until the grace since the rotation is over, and is answered with a new current token: the one that it displaces
 * is dead, whoever has it. Any other token is theft and revokes the session.
 */
import { REFUSED, type RefreshRule } from "./rule.ts";

/** Seconds; its default. */
const GRACE = 30;

export const superTokens: RefreshRule = {
  name: "SuperTokens 12",
  knowsAttempts: false,
  logIn() {
    let madeCount = 0;
    let current = "0";
    let previous: string | undefined;
    let rotatedAt = 0;
    let isRevoked = false;
    return {
      first: current,
      refresh(token, now) {
        if (isRevoked) return REFUSED;
        if (token === current) {
          previous = current;
          rotatedAt = now;
        } else if (token !== previous || now > rotatedAt + GRACE) {
          isRevoked = true;
          return REFUSED;
        }
        current = String(++madeCount);
        return { is: "token", token: current };
      },
    };
  },
};
