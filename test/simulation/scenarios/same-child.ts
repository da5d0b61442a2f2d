/**
 * A window with one and the same child: within the window after its first use a token is answered with the child that it
 * was answered with then, or with what has become of that child. A use after the window revokes the family.
 */
import { REFUSED, type RefreshRule } from "./rule.ts";

/** Seconds. */
const WINDOW = 20;

export const sameChild: RefreshRule = {
  name: "window, same child",
  knowsAttempts: false,
  logIn() {
    /** When each token was first used: token n is the parent of n + 1. */
    const usedAt: number[] = [];
    let isRevoked = false;
    return {
      first: "0",
      refresh(token, now) {
        if (isRevoked) return REFUSED;
        const presented = Number(token);
        const first = usedAt[presented];
        if (first === undefined) {
          usedAt[presented] = now;
        } else if (now > first + WINDOW) {
          isRevoked = true;
          return REFUSED;
        }
        // The child, or what has become of it.
        return { is: "token", token: String(usedAt.length) };
      },
    };
  },
};
