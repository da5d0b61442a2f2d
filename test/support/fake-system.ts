import { createHash } from "node:crypto";
import { type Duration, parseDuration, type System } from "../../src/system.ts";

export interface FakeSystem extends System {
  /** Moves both clocks forward: "16m". */
  advance(duration: Duration): void;
  /** Moves the wall clock alone, by seconds, either way. */
  jump(seconds: number): void;
}

/** Time that moves only when told, and randomness that repeats from run to run. */
export function fakeSystem(start = 1_800_000_000): FakeSystem {
  let wall = start;
  let monotonic = 0;
  let draws = 0;
  return {
    now: () => wall,
    monotonic: () => monotonic,
    randomBytes(size) {
      const bytes = new Uint8Array(size);
      for (let offset = 0; offset < size; offset += 32) {
        const block = createHash("sha256").update(`fake randomness ${draws++}`).digest();
        bytes.set(block.subarray(0, Math.min(32, size - offset)), offset);
      }
      return bytes;
    },
    advance(duration) {
      const seconds = parseDuration(duration, "duration");
      wall += seconds;
      monotonic += seconds * 1000;
    },
    jump(seconds) {
      wall += seconds;
    },
  };
}
