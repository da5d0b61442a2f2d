/**
 * Knowing a credential by sight: the text of the header as it came, "Bearer" and all. One that comes again is one look into one table, one comparison of
 * the whole text and a handful of numbers; it is not taken apart, and nothing is allocated for it.
 * What this costs is what a guard costs, so what is looked at lies in one object: each that lies elsewhere is a wait for memory. It answers only what is
 * clear, and leaves everything else to `authenticate`, which gives the same answers.
 */
import type { Identity } from "./auth-interface.ts";
import { validity } from "./jwt/verified-cache.ts";
import type { KeyRing } from "./keys/key-ring.ts";
import type { RevocationFeed } from "./revocations/revocation-feed.ts";
import type { TokenSubject } from "./revocations/revocation-index.ts";
import type { Sight } from "./sight-registry.ts";
import type { System } from "./system.ts";

/** What is known of a token that was verified, under keys of this moment. */
export interface Recognized extends TokenSubject {
  readonly identity: Identity;
}

export interface SightOptions {
  /** @returns undefined for a token that is not valid now, or that the keys of now have not verified. */
  recall(token: string, now: number): Recognized | undefined;
  /** The verifier's, in seconds. */
  readonly tolerance: number;
  readonly keys: Pick<KeyRing["keys"], "version">;
  readonly feed: Pick<RevocationFeed, "isFresh" | "find" | "glance">;
  readonly system: Pick<System, "now">;
  accepted(): void;
}

/** The first five are looked at for each request. */
interface Sighting extends TokenSubject {
  readonly credential: string;
  /** Seconds since 1970: it holds from the first to before the second. */
  readonly from: number;
  readonly until: number;
  /** Of the keys that verified it. */
  readonly version: number;
  /** How many entries the feed had when none of them took it back. */
  clearAt: number;
  readonly identity: Identity;
}

/** Places in the table. Two credentials that meet in one drive each other out, which costs a reading of the header and a second look. */
const PLACES = 8192;
/** Where the three characters that name a place are, counted from the end: in the signature, which is 43 characters at least and close to random there. */
const LABEL_FROM_END = 40;
/** Characters. What is longer is read each time, so that the table holds 8 MiB at most. */
const LONGEST_KEPT = 1024;

/** No feed has had so many entries. */
const NEVER = -1;

export function createSight({ recall, tolerance, keys, feed, system, accepted }: SightOptions): Sight {
  const places = new Array<Sighting | undefined>(PLACES).fill(undefined);
  const { glance } = feed;

  /** True when what the feed knows, and is fresh, says nothing against it. */
  function isClear(sighting: Sighting, now: number): boolean {
    if (glance.freshIn !== now && !feed.isFresh(now)) return false;
    if (sighting.clearAt === glance.entryCount) return true;
    if (feed.find(sighting) !== undefined) return false;
    sighting.clearAt = glance.entryCount;
    return true;
  }

  return {
    find(credential) {
      const seen = places[placeOf(credential)];
      if (seen === undefined || seen.credential !== credential || seen.version !== keys.version) return undefined;
      const now = system.now();
      if (now < seen.from || now >= seen.until || !isClear(seen, now)) return undefined;
      accepted();
      return seen.identity;
    },

    remember(credential, token) {
      if (credential.length > LONGEST_KEPT) return;
      const { version } = keys;
      const known = recall(token, system.now());
      if (known === undefined) return;
      const { identity, userId, sessionId, epoch, issuedAt } = known;
      const { from, until } = validity(identity.claims, tolerance);
      const subject = { userId, sessionId, epoch, issuedAt };
      places[placeOf(credential)] = { credential, from, until, version, clearAt: NEVER, identity, ...subject };
    },
  };
}

function placeOf(credential: string): number {
  const start = credential.length - LABEL_FROM_END;
  const label =
    credential.charCodeAt(start) ^ (credential.charCodeAt(start + 1) << 5) ^ (credential.charCodeAt(start + 2) << 10);
  // Of a text that is shorter there are no such characters, and NaN makes it the place 0.
  return label & (PLACES - 1);
}
