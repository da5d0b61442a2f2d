/**
 * Supabase Auth's refresh tokens of version 2: a token carries a counter. The newest advances it. The one before the
 * newest is always answered with the newest, for its answer was likely never saved; an older one only within the reuse
 * interval since the last refresh. Anything else ends the session.
 */
import { REFUSED, type RefreshRule } from "./rule.ts";

/** Seconds; its default. */
const REUSE_INTERVAL = 10;

export const supabase: RefreshRule = {
  name: "Supabase v2",
  knowsAttempts: false,
  logIn(start) {
    let counter = 0;
    let refreshedAt = start;
    let isEnded = false;
    return {
      first: "0",
      refresh(token, now) {
        if (isEnded) return REFUSED;
        const behind = counter - Number(token);
        const isAllowed = behind <= 1 || Math.abs(now - refreshedAt) < REUSE_INTERVAL;
        if (behind < 0) return REFUSED;
        if (!isAllowed) {
          isEnded = true;
          return REFUSED;
        }
        if (behind === 0) counter++;
        refreshedAt = now;
        return { is: "token", token: String(counter) };
      },
    };
  },
};
