/** What the engine asks about users and does to them, as statements: over a table of ours here, over Django's in `users-in-place.ts`. */
import * as queries from "./queries.ts";
import type { Statement } from "./storage.ts";

/** A login whose password was right. */
export interface VerifiedLogin {
  readonly id: number;
  /** The stored hash that the password was checked against. */
  readonly verified: string;
  /** The hash to put in its place, if any. */
  readonly rehashed: string | undefined;
  readonly now: number;
}

/** A name as it came with a password. */
export interface TypedName {
  readonly column: "username" | "email";
  readonly text: string;
  readonly key: string;
  /** True: no other spelling counts. */
  readonly isExact: boolean;
}

/** Rows have the columns of `latchkey_users`, whatever table they come from. */
export interface UserStatements {
  byId(id: number): Statement;
  /** @param key of the name, as a table of ours is looked up by. */
  byUsername(username: string, key: string): Statement;
  /** @param exact the address in its very case, where no other spelling counts. */
  byEmail(key: string, exact?: string): Statement;
  /**
   * What guesses at a name are counted by: the text that it is looked up by. It is never that of two users, or who signs in to the one would end
   * the count of the other.
   */
  countedBy(name: TypedName): string;
  /** Rows with the `username_key` given, if that name is taken; any other row takes the email. */
  taking(user: Pick<queries.NewUser, "username" | "usernameKey" | "emailKey">): Statement;
  insert(user: queries.NewUser): Statement;
  /** By id. */
  page(after: number, limit: number, searchKey: string): Statement;
  /** Searches by the order of keys; absent where no index has them, and `page` looks at every row. */
  byKeys?(range: queries.KeyRange): Statement;
  /** To commit together with the new session. A guard among them fails when the password has changed since it was verified. */
  login(login: VerifiedLogin): Statement[];
  /** Fails when the password has changed since it was verified. */
  changePassword(id: number, verified: string, password: string): Statement[];
  setPassword(id: number, password: string): Statement[];
  bumpEpoch(id: number): Statement;
  deactivate(id: number, now: number): Statement[];
  reactivate(id: number): Statement;
  /** `undefined` where users are deleted by somebody else. */
  delete(id: number): Statement | undefined;
  /** Each null, or since when. Fails when there is no such user. @throws AuthError `input_invalid` where there is no column for it. */
  setStaff(id: number, at: number | null): Statement;
  setSuperuser(id: number, at: number | null): Statement;
  /** To be written before a session is started without a login. */
  settle?(id: number): Statement;
}

export const ownUsers: UserStatements = {
  byId: queries.userById,
  byUsername: (_username, key) => queries.userByUsername(key),
  byEmail: (key) => queries.userByEmail(key),
  // One key, one user, in whatever spelling.
  countedBy: ({ key }) => key,
  taking: ({ usernameKey, emailKey }) => queries.usersTaking(usernameKey, emailKey),
  insert: queries.insertUser,
  page: queries.usersPage,
  byKeys: queries.usersByKeys,
  login: ({ id, verified, rehashed, now }) => [
    queries.touchLogin(id, now),
    ...(rehashed === undefined ? [] : [queries.rehashPassword(id, verified, rehashed)]),
  ],
  changePassword: (id, verified, password) => [queries.changePassword(id, verified, password)],
  setPassword: (id, password) => [queries.setPassword(id, password)],
  bumpEpoch: queries.bumpEpoch,
  deactivate: (id, now) => [queries.deactivateUser(id, now)],
  reactivate: queries.reactivateUser,
  delete: queries.deleteUser,
  setStaff: queries.setStaff,
  setSuperuser: queries.setSuperuser,
};
