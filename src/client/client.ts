/**
 * The client: sign in once, in any number of tabs, and forget about it.
 * This file joins the parts: what a user calls is here, how a session lives is in session.ts, how a request gets its
 * credentials in authorized.ts.
 */
import { createAuthorized } from "./authorized.ts";
import { readBaseUrl } from "./base-url.ts";
import { ClientError } from "./errors.ts";
import { createFetch } from "./fetch.ts";
import { indexedDbStorage } from "./indexed-db.ts";
import type { SessionRecord } from "./record.ts";
import { createCall, fromWire, readTokens, readUser, TOKEN_PATH } from "./server-calls.ts";
import { createSession } from "./session.ts";
import { type ClientStorage, memoryStorage, webStorage, withFallback } from "./storage.ts";
import type { Change, Client, ClientOptions, ClientState, LiveSession } from "./types.ts";

const STORAGES: Readonly<Record<string, () => ClientStorage>> = {
  memory: memoryStorage,
  indexedDB: indexedDbStorage,
  localStorage: webStorage,
};

const ME_PATH = "/v1/users/me";
const REFUSED_TOKEN = /^(token_|session_ended|user_not_found|credentials_missing)/;
const BY_COOKIE = { "latchkey-transport": "cookie" };
/** Cookies can't be deleted by a script: this says that they count for nothing. */
const NOBODY: SessionRecord = { sessionId: "", generation: 0, version: 0, expiresIn: 0, end: "done" };

/** @throws TypeError when an option is wrong. */
export function createClient(options: ClientOptions): Client {
  const baseUrl = readBaseUrl(options.baseUrl);
  const isBrowser = "document" in globalThis;
  const { transport = isBrowser ? "cookie" : "bearer", initialUser, origins = [] } = options;
  if (transport !== "bearer" && transport !== "cookie")
    throw new TypeError(`transport must be "bearer" or "cookie", not ${JSON.stringify(transport)}`);
  const isCookie = transport === "cookie";
  const { storage = isCookie && isBrowser ? "indexedDB" : "memory" } = options;
  const kept = typeof storage === "string" ? STORAGES[storage]?.() : storage;
  if (typeof kept?.update !== "function")
    throw new TypeError('storage must be "memory", "indexedDB", "localStorage" or have update()');

  const listeners = new Set<(change: Change) => void>();
  const call = createCall(baseUrl, isCookie);
  const session = createSession({ key: `latchkey:${baseUrl}`, call, isCookie, storage: withFallback(kept), onChange });
  const authorized = createAuthorized(session);
  const goFetch = createFetch({ baseUrl, origins, isCookie, authorized });
  let isReady = false;
  let state: ClientState = {
    status: initialUser === undefined ? "loading" : initialUser ? "signed-in" : "signed-out",
    user: initialUser ?? undefined,
    reason: undefined,
  };

  function onChange(change: Change, reason?: string): void {
    if (!isReady && change !== "ready") return;
    const user = session.held?.user;
    const status = session.held ? "signed-in" : "signed-out";
    // The same object while nothing that is seen has changed.
    if (state.status !== status || state.user !== user) state = { status, user, reason };
    for (const listener of listeners) listener(change);
  }

  const ready = resume()
    .catch(() => {})
    .then(() => {
      isReady = true;
      onChange("ready");
    });

  async function resume(): Promise<void> {
    const stored = await session.resume();
    if (!isCookie) return;
    if (stored?.end === "pending") await leave();
    // Cookies may be there although storage was cleared, or a server has signed the user in.
    if (!stored || (initialUser && stored.end)) {
      try {
        await enter(`${TOKEN_PATH}/refresh`, {});
      } catch (error) {
        if ((error as ClientError).status === 401) await session.end(NOBODY);
      }
    }
  }

  async function enter(path: string, body: object) {
    const sentAt = performance.now();
    const tokens = readTokens(await call("POST", path, { body, ...(isCookie && { headers: BY_COOKIE }) }), isCookie);
    const user = readUser(await call("GET", ME_PATH, { accessToken: tokens.accessToken }));
    const replaced = await session.begin(tokens, user, sentAt);
    if (replaced?.refreshToken && replaced.sessionId !== tokens.sessionId) revoke(replaced).catch(() => {});
    return user;
  }

  const revoke = (record: SessionRecord | undefined) =>
    call("POST", `${TOKEN_PATH}/revoke`, { body: { refresh_token: record?.refreshToken } });

  /** Tells the server of a sign-out that it has not heard of. */
  async function leave(): Promise<void> {
    await revoke(undefined).catch(unlessOver);
    await session.end(NOBODY);
  }

  async function guarded(method: string, path: string, body?: object): Promise<unknown> {
    await ready;
    const { error, answer } = await authorized<{ error?: ClientError; answer?: unknown }>({
      send: (held) =>
        call(method, path, { body, accessToken: held?.accessToken }).then(
          (answer) => ({ answer }),
          (error: ClientError) => ({ error }),
        ),
      isRefused: ({ error }) => error?.status === 401 && REFUSED_TOKEN.test(error.code),
    });
    if (error) throw error;
    return answer;
  }

  return {
    ready,
    get state() {
      return state;
    },
    get user() {
      return state.user;
    },
    get session() {
      const { held } = session;
      if (!held) return undefined;
      const expiresIn = (held.expiresAt - performance.now()) / 1000;
      return {
        id: held.sessionId,
        generation: held.generation,
        expiresIn: Number.isFinite(expiresIn) ? expiresIn : undefined,
      };
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async register({ email, username, password, firstName, lastName }) {
      const body = { email, username, password, first_name: firstName, last_name: lastName };
      return readUser(await call("POST", "/v1/users/", { body }));
    },
    async login({ username, email, password }) {
      await ready;
      return enter(TOKEN_PATH, { username, email, password });
    },
    async logout() {
      await ready;
      if (!session.held) return;
      const ended = await session.end(isCookie ? { ...NOBODY, end: "pending" } : undefined);
      if (isCookie) await leave();
      else if (ended) await revoke(ended).catch(unlessOver);
    },
    async logoutEverywhere({ except } = {}) {
      await guarded("DELETE", `${ME_PATH}/sessions${except ? `?except=${except}` : ""}`);
      if (!except) await session.end(isCookie ? NOBODY : undefined);
    },
    async sessions() {
      const { sessions } = Object(await guarded("GET", `${ME_PATH}/sessions`)) as { sessions?: unknown };
      if (!Array.isArray(sessions))
        throw new ClientError("unexpected_answer", "The answer has no sessions as the server's would.");
      return sessions.map((live) => fromWire<LiveSession>(live));
    },
    async changePassword({ currentPassword, newPassword }) {
      await guarded("POST", `${ME_PATH}/password`, { current_password: currentPassword, new_password: newPassword });
    },
    fetch: (input, init) => (isReady ? goFetch(input, init) : ready.then(() => goFetch(input, init))),
    async accessToken() {
      await ready;
      await authorized({ send: async () => {}, isRefused: () => false });
      return session.held?.accessToken;
    },
    close: session.close,
  };
}

/** That a session has ended already is as good. */
function unlessOver(error: ClientError): void {
  if (error.status !== 401) throw error;
}
