/** What the client takes and gives; the shapes of the server's answers in camelCase. */
import type { ClientStorage } from "./storage.ts";

export interface ClientOptions {
  /** Where the auth server is: "https://auth.example.com", with a path where it has one. */
  readonly baseUrl: string;
  /**
   * How credentials travel. "cookie": HttpOnly cookies that no script can read; the default in browsers. "bearer": the
   * client holds the tokens; the default elsewhere.
   */
  readonly transport?: "bearer" | "cookie";
  /**
   * Where the session is kept. "memory": this tab, until it is closed; the default for bearer. "indexedDB": all tabs; the default for
   * cookies, where it holds no token. "localStorage". Or one of your own, such as `fileStorage` of latchkey/client/node.
   */
  readonly storage?: "memory" | "indexedDB" | "localStorage" | ClientStorage;
  /** Origins besides baseUrl's to which `fetch` may take credentials. */
  readonly origins?: readonly string[];
  /** Whom the server that rendered the page saw signed in, or `null` for nobody: what is shown until storage was read. */
  readonly initialUser?: User | null | undefined;
}

export interface User {
  readonly id: number;
  readonly username: string;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly isStaff: boolean;
  readonly isSuperuser: boolean;
  readonly isActive: boolean;
  /** RFC 3339. */
  readonly createdAt: string;
}

export interface LiveSession {
  readonly id: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly expiresAt: string;
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** True for the session that asks. */
  readonly current: boolean;
}

export interface Registration {
  readonly email: string;
  readonly username: string;
  readonly password: string;
  readonly firstName?: string;
  readonly lastName?: string;
}

export type Login = { readonly password: string } & (
  | { readonly username: string; readonly email?: never }
  | { readonly email: string; readonly username?: never }
);

/** One object until something changes: fit for `useSyncExternalStore`. */
export interface ClientState {
  readonly status: "loading" | "signed-in" | "signed-out";
  readonly user: User | undefined;
  /** Why nobody is signed in: "logout" here or in another tab, or the server's code, such as "session_ended". */
  readonly reason: string | undefined;
}

/** "renewed": new tokens, the same user. */
export type Change = "ready" | "signed-in" | "signed-out" | "renewed";

export interface Client {
  /** Resolves once it is known who is signed in; never rejects. */
  readonly ready: Promise<void>;
  readonly state: ClientState;
  /** As it was at first: what a server renders, and what hydration begins with. */
  readonly initialState: ClientState;
  /** Who is signed in, as known from the login. */
  readonly user: User | undefined;
  /**
   * The session, how many refreshes led to its tokens, and for how many seconds the access token is good: Infinity where
   * that is not known, as after a reload.
   */
  readonly session: { readonly id: string; readonly generation: number; readonly expiresIn: number } | undefined;
  /** Calls back after every change, with what changed. @returns what stops it. */
  onChange(listener: (change: Change) => void): () => void;
  /** Creates an account; signs nobody in. @throws ClientError `username_taken`, `email_taken`, `input_invalid`. */
  register(registration: Registration): Promise<User>;
  /** @throws ClientError `invalid_credentials`, `input_invalid`, `rate_limited`, `unreachable`. */
  login(login: Login): Promise<User>;
  /** Signs out in all tabs at once. Rejects with `unreachable` when the server could not be told. */
  logout(): Promise<void>;
  /** Ends all sessions of the user; with `except: "current"` all but this one. */
  logoutEverywhere(options?: { readonly except?: "current" }): Promise<void>;
  /** Live sessions, newest first. */
  sessions(): Promise<LiveSession[]>;
  /** Ends every other session. @throws ClientError `wrong_password`, `input_invalid`. */
  changePassword(change: { readonly currentPassword: string; readonly newPassword: string }): Promise<void>;
  /**
   * As the platform's `fetch`, with credentials: refreshed ahead of expiry, and once on a 401. A relative address is taken
   * from baseUrl. @throws TypeError for an origin that is neither baseUrl's nor one of `origins`.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** A token that is good now, for what is no fetch (a WebSocket); `undefined` when signed out or with cookies. */
  accessToken(): Promise<string | undefined>;
  /** Stops listening to other tabs. */
  close(): void;
}
