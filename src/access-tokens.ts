/**
 * Whom an access token stands for: verified, and not taken back since. While the feed is fresh the answer is there at once, without any I/O.
 * A token that comes again is known by sight. What is kept of it is what was made of its claims as well, so that a guarded request costs one look
 * into one map; whether its time has passed and whether it was taken back is judged each time.
 */
import type { AuthenticateOptions, Identity } from "./auth-interface.ts";
import { createSight, type Recognized } from "./by-sight.ts";
import { AuthError } from "./errors.ts";
import { deepFreeze } from "./jwt/claims.ts";
import type { Claims, Verifier } from "./jwt/index.ts";
import { createVerifiedCache } from "./jwt/verified-cache.ts";
import type { KeyRing } from "./keys/key-ring.ts";
import type { Counters } from "./metrics/metrics.ts";
import { isPromise } from "./promise.ts";
import type { RevocationFeed } from "./revocations/revocation-feed.ts";
import type { TokenSubject } from "./revocations/revocation-index.ts";
import { takenBack } from "./revocations/taken-back.ts";
import { readId, readSubject } from "./revocations/token-subject.ts";
import type { AskStanding } from "./sessions/standing.ts";
import type { SightFor } from "./sight-registry.ts";
import type { System } from "./system.ts";
import type { User } from "./users/users.ts";

export interface AccessTokensOptions {
  /** Of the engine's own tokens, with the keys of the ring; its schema's types are the application's business. */
  readonly verifier: Verifier;
  /** The verifier's, in seconds. */
  readonly tolerance: number;
  /** Of tokens that Django issued. */
  readonly foreignVerifiers: readonly Verifier[];
  readonly ring: Pick<KeyRing, "keys" | "takeMissedKid" | "lookFor" | "catchUp">;
  readonly feed: Pick<RevocationFeed, "isFresh" | "find" | "glance">;
  readonly askStanding: AskStanding;
  userOf(id: number): Promise<User | undefined>;
  /** Where a call does not say. */
  readonly usualFreshness: Freshness;
  readonly system: Pick<System, "now">;
  readonly counters: Pick<Counters, "accepted" | "refused">;
}

export interface AccessTokens {
  /** As `auth.authenticate`; counted. */
  authenticate(accessToken: string, options?: AuthenticateOptions): Identity | Promise<Identity>;
  /** The same, uncounted: for what looks again at a token that a guard has let pass. */
  identify(accessToken: string, options?: AuthenticateOptions): Identity | Promise<Identity>;
  /** For guards. */
  readonly sightFor: SightFor;
  /** The token that an identity was made of here. */
  tokenOf(identity: Identity): string | undefined;
  /** Refuses a verified token of a dialect that was taken back: at once while the feed is fresh. Its keys are no keys of the ring. */
  refuseTakenBack(claims: Claims, freshness?: AuthenticateOptions["freshness"]): undefined | Promise<void>;
}

type Freshness = NonNullable<AuthenticateOptions["freshness"]>;

/** What is made of a token once, however often it comes. */
interface Known extends Recognized {
  readonly token: string;
}

/** Tokens that are known by sight: about 1 KB each. */
const KNOWN_TOKENS = 4096;

export function createAccessTokens(options: AccessTokensOptions): AccessTokens {
  const { verifier, tolerance, foreignVerifiers, ring, feed, askStanding, userOf, usualFreshness, system, counters } =
    options;
  const { keys } = ring;
  const known = createVerifiedCache<Known>({ capacity: KNOWN_TOKENS, tolerance, keys });
  const sight = createSight({ recall: known.find, tolerance, keys, feed, system, accepted: counters.accepted });

  /** What identities were made of, for who holds one and has to ask again. */
  const tokens = new WeakMap<Identity, string>();

  /** Verifies with the keys that are here. */
  function recognize(token: string): Known {
    const { version } = keys;
    const claims = verifier.verify(token) as Claims;
    const subject = toSubject(claims);
    const { userId } = subject;
    const identity = Object.freeze({ userId, sessionId: claims.sid as string, claims, user: () => userOf(userId) });
    const recognized = { ...subject, token, identity };
    tokens.set(identity, token);
    // Frozen, since whoever comes with this token again is given the same object; where that is not enough, an own one.
    if (deepFreeze(claims)) known.keep(token, recognized, claims, version);
    return recognized;
  }

  /** A token that names a key which is not here waits for a look into the store. */
  function recognizeByAnyKey(token: string): Known | Promise<Known> {
    try {
      return recognize(token);
    } catch (error) {
      const kid = ring.takeMissedKid();
      if (kid === undefined) throw error;
      return ring.lookFor(kid).then(() => {
        try {
          return recognize(token);
        } finally {
          // Looked for once is enough, and the next token that is refused has nothing to do with it.
          ring.takeMissedKid();
        }
      });
    }
  }

  function judge(known: Known, freshness: Freshness, now: number): Identity | Promise<Identity> {
    const { token, identity } = known;
    if (freshness === "token") return identity;
    const isFresh = feed.isFresh(now);
    if (freshness === "feed" && isFresh) {
      const reason = feed.find(known);
      if (reason) throw takenBack(reason);
      return identity;
    }
    return askStore(token, known, isFresh).then((reason) => {
      if (reason) throw takenBack(reason);
      return identity;
    });
  }

  /** Asks how the session stands; where the keys may be old as well, whether the token's is still one of them. */
  async function askStore(token: string, subject: TokenSubject, areKeysFresh: boolean) {
    const { version } = keys;
    const [reason] = await Promise.all([askStanding(subject), areKeysFresh ? undefined : ring.catchUp()]);
    if (keys.version !== version) verifier.verify(token);
    return reason;
  }

  /** Whose token it is, if Django issued it: no session and no epoch speak for it, so its user is looked at. */
  async function identifyForeign(token: string, ownRefusal: unknown): Promise<Identity> {
    let refusal = ownRefusal;
    for (const foreignVerifier of foreignVerifiers) {
      try {
        const claims = foreignVerifier.verify(token) as Claims;
        const userId = readId(claims.sub);
        if (userId === undefined) throw new AuthError("token_invalid", { reason: "sub is not a user's id" });
        await refuseTakenBack({ ...claims, sid: undefined }, undefined);
        const user = await userOf(userId);
        if (!user?.isActive) throw new AuthError("user_not_found", { reason: "no such user, or inactive" });
        const identity = { userId, sessionId: undefined, claims, user: () => userOf(userId) };
        tokens.set(identity, token);
        return identity;
      } catch (error) {
        // That only the time is wrong is said of no token but its own kind.
        if (!(error instanceof AuthError) || error.code !== "token_invalid") refusal = error;
      }
    }
    throw refusal;
  }

  function refuseTakenBack(
    claims: Claims,
    freshness: AuthenticateOptions["freshness"] = usualFreshness,
  ): undefined | Promise<void> {
    if (freshness === "token") return undefined;
    const subject = claims.sid === undefined ? toForeignSubject(claims) : toSubject(claims);
    if (feed.isFresh()) {
      const reason = feed.find(subject);
      if (reason) throw takenBack(reason);
      if (freshness !== "live") return undefined;
    }
    // Of a token without a session the store is asked for its user, by the dialect itself.
    if (subject.sessionId === undefined) return undefined;
    return askStanding(subject).then((reason) => {
      if (reason) throw takenBack(reason);
    });
  }

  /** The usual case and nothing else, at the cost of one map: a token that is known, judged by what is known here. */
  function bySight(token: string, freshness: Freshness): Identity | undefined {
    if (freshness !== "feed") return undefined;
    const now = system.now();
    const seen = known.find(token, now);
    return seen !== undefined && feed.isFresh(now) && feed.find(seen) === undefined ? seen.identity : undefined;
  }

  function identify(
    token: string,
    { freshness = usualFreshness }: AuthenticateOptions = {},
  ): Identity | Promise<Identity> {
    return bySight(token, freshness) ?? judgeWhole(token, freshness);
  }

  function judgeWhole(token: string, freshness: Freshness): Identity | Promise<Identity> {
    const now = system.now();
    let recognized: Known | Promise<Known>;
    try {
      recognized = known.find(token, now) ?? recognizeByAnyKey(token);
    } catch (error) {
      if (foreignVerifiers.length === 0) throw error;
      return identifyForeign(token, error);
    }
    return isPromise(recognized)
      ? recognized.then((one) => judge(one, freshness, system.now()))
      : judge(recognized, freshness, now);
  }

  function authenticate(
    token: string,
    { freshness = usualFreshness }: AuthenticateOptions = {},
  ): Identity | Promise<Identity> {
    const seen = bySight(token, freshness);
    if (seen !== undefined) {
      counters.accepted();
      return seen;
    }
    let identity: Identity | Promise<Identity>;
    try {
      identity = judgeWhole(token, freshness);
    } catch (error) {
      counters.refused(error);
      throw error;
    }
    if (isPromise(identity)) identity.then(counters.accepted, counters.refused);
    else counters.accepted();
    return identity;
  }

  return {
    authenticate,
    identify,
    refuseTakenBack,
    tokenOf: (identity) => tokens.get(identity),
    sightFor: (freshness = usualFreshness) => (freshness === "feed" ? sight : undefined),
  };
}

/** @throws AuthError `token_invalid` for claims that no token of ours has. */
function toSubject(claims: Claims): TokenSubject {
  const subject = readSubject(claims);
  if (typeof subject === "string") throw new AuthError("token_invalid", { reason: subject });
  return subject;
}

/** A token of another system has no session and no epoch: only what takes back all such tokens reaches it. */
function toForeignSubject({ sub, iat }: Claims): TokenSubject {
  return { userId: readId(sub) ?? 0, sessionId: undefined, epoch: Number.MAX_SAFE_INTEGER, issuedAt: iat };
}
