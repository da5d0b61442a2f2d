/** What 100,000 live entries of the revocation index keep in memory, in a process that holds nothing else. */
import { createRevocationIndex } from "../../src/revocations/revocation-index.ts";
import { answerParent } from "../child.ts";

export interface IndexMemoryInput {
  readonly kind: EntryKind;
  readonly entryCount: number;
}

/** Sessions that were ended one by one, users whose sessions all were, and users who kept the session that asked. */
export type EntryKind = "sessions" | "users" | "users, one session spared";

await answerParent(async ({ kind, entryCount }: IndexMemoryInput): Promise<number> => {
  const expiresAt = Math.floor(Date.now() / 1000) + 900;
  const id = (i: number): number => 1_000_000 + i * 17;

  function fill(count: number) {
    const index = createRevocationIndex();
    for (let i = 0; i < count; i++) {
      index.add({
        position: i + 1,
        sessionId: kind === "sessions" ? id(i) : undefined,
        userId: kind === "sessions" ? undefined : id(i),
        epoch: kind === "sessions" ? undefined : 1 + (i % 3),
        exceptSessionId: kind === "users, one session spared" ? id(i) * 3 : undefined,
        issuedBefore: undefined,
        reason: "ended",
        expiresAt: expiresAt + (i % 900),
      });
    }
    return index;
  }

  fill(1000);
  const before = bytesInUse();
  const index = fill(entryCount);
  const bytes = bytesInUse() - before;
  if (index.size !== entryCount) throw new Error(`the index holds ${index.size} entries of ${entryCount}`);
  return bytes;
});

function bytesInUse(): number {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + external + arrayBuffers;
}
