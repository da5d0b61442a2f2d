/** Strict rotation: every token works once. A second use of any of them revokes the family. (RFC 9700 §4.14.2, to the letter) */
import { REFUSED, type RefreshRule } from "./rule.ts";

export const strictRotation: RefreshRule = {
  name: "strict rotation",
  knowsAttempts: false,
  logIn() {
    let newest = 0;
    let isRevoked = false;
    return {
      first: "0",
      refresh(token) {
        if (isRevoked) return REFUSED;
        if (token !== String(newest)) {
          isRevoked = true;
          return REFUSED;
        }
        newest++;
        return { is: "token", token: String(newest) };
      },
    };
  },
};
