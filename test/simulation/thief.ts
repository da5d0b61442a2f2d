/** A thief: copies what a device stores at some moment, and refreshes with it. It knows the client's half, and keeps to nothing. */
import type { Device } from "./device.ts";
import type { Issued } from "./record.ts";

export interface Thief {
  readonly token: Issued | undefined;
  copy(device: Device): void;
  /** The attempt id for the token that it holds. */
  attempt(kind: "own" | "none" | "copied"): string | undefined;
  /** A refresh has given it tokens. */
  gain(token: Issued): void;
  /** True when it goes on with this token's session, having been given tokens of it and not only copied them. */
  goesOnWith(token: Issued): boolean;
}

export function createThief(newAttempt: () => string): Thief {
  let token: Issued | undefined;
  let copied: ReadonlyMap<string, string> = new Map();
  const own = new Map<string, string>();
  const gained = new Set<Issued["session"]>();

  return {
    get token() {
      return token;
    },
    copy(device) {
      if (!device.held) return;
      token = device.held;
      copied = new Map(device.attempts);
    },
    attempt(kind) {
      if (!token || kind === "none") return undefined;
      if (kind === "copied") return copied.get(token.text);
      const known = own.get(token.text) ?? newAttempt();
      own.set(token.text, known);
      return known;
    },
    gain(next) {
      token = next;
      gained.add(next.session);
    },
    goesOnWith: ({ session }) => token?.session === session && gained.has(session),
  };
}
