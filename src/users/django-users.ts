/** `djangoUsers`: says where the users are that Django goes on reading and writing, and how new the knowledge of its changes must be. */
import { quoteTable, toColumns, type UserColumns, type UsersTable } from "../storage/users-in-place.ts";

export interface DjangoUsersOptions {
  /** `auth_user` by default; of another schema, `schema.table`. */
  readonly table?: string;
  /** Names of columns that differ from Django's own; `null` for those that the table does not have. */
  readonly columns?: Partial<UserColumns>;
  /**
   * What `auth.authenticate` asks unless told otherwise. Default "live", the store at every request: what Django changes does not reach the feed. "feed" is
   * right on PostgreSQL with the trigger that `latchkey users trigger` prints.
   */
  readonly freshness?: "feed" | "live";
}

/** What `createAuth` takes as `users`. */
export interface UsersInPlaceOptions extends UsersTable {
  readonly freshness: "feed" | "live";
}

/** @throws TypeError for names that can't be a table's or a column's. */
export function djangoUsers(options: DjangoUsersOptions = {}): UsersInPlaceOptions {
  const { table = "auth_user", columns, freshness = "live" } = options;
  quoteTable(table);
  if (freshness !== "feed" && freshness !== "live") throw new TypeError('users.freshness must be "feed" or "live"');
  return { table, columns: toColumns(columns), freshness };
}
