/**
 * The session of a client: what this tab holds, what storage holds, and how one becomes the next.
 * The client's half of the refresh rule (docs/sessions.md): storage is read again before every send; all tabs send one attempt id
 * for one refresh token, made when it is about to be spent and kept until a newer token is stored; an older answer never
 * replaces a newer one; and nothing but the server's own word ends a session.
 */
import { now } from "./clock.ts";
import type { ClientError } from "./errors.ts";
import { isNewer, readRecord, type SessionRecord } from "./record.ts";
import { isVerdict, type Server, type Tokens } from "./server-calls.ts";
import type { Kept } from "./storage.ts";
import { joinTabs } from "./tabs.ts";
import type { Change } from "./types.ts";

/** Seconds: how long a caller waits while the server can't be reached, and the longest pause between tries. */
const PATIENCE = 10;
const FIRST_BACKOFF = 0.5;

/** What this tab goes by. A new object for each new access token. */
export interface Held extends SessionRecord {
  /** When the access token expires, by the clock that nobody sets; Infinity where its age is not known. */
  readonly expiresAt: number;
}

type Stored = SessionRecord | undefined;

export interface SessionOptions {
  readonly key: string;
  readonly server: Server;
  readonly storage: Kept;
  readonly onChange: (change: Change, reason?: string) => void;
}

export interface Session {
  readonly held: Held | undefined;
  /** Gets newer tokens, once for all who ask. False when another tab had them. @throws ClientError after some tries. */
  refresh(): Promise<boolean>;
  /** Goes on with what storage holds, or with `first` where it holds nothing. */
  resume(first: Stored): Promise<Stored>;
  /** Stores another session, or its end, for all tabs. @returns what it replaces. @param expiresAt of the access token. */
  replace(record: Stored, expiresAt?: number): Promise<Stored>;
  /** Runs when no other tab refreshes or signs in, or after a short wait anyway. */
  inTurn<T>(run: () => Promise<T>): Promise<T>;
  close(): void;
}

export function createSession({ key, server, storage, onChange }: SessionOptions): Session {
  let held: Held | undefined;
  let refreshing: Promise<boolean> | undefined;
  let failures = 0;
  let restUntil = 0;
  let lastFailure: unknown;
  let wake = () => {};

  const tabs = storage.isAlone ? undefined : joinTabs(key, onTold);
  // Browsers only: back online; back from the browser's history, where no tab could tell it anything; and localStorage, which other
  // tabs see later than what they are told of it.
  for (const event of ["online", "pageshow", "storage"]) {
    (globalThis as Partial<EventTarget>).addEventListener?.(event, async () => {
      failures = restUntil = 0;
      wake();
      follow(await change((stored) => stored));
    });
  }

  const inTurn: Session["inTurn"] = (run) => (tabs ? tabs.inTurn(run) : run());

  /** Reads storage and decides what it holds next, as one step. */
  const update = (decide: (stored: Stored) => Stored) =>
    storage.update((text) => {
      const stored = readRecord(text);
      const record = decide(stored);
      return record === stored ? text : record && JSON.stringify(record);
    });

  const change = async (decide: (stored: Stored) => Stored) => readRecord(await update(decide));

  /** The same, and other tabs are told. */
  async function store(decide: (stored: Stored) => Stored): Promise<Stored> {
    const text = await update(decide);
    tabs?.tell(text);
    return readRecord(text);
  }

  /** Storage speaks for itself, but where it is missing or could not be written. */
  async function onTold(message: string | undefined): Promise<void> {
    const told = readRecord(message);
    follow(
      await change((stored) =>
        (storage.isAlone || told?.session_id === stored?.session_id) && (!told || isNewer(told, stored))
          ? told
          : stored,
      ),
    );
  }

  /** This tab goes on with a record, or without any. */
  function hold(record: Stored, expiresAt: number, reason = "logout"): void {
    const before = held;
    held = record && !record.end ? { ...record, expiresAt } : undefined;
    if (held) onChange(held.session_id === before?.session_id ? "renewed" : "signed-in");
    else if (before) onChange("signed-out", reason);
  }

  /** Goes on with what storage holds, where that is newer. */
  function follow(stored: Stored, reason?: string, expiresAt?: number): void {
    if (stored && !isNewer(stored, held)) return;
    hold(stored, expiresAt ?? now() + (stored?.expires_in as number), reason);
  }

  /** Sends the refresh token once. True when this tab goes by the answer, false when storage held newer tokens. */
  async function refreshOnce(before: Held): Promise<boolean> {
    const sent = await change((stored) =>
      !stored || stored.attempt || isNewer(stored, before) ? stored : { ...stored, attempt: newAttempt() },
    );
    if (!sent || isNewer(sent, before)) {
      follow(sent);
      return false;
    }
    const { refresh_token, attempt } = sent;
    let tokens: Tokens;
    try {
      tokens = await server.tokens("/refresh", { refresh_token, attempt });
    } catch (cause) {
      const error = cause as ClientError;
      if (!isVerdict(error)) throw error;
      // The verdict is about what was sent: who has signed in again meanwhile stays.
      let isOver = false;
      const left = await store((stored) => {
        isOver = !!stored && !isNewer(stored, sent);
        return isOver ? undefined : stored;
      });
      // Somebody else went on with the session.
      if (isOver && error.status === 409) server.revoke(sent).catch(() => {});
      follow(left, error.code);
      return !left;
    }
    const { expiresAt, ...answer } = tokens;
    const isSame = answer.session_id === sent.session_id;
    // Cookies are shared by more than us: a page of the server's may have signed in another user.
    const { user } = isSame ? sent : { user: await server.me(answer.access_token) };
    let isKept = false;
    const kept = await store((stored) => {
      isKept = stored?.session_id === sent.session_id && !(isSame && stored.generation > answer.generation);
      if (!stored || !isKept) return stored;
      const attempt = stored.generation === answer.generation ? stored.attempt : undefined;
      return { ...answer, user, version: stored.version + 1, attempt };
    });
    if (isKept) hold(kept, expiresAt);
    else follow(kept);
    return isKept;
  }

  async function refreshUntilAnswered(): Promise<boolean> {
    const start = now();
    for (let tries = 0; ; tries++) {
      const rest = restUntil - now();
      // A device that slept has spent its patience without a try.
      if (rest > PATIENCE || (tries > 2 && restUntil > start + PATIENCE)) throw lastFailure;
      if (rest > 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
          setTimeout(resolve, rest * 1000);
        });
      }
      const before = held;
      // Signed out while it waited.
      if (!before) return false;
      try {
        const isAnswered = await inTurn(() => refreshOnce(before));
        failures = restUntil = 0;
        return isAnswered;
      } catch (error) {
        lastFailure = error;
        // By chance: twenty tabs that failed together do not come back together.
        const backoff = Math.min(PATIENCE, FIRST_BACKOFF * 2 ** failures++) * Math.random();
        restUntil = now() + Math.max(backoff, (error as ClientError).retryAfter || 0);
      }
    }
  }

  return {
    get held() {
      return held;
    },
    refresh() {
      refreshing ??= refreshUntilAnswered().finally(() => {
        refreshing = undefined;
      });
      return refreshing;
    },
    async resume(first) {
      const stored = await change((stored) => stored ?? first);
      follow(stored, undefined, Number.POSITIVE_INFINITY);
      return stored;
    },
    async replace(record, expiresAt = 0) {
      let replaced: Stored;
      await store((stored) => {
        replaced = stored;
        return record;
      });
      hold(record, expiresAt);
      return replaced;
    },
    inTurn,
    close() {
      held = undefined;
      wake();
      tabs?.close();
    },
  };
}

/** 160 random bits, at most 54 characters; `randomUUID` is not there on pages without TLS. */
export const newAttempt = () => crypto.getRandomValues(new Uint32Array(5)).join("-");
