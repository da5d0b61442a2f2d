/**
 * Pages of users: all of them by id, or those whose username or email begins with a text, in the order of what was found.
 * A search reads as many entries of the two indexes as a page can need, wherever it begins, so its cost does not grow with the users.
 */
import { AuthError } from "../errors.ts";
import type { Row, Storage } from "../storage/storage.ts";
import type { UserStatements } from "../storage/user-statements.ts";
import { EMAIL_LENGTH, toKey } from "./names.ts";

export interface ListOptions {
  /** The `next` of the page before. */
  readonly after?: string | undefined;
  /** 1 to 1,000. Default 50. */
  readonly limit?: number | undefined;
  /** What a username or an email begins with, without regard to case. */
  readonly search?: string | undefined;
}

export interface RowPage {
  readonly rows: readonly Row[];
  /** Where the next page begins; `undefined` when this is the last. */
  readonly next: string | undefined;
}

export const LARGEST_PAGE = 1000;
export const USUAL_PAGE = 50;
/** Longer than any name is. */
export const SEARCH_LENGTH = EMAIL_LENGTH;
/** The last code point, which no name holds: what begins with a key lies before the key and this. */
const LAST = "\u{10FFFF}";
/** The first that a key could hold: right behind a key is the key and this. */
const FIRST = "\u0001";

type ColumnOfKey = "username_key" | "email_key";

/** What has been seen: everything up to an entry of one of the two columns. */
interface Position {
  readonly column: ColumnOfKey;
  readonly key: string;
}

const COLUMNS = { u: "username_key", e: "email_key" } as const satisfies Record<string, ColumnOfKey>;

/** @throws AuthError `input_invalid` for a limit, a search or a cursor that can't be. */
export async function pageOfUsers(
  storage: Storage,
  statements: UserStatements,
  { after, limit = USUAL_PAGE, search = "" }: ListOptions,
): Promise<RowPage> {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > LARGEST_PAGE) {
    throw invalid("limit", `must be a whole number from 1 to ${LARGEST_PAGE}`);
  }
  if (search.length > SEARCH_LENGTH) throw invalid("search", `must have at most ${SEARCH_LENGTH} characters`);
  const key = toKey(search.toWellFormed());
  if (key !== "" && statements.byKeys) return byKeys(storage, statements.byKeys, { key, after, limit });
  const id = after === undefined ? 0 : readIdCursor(after);
  if (key.includes("\0")) return { rows: [], next: undefined };
  const rows = await storage.read(statements.page(id, limit + 1, key));
  const page = rows.slice(0, limit);
  return { rows: page, next: rows.length > limit ? String(page.at(-1)?.id) : undefined };
}

interface Search {
  readonly key: string;
  readonly after: string | undefined;
  readonly limit: number;
}

async function byKeys(
  storage: Storage,
  statement: NonNullable<UserStatements["byKeys"]>,
  { key, after, limit }: Search,
): Promise<RowPage> {
  const seen = after === undefined ? undefined : readKeyCursor(after, key);
  if (key.includes("\0")) return { rows: [], next: undefined };
  // Nobody comes more than twice, but who came on an earlier page may come again: then a page is shorter, and says that there is more.
  const scanned = 2 * limit + 2;
  const entries = await storage.read(
    statement({
      usernameFrom: seen === undefined ? key : seen.key + FIRST,
      emailFrom: seen === undefined ? key : seen.column === "email_key" ? seen.key + FIRST : seen.key,
      end: key + LAST,
      limit: scanned,
    }),
  );
  const rows: Row[] = [];
  let last: Row | undefined;
  for (const entry of entries) {
    const isFirst = isFirstOf(entry, key);
    if (isFirst && rows.length === limit) return { rows, next: last && toKeyCursor(last) };
    if (isFirst) rows.push(entry);
    last = entry;
  }
  return { rows, next: entries.length === scanned && last ? toKeyCursor(last) : undefined };
}

/** Whether this is the first of the places where a search finds the user. */
function isFirstOf(entry: Row, key: string): boolean {
  const [username, email] = [entry.username_key as string, entry.email_key as string | null];
  if (email === null || !username.startsWith(key) || !email.startsWith(key)) return true;
  const isEmailFirst = Buffer.compare(Buffer.from(email), Buffer.from(username)) < 0;
  return (entry.is_email === 1) === isEmailFirst;
}

function toKeyCursor(entry: Row): string {
  return `${entry.is_email === 1 ? "e" : "u"}.${Buffer.from(entry.found as string).toString("base64url")}`;
}

/** @throws AuthError `input_invalid` for what is no cursor of a search for this key. */
function readKeyCursor(cursor: string, key: string): Position {
  const [, column, encoded = ""] = /^([ue])\.([A-Za-z0-9_-]{1,8000})$/.exec(cursor) ?? [];
  const found = Buffer.from(encoded, "base64url").toString("utf8");
  const isOurs = column !== undefined && found.startsWith(key) && !found.includes("\0");
  if (isOurs && Buffer.from(found).toString("base64url") === encoded) {
    return { column: COLUMNS[column as keyof typeof COLUMNS], key: found };
  }
  throw invalid("after", "must be the 'next' of a page of the same search");
}

function readIdCursor(cursor: string): number {
  if (/^(?:0|[1-9]\d{0,15})$/.test(cursor) && Number.isSafeInteger(Number(cursor))) return Number(cursor);
  throw invalid("after", "must be the 'next' of a page of the same list");
}

function invalid(field: string, message: string): AuthError {
  return new AuthError("input_invalid", { reason: `${field} ${message}`, errors: [{ field, message }] });
}
