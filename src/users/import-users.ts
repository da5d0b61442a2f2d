/**
 * Users of another system, with their ids and password hashes, into a table of ours: batch by batch in the order of their ids. How far it has come is
 * written together with each batch, so an import that broke off goes on where it was.
 */
import * as queries from "../storage/queries.ts";
import type { Row, Storage } from "../storage/storage.ts";
import { readDjangoHash } from "./django-hash.ts";
import { toKey, toUsername } from "./names.ts";

/** What became of users. All but `imported` and `present` are reasons to look at one. */
export const OUTCOMES = {
  imported: "imported",
  present: "were here already",
  noEmail: "imported; they have no email",
  sharedEmail: "imported without their email, which a user with a lower id has",
  unusablePassword: "imported; Django has no usable password for them, so they can't sign in with one",
  unknownHash: "imported; their password hash is of no format that can be checked",
  sharedUsername: "not imported: another user's name differs only in case or form",
  idTaken: "not imported: their id is another user's here",
  noUsername: "not imported: they have no username",
} as const;

export type Outcome = keyof typeof OUTCOMES;
export type ImportCounts = Readonly<Record<Outcome, number>>;

/** One user about whom there is something to say. */
export interface ImportRemark {
  readonly id: number;
  readonly username: string;
  readonly outcome: Outcome;
}

export interface ImportUsersOptions {
  /** Into which; migrated. */
  readonly storage: Storage;
  /** Rows with ids above one, in order, as `usersAfter` reads them. */
  readonly read: (after: number, limit: number) => Promise<readonly Row[]>;
  /** What the source is called from one run to the next. */
  readonly source: string;
  /** Walks all again, also what an earlier run has done. */
  readonly fromStart?: boolean | undefined;
  /** Seconds since 1970; for users without a date of their own. */
  readonly now: number;
  readonly onRemark?: (remark: ImportRemark) => void;
  /** After each batch; `seen` of this run. */
  readonly onBatch?: (seen: number) => void;
}

/** Users read and written at once. */
const BATCH = 500;

/** @returns what became of all users of that source so far. @throws Error in one sentence for a row that is no user's. */
export async function importUsers(options: ImportUsersOptions): Promise<ImportCounts> {
  const { storage, read, source, now, onRemark = () => {} } = options;
  const counts = Object.fromEntries(Object.keys(OUTCOMES).map((name) => [name, 0])) as Record<Outcome, number>;
  let after = 0;
  const [known] = options.fromStart ? [] : await storage.read(queries.importedSoFar(source));
  if (known) {
    after = known.after_id as number;
    Object.assign(counts, JSON.parse(known.counts as string));
  }

  function note(user: queries.ImportedUser, outcome: Outcome): void {
    counts[outcome]++;
    if (outcome !== "imported" && outcome !== "present") onRemark({ id: user.id, username: user.username, outcome });
  }

  function noteImported(user: queries.ImportedUser, lostEmail: boolean): void {
    counts.imported++;
    if (lostEmail) note(user, "sharedEmail");
    else if (user.email === null) note(user, "noEmail");
    if (user.password === "" || user.password.startsWith("!")) note(user, "unusablePassword");
    else if (!isKnownHash(user.password)) note(user, "unknownHash");
  }

  /** @returns the ids of those who found a place. */
  async function write(users: readonly queries.ImportedUser[]): Promise<ReadonlySet<unknown>> {
    if (users.length === 0) return new Set();
    const written = await storage.write([queries.importUsers(users)]);
    return new Set(written?.[0]?.map(({ id }) => id));
  }

  /** Why a user found no place, and one without the email where that is all there is to it. */
  async function place(user: queries.ImportedUser): Promise<queries.ImportedUser | undefined> {
    const others = await storage.read(queries.usersInTheWay(user.id, user.usernameKey));
    const sameId = others.find(({ id }) => id === user.id);
    if (sameId) note(user, sameId.username_key === user.usernameKey ? "present" : "idTaken");
    else if (others.length > 0) note(user, "sharedUsername");
    else return { ...user, email: null, emailKey: null };
    return undefined;
  }

  let seen = 0;
  let ahead = read(after, BATCH);
  for (;;) {
    const rows = await ahead;
    if (rows.length === 0) break;
    const users = rows.map((row) => toUser(row, now));
    after = users.at(-1)?.id as number;
    ahead = read(after, BATCH);
    // Looked at when its turn comes; meanwhile it is nobody's unhandled failure.
    ahead.catch(() => {});
    const named = users.filter((user) => user.username !== "");
    const written = await write(named);
    const missed: queries.ImportedUser[] = [];
    for (const user of named) {
      if (written.has(user.id)) noteImported(user, false);
      else missed.push(user);
    }
    const placed = (await Promise.all(missed.map(place))).filter((user) => user !== undefined);
    const again = await write(placed);
    for (const user of placed) {
      if (again.has(user.id)) noteImported(user, true);
      // One of the same name was placed just before.
      else note(user, "sharedUsername");
    }
    for (const user of users) if (user.username === "") note(user, "noUsername");
    await storage.write([queries.noteImported(source, after, JSON.stringify(counts))]);
    seen += rows.length;
    options.onBatch?.(seen);
  }
  await storage.continueIds?.();
  return counts;
}

const isKnownHash = (stored: string) => stored.startsWith("$argon2id$") || readDjangoHash(stored) !== undefined;

function toUser(row: Row, now: number): queries.ImportedUser {
  const { id } = row;
  if (!Number.isSafeInteger(id) || (id as number) < 1) {
    throw new Error(`the id ${JSON.stringify(id)} of a user is no whole number above 0: such users can't be imported.`);
  }
  const text = (name: string) => String(row[name] ?? "");
  const createdAt = (row.created_at as number | null) ?? now;
  const email = text("email").trim().normalize("NFC");
  const username = toUsername(text("username"));
  const since = (flag: unknown) => (flag === 1 ? createdAt : null);
  return {
    id: id as number,
    username,
    usernameKey: toKey(username),
    email: email === "" ? null : email,
    emailKey: email === "" ? null : toKey(email),
    password: text("password"),
    firstName: text("first_name"),
    lastName: text("last_name"),
    staffAt: since(row.is_staff),
    superuserAt: since(row.is_superuser),
    deactivatedAt: row.is_active === 1 ? null : now,
    createdAt,
    lastLoginAt: row.last_login_at as number | null,
  };
}
