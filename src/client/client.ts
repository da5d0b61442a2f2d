/**
 * The client: sign in once, in any number of tabs, and forget about it.
 * This file joins the parts: what a user calls is here, how a session lives is in session.ts, how a request gets its
 * credentials in fetch.ts.
 */
import { readBaseUrl } from "./base-url.ts";
import { now } from "./clock.ts";
import { createFetch, renewIfDue } from "./fetch.ts";
import { indexedDbStorage } from "./indexed-db.ts";
import type { SessionRecord } from "./record.ts";
import { createServer, fromWire, isVerdict, readUser, toWire, unexpected } from "./server-calls.ts";
import { createSession, newAttempt } from "./session.ts";
import { type ClientStorage, keepIn, webStorage } from "./storage.ts";
import type { Change, Client, ClientOptions, ClientState, LiveSession, User } from "./types.ts";

const STORAGES: Readonly<Record<string, () => ClientStorage | undefined>> = {
  memory: () => undefined,
  indexedDB: indexedDbStorage,
  localStorage: webStorage,
};

const ME_PATH = "/v1/users/me";
/** Cookies can't be deleted by a script: this says that they count for nothing. */
const NOBODY: SessionRecord = { session_id: "", generation: 0, version: 0, expires_in: 0, end: "done" };

/** @throws TypeError when an option is wrong. */
export function createClient(options: ClientOptions): Client {
  const baseUrl = readBaseUrl(options?.baseUrl);
  // Workers too.
  const isBrowser = "indexedDB" in globalThis;
  const { transport = isBrowser ? "cookie" : "bearer", initialUser, origins = [] } = options;
  const isCookie = transport === "cookie";
  const { storage = isCookie ? "indexedDB" : "memory" } = options;
  const open = typeof storage === "string" ? STORAGES[storage] : () => storage;
  if (!open || !/^(bearer|cookie)$/.test(transport)) {
    throw new TypeError("transport must be bearer or cookie, and storage memory, indexedDB or localStorage");
  }
  const key = `latchkey:${baseUrl}`;

  const listeners = new Set<(change: Change) => void>();
  const server = createServer(baseUrl, isCookie);
  const { call } = server;
  const session = createSession({ key, server, storage: keepIn(open(), key), onChange });
  let state: ClientState = {
    status: initialUser === undefined ? "loading" : initialUser ? "signed-in" : "signed-out",
    user: initialUser ?? undefined,
    reason: undefined,
  };

  const initialState = state;

  function onChange(change: Change, reason?: string): void {
    // A server shows what it was told until the page has gone out.
    if (initialState.user && !isBrowser) return;
    const user = session.held?.user;
    const status = session.held ? "signed-in" : "signed-out";
    // The same object while nothing that is seen has changed.
    if (state.status !== status || JSON.stringify(state.user) !== JSON.stringify(user))
      state = { status, user, reason };
    for (const listener of listeners) listener(change);
  }

  const announce = () => onChange("ready");
  const ready = resume().then(announce, announce);
  const go = createFetch({ baseUrl, origins, isCookie, session, ready });

  async function resume(): Promise<void> {
    const isAsking = isCookie && isBrowser;
    const stored = await session.resume(isAsking ? { ...NOBODY, end: "unknown", attempt: newAttempt() } : undefined);
    if (!stored || !isAsking) return;
    if (stored.end === "pending") await leave(stored);
    // Cookies may be there although storage was cleared, or a server has signed the user in.
    if (stored.end === "unknown" || (initialUser && initialUser.id !== stored.user?.id)) {
      await enter("/refresh", { attempt: stored.attempt }).catch(async (error) => {
        if (isVerdict(error)) await session.replace(NOBODY);
      });
    }
  }

  /** In turn, so that cookies and what is stored of them are of one session. */
  const enter = (path: string, body: object): Promise<User> =>
    session.inTurn(async () => {
      const { expiresAt, ...tokens } = await server.tokens(path, body);
      const user = await server.me(tokens.access_token);
      const replaced = await session.replace({ ...tokens, user, version: 0 }, expiresAt);
      if (replaced?.refresh_token) server.revoke(replaced).catch(() => {});
      return user;
    });

  /** Tells the server of a sign-out. */
  async function leave(left: SessionRecord | undefined): Promise<void> {
    await server.revoke(left);
    if (isCookie) await session.replace(NOBODY);
  }

  return {
    ready,
    initialState,
    get state() {
      return state;
    },
    get user() {
      return state.user;
    },
    get session() {
      const { held } = session;
      return (
        held && {
          id: held.session_id,
          generation: held.generation,
          expiresIn: held.expiresAt - now(),
        }
      );
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async register(registration) {
      return readUser(await call("POST", "/v1/users", { body: toWire(registration) }));
    },
    async login(login) {
      await ready;
      return enter("", login);
    },
    async logout() {
      await ready;
      const { held } = session;
      if (held) await leave((await session.replace(isCookie ? { ...NOBODY, end: "pending" } : undefined)) ?? held);
    },
    async logoutEverywhere({ except } = {}) {
      await call("DELETE", `${ME_PATH}/sessions${except ? `?except=${except}` : ""}`, { go });
      if (!except) await session.replace(isCookie ? NOBODY : undefined);
    },
    async sessions() {
      const { sessions } = Object(await call("GET", `${ME_PATH}/sessions`, { go })) as { sessions?: unknown };
      if (!Array.isArray(sessions)) throw unexpected("sessions");
      return sessions.map((live) => fromWire<LiveSession>(live));
    },
    async changePassword(change) {
      await call("POST", `${ME_PATH}/password`, { body: toWire(change), go });
    },
    fetch: go,
    async accessToken() {
      await ready;
      await renewIfDue(session);
      return session.held?.access_token;
    },
    close: session.close,
  };
}
