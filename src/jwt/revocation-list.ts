/**
 * What an issuer has taken back, kept here: for services that verify its tokens and hold no database.
 * It follows the issuer's feed (`GET /v1/revocations`) by long polling and answers from memory. While it is stale it
 * vouches for nobody, unless told otherwise.
 */
import { AuthError } from "../errors.ts";
import { type OptionNames, refuseUnknownOptions } from "../known-options.ts";
import { createRevocationFeed, type FeedPage, type FeedState } from "../revocations/revocation-feed.ts";
import type { Revocation } from "../revocations/revocation-index.ts";
import { takenBack } from "../revocations/taken-back.ts";
import { readId, readSubject, type SubjectClaims } from "../revocations/token-subject.ts";
import { type Duration, parseDuration, realSystem, type System } from "../system.ts";
import { brieflyWhy, fetchJson, readLocation, toError } from "./fetch-json.ts";

export interface RevocationListOptions {
  /** One of the issuer's LATCHKEY_FEED_TOKENS. */
  readonly credential: string;
  /** While the list is stale: "refuse" every token with 503, or "allowStale" and go by what was known. Default "refuse". */
  readonly onStale?: "refuse" | "allowStale";
  /** How long a successful read is good for. Default 30 s. */
  readonly freshFor?: Duration;
  /** Asks over plain HTTP too: whoever is on the way can then bring ended sessions back. Default false. */
  readonly allowInsecureHttp?: boolean;
  /** Told why a read failed, for logs. */
  readonly onFailure?: (cause: Error) => void;
  readonly fetch?: typeof globalThis.fetch;
  readonly system?: Pick<System, "now" | "monotonic">;
}

export interface RevocationList {
  /** Resolves once the list has been read; rejects when that failed. A verifier need not wait: it refuses until then. */
  ready(): Promise<void>;
  /** Why a verified token is refused all the same: AuthError `session_ended`, `user_not_found` or `store_unavailable`. */
  refusal(claims: SubjectClaims): AuthError | undefined;
  state(): FeedState;
  /** Stops following. */
  close(): void;
}

/** Seconds that the issuer may wait for news; with it a read is at most twice as old when the next one ends. */
const WAIT = 10;
/** Milliseconds over the wait that an answer may take. */
const TIMEOUT = 5000;
/** Milliseconds between a failed read and the next, and between reads at most often. */
const PAUSE = 1000;
/** Bytes: a page of 10,000 entries. */
const MAX_PAGE_SIZE = 4 * 1024 * 1024;

const OPTIONS = {
  credential: true,
  onStale: true,
  freshFor: true,
  allowInsecureHttp: true,
  onFailure: true,
  fetch: true,
  system: true,
} as const satisfies OptionNames<RevocationListOptions>;

/**
 * Follows an issuer's revocation feed.
 * @param url of the feed, such as `https://auth.example.com/v1/revocations`.
 * @throws TypeError naming the argument that is missing, mistyped, out of bounds or not known.
 */
export function createRevocationList(url: string | URL, options: RevocationListOptions): RevocationList {
  refuseUnknownOptions(options, OPTIONS, "createRevocationList");
  const location = readLocation(url, "the revocation feed", options.allowInsecureHttp === true);
  const { credential, onStale = "refuse", onFailure, fetch = globalThis.fetch, system = realSystem } = options;
  if (typeof credential !== "string" || credential === "")
    throw new TypeError("credential is a text: one of the issuer's feed tokens");
  if (onStale !== "refuse" && onStale !== "allowStale") throw new TypeError('onStale is "refuse" or "allowStale"');
  const freshFor = parseDuration(options.freshFor ?? 30, "freshFor");
  const closing = new AbortController();
  /** The cursor with which everything is known: only then there is news to wait for. */
  let caughtUp: string | undefined;
  /** Why the last read failed; `undefined` when it did not. */
  let failure: Error | undefined;

  async function readAfter(storeId: string | undefined, position: number): Promise<FeedPage> {
    const asked = new URL(location);
    const cursor = storeId && `${storeId}.${position}`;
    if (cursor) asked.searchParams.set("since", cursor);
    asked.searchParams.set("wait", cursor && cursor === caughtUp ? String(WAIT) : "0");
    const answer = await fetchJson(asked, {
      fetch,
      timeout: WAIT * 1000 + TIMEOUT,
      maxSize: MAX_PAGE_SIZE,
      headers: { authorization: `Bearer ${credential}` },
      signal: closing.signal,
    }).catch((thrown: unknown) => {
      throw withoutCredential(toError(thrown));
    });
    const page = readPage(answer);
    if (page.position === page.head) caughtUp = `${page.storeId}.${page.position}`;
    return page;
  }

  /** The platform quotes a header that it can't send. */
  function withoutCredential(error: Error): Error {
    return error.message.includes(credential.trim()) ? new Error("the credential can't be sent as a header") : error;
  }

  const feed = createRevocationFeed({ source: { readAfter }, system, freshFor, pollInterval: 0 });

  /** One read after the other, each waiting at the issuer, until closed. */
  async function follow(): Promise<void> {
    while (!closing.signal.aborted) {
      const began = system.monotonic();
      try {
        await feed.catchUp();
        failure = undefined;
      } catch (thrown) {
        report(toError(thrown));
      }
      const rest = PAUSE - (system.monotonic() - began);
      if (rest > 0) await pause(rest);
    }
  }

  function report(cause: Error): void {
    if (closing.signal.aborted) return;
    failure = cause;
    try {
      onFailure?.(cause);
    } catch {
      // A log that fails must not end the following.
    }
  }

  const first = feed.catchUp();
  // Whoever awaits `ready` hears of it; nobody has to.
  first.catch((thrown: unknown) => report(toError(thrown))).then(() => void follow());

  return {
    ready: () => first,
    state: feed.state,
    refusal(claims) {
      const subject = readSubject(claims);
      if (typeof subject === "string") return new AuthError("token_invalid", { reason: subject });
      if (onStale === "refuse" && !feed.isFresh()) {
        const why = failure === undefined ? "" : `: ${brieflyWhy(failure)}`;
        return new AuthError("store_unavailable", { reason: `the revocation list is stale${why}`, cause: failure });
      }
      const reason = feed.find(subject);
      return reason && takenBack(reason);
    },
    close() {
      closing.abort();
      feed.stop();
    },
  };
}

/** A pause that keeps no process alive. */
const pause = (milliseconds: number) => new Promise<void>((resolve) => void setTimeout(resolve, milliseconds).unref());

/** @throws Error for anything that is not a page of the feed: what can't be read must not count as nothing taken back. */
function readPage(answer: unknown): FeedPage {
  const { entries, cursor, more } = (answer ?? {}) as { entries?: unknown; cursor?: unknown; more?: unknown };
  const match = typeof cursor === "string" ? /^([\w-]{1,64})\.(\d{1,15})$/.exec(cursor) : null;
  if (!match || !Array.isArray(entries) || typeof more !== "boolean")
    throw new Error("the answer is no page of a revocation feed");
  const position = Number(match[2]);
  return {
    storeId: match[1] as string,
    position,
    head: more ? position + 1 : position,
    entries: entries.map(readEntry),
  };
}

function readEntry(entry: unknown): Revocation {
  const fields = (entry ?? {}) as Record<string, unknown>;
  const id = (name: string) => {
    if (fields[name] === null) return undefined;
    const number = readId(fields[name]);
    if (number === undefined) throw new Error(`an entry of the feed has no ${name} that can be read`);
    return number;
  };
  const whole = (name: string) => {
    if (!Number.isSafeInteger(fields[name])) throw new Error(`an entry of the feed has no ${name} that can be read`);
    return fields[name] as number;
  };
  return {
    position: whole("position"),
    sessionId: id("session_id"),
    userId: id("user_id"),
    epoch: fields.epoch === null ? undefined : whole("epoch"),
    exceptSessionId: id("except_session_id"),
    issuedBefore: fields.issued_before === null ? undefined : whole("issued_before"),
    reason: fields.reason === "inactive" ? "inactive" : "ended",
    expiresAt: whole("expires_at"),
  };
}
