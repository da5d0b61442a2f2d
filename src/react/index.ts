"use client";
/**
 * `latchkey/react`: who is signed in, for components.
 * The client is made outside of React and lives as long as the page. Server rendering and hydration show what the client began
 * with (`initialUser`, or "loading"), so that nobody sees the wrong state for a moment.
 */
import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useSyncExternalStore,
} from "react";
import type { Client, ClientState, User } from "../client/index.ts";

const AuthContext = createContext<Client | undefined>(undefined);

export interface AuthProviderProps {
  /** From `createClient`, made once a page; on a server, once a request. */
  readonly client: Client;
  readonly children?: ReactNode;
}

export function AuthProvider({ client, children }: AuthProviderProps): ReactElement {
  return createElement(AuthContext.Provider, { value: client }, children);
}

export interface AuthState extends ClientState, Pick<Client, "login" | "logout" | "fetch"> {
  readonly client: Client;
}

/**
 * Who is signed in, and the means to change it; renders again when that changes, not when tokens are renewed.
 * @throws TypeError without an AuthProvider above.
 */
export function useAuth(): AuthState {
  const client = useClient();
  const state = useClientState(client);
  return { ...state, client, login: client.login, logout: client.logout, fetch: client.fetch };
}

/** `undefined` while nobody is signed in, or it is not known yet. @throws TypeError without an AuthProvider above. */
export function useUser(): User | undefined {
  return useClientState(useClient()).user;
}

function useClient(): Client {
  const client = useContext(AuthContext);
  if (!client) throw new TypeError("useAuth and useUser need <AuthProvider client={…}> above them");
  return client;
}

const useClientState = (client: Client): ClientState =>
  useSyncExternalStore(
    client.onChange,
    () => client.state,
    () => client.initialState,
  );
