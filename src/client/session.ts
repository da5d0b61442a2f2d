/**
 * The session of a client: what this tab holds, what storage holds, and how one becomes the next.
 * The client's half of the refresh rule (docs/sessions.md): storage is read again before every send; all tabs send one attempt id
 * for one refresh token, made when it is about to be spent and kept until a newer token is stored; an older answer never
 * replaces a newer one; and nothing but the server's own word ends a session.
 */
import { ClientError } from "./errors.ts";
import { isNewer, readRecord, type SessionRecord } from "./record.ts";
import { type Call, readTokens, TOKEN_PATH } from "./server-calls.ts";
import type { withFallback } from "./storage.ts";
import { ALONE, joinTabs } from "./tabs.ts";
import type { Change, User } from "./types.ts";

/** Milliseconds: how long a caller waits while the server can't be reached. */
const PATIENCE = 10_000;
const FIRST_BACKOFF = 250;
const LONGEST_BACKOFF = 30_000;

/** What this tab goes by. A new object for each new access token. */
export interface Held extends SessionRecord {
  /** When the access token expires, by the clock that nobody sets; Infinity where its age is not known. */
  readonly expiresAt: number;
}

export interface SessionOptions {
  readonly key: string;
  readonly call: Call;
  readonly isCookie: boolean;
  readonly storage: ReturnType<typeof withFallback>;
  readonly onChange: (change: Change, reason?: string) => void;
}

export type Session = ReturnType<typeof createSession>;

export function createSession({ key, call, isCookie, storage, onChange }: SessionOptions) {
  let held: Held | undefined;
  let refreshing: Promise<boolean> | undefined;
  let failures = 0;
  let restUntil = 0;
  let lastFailure: unknown;
  let wake = () => {};

  const tabs = storage.isShared ? joinTabs(key, onTold) : ALONE;
  const onOnline = () => {
    failures = restUntil = 0;
    wake();
  };
  // Browsers only.
  const { addEventListener, removeEventListener } = globalThis as Partial<EventTarget>;
  addEventListener?.call(globalThis, "online", onOnline);

  /** Reads storage and decides what it holds next, as one step. */
  async function change(next: (stored: SessionRecord | undefined) => SessionRecord | undefined) {
    const text = await storage.update(key, (old) => {
      const stored = readRecord(old);
      const record = next(stored);
      return record === stored ? old : record && JSON.stringify(record);
    });
    return readRecord(text);
  }

  /** This tab goes on with a record, or without any. */
  function hold(record: SessionRecord | undefined, lifetime: number, reason?: string): void {
    const before = held;
    held = record && !record.end ? { ...record, expiresAt: performance.now() + lifetime * 1000 } : undefined;
    if (!held) {
      if (before) onChange("signed-out", reason);
    } else onChange(before?.sessionId === held.sessionId ? "renewed" : "signed-in");
  }

  /** Goes on with what storage holds, where that is newer. */
  function follow(stored: SessionRecord | undefined, lifetime?: number): void {
    if (!stored || stored.end) hold(undefined, 0, "logout");
    else if (isNewer(stored, held)) hold(stored, lifetime ?? stored.expiresIn);
  }

  async function onTold(message: string | undefined): Promise<void> {
    follow(
      await change((stored) => {
        // Storage speaks for itself; only tabs that have none go by what they are told.
        const told = readRecord(message);
        return storage.hasFailed && (!told || !stored || isNewer(told, stored)) ? told : stored;
      }),
    );
  }

  async function store(next: (stored: SessionRecord | undefined) => SessionRecord | undefined) {
    const stored = await change(next);
    tabs.tell(stored && JSON.stringify(stored));
    return stored;
  }

  /** Sends the refresh token once. True when the server was asked, false when storage held newer tokens. */
  async function refreshOnce(before: Held): Promise<boolean> {
    const stored = await change((record) =>
      !record || record.end || record.attempt || isNewer(record, before)
        ? record
        : { ...record, attempt: newAttempt() },
    );
    if (!stored || isNewer(stored, before)) {
      follow(stored);
      return false;
    }
    const sentAt = performance.now();
    const { refreshToken, attempt } = stored;
    try {
      const tokens = readTokens(
        await call("POST", `${TOKEN_PATH}/refresh`, { body: { refresh_token: refreshToken, attempt } }),
        isCookie,
      );
      const isOld = (record: SessionRecord | undefined) =>
        !record || record.end || record.sessionId !== tokens.sessionId || record.generation > tokens.generation;
      const kept = await store((record) =>
        isOld(record)
          ? record
          : {
              ...(record as SessionRecord),
              ...tokens,
              version: (record as SessionRecord).version + 1,
              attempt: record?.generation === tokens.generation ? record.attempt : undefined,
            },
      );
      if (isOld(kept)) follow(kept);
      else hold(kept, tokens.expiresIn - (performance.now() - sentAt) / 1000);
      return true;
    } catch (error) {
      if (!isVerdict(error)) throw error;
      // The verdict is about what was sent: who has signed in again meanwhile stays.
      let isOver = false;
      const left = await store((record) => {
        isOver = !!record && !isNewer(record, stored);
        return isOver ? undefined : record;
      });
      if (isOver && error.status === 409)
        void call("POST", `${TOKEN_PATH}/revoke`, { body: { refresh_token: refreshToken } }).catch(() => {});
      if (left) follow(left);
      else hold(undefined, 0, error.code);
      return true;
    }
  }

  const pause = (duration: number) =>
    new Promise<void>((resolve) => {
      wake = resolve;
      setTimeout(resolve, duration);
    });

  async function refreshUntilAnswered(): Promise<boolean> {
    const start = performance.now();
    for (let tries = 0; ; tries++) {
      const now = performance.now();
      const rest = restUntil - now;
      // A device that slept has spent its patience without a try.
      if (rest > PATIENCE || (tries > 2 && now + rest > start + PATIENCE)) throw lastFailure;
      if (rest > 0) await pause(rest);
      // Signed out while it waited.
      if (!held) return false;
      const before = held;
      try {
        const isAnswered = await tabs.inTurn(() => refreshOnce(before));
        failures = restUntil = 0;
        return isAnswered;
      } catch (error) {
        lastFailure = error;
        // Full jitter: twenty tabs that failed together do not come back together.
        const backoff = Math.min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** failures++) * (0.5 + Math.random() / 2);
        restUntil = performance.now() + Math.max(backoff, ((error as ClientError).retryAfter ?? 0) * 1000);
      }
    }
  }

  return {
    get held() {
      return held;
    },
    /** Gets newer tokens, once for all who ask. False when another tab had them. @throws ClientError after some tries. */
    refresh(): Promise<boolean> {
      refreshing ??= refreshUntilAnswered().finally(() => {
        refreshing = undefined;
      });
      return refreshing;
    },
    /** Goes on with what storage holds, of an age that is not known. */
    async resume(): Promise<SessionRecord | undefined> {
      const stored = await change((record) => record);
      if (stored && !stored.end && isNewer(stored, held)) hold(stored, Number.POSITIVE_INFINITY);
      return stored;
    },
    /** A login's answer. @returns the session that it replaces. */
    async begin(
      tokens: Omit<SessionRecord, "version">,
      user: User,
      sentAt: number,
    ): Promise<SessionRecord | undefined> {
      let replaced: SessionRecord | undefined;
      const stored = await store((record) => {
        replaced = record;
        return { ...tokens, user, version: 0 };
      });
      hold(stored, tokens.expiresIn - (performance.now() - sentAt) / 1000);
      return replaced;
    },
    /** Forgets the session in all tabs. @returns what was stored. @param trace what stays. */
    async end(trace?: SessionRecord): Promise<SessionRecord | undefined> {
      let ended: SessionRecord | undefined;
      await store((record) => {
        ended = record;
        return trace;
      });
      hold(undefined, 0, "logout");
      return ended;
    },
    close(): void {
      held = undefined;
      wake();
      tabs.close();
      removeEventListener?.call(globalThis, "online", onOnline);
    },
  };
}

/** 128 random bits; `randomUUID` is not there on pages without TLS. */
const newAttempt = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte + 256).toString(16).slice(1)).join("");

/** The server's word that a session is over, or that its token went on elsewhere. Nothing else ends one. */
const isVerdict = (error: unknown): error is ClientError =>
  error instanceof ClientError &&
  /^401 (refresh_token_|session_ended|credentials_missing)|^409 refresh_superseded/.test(
    `${error.status} ${error.code}`,
  );
