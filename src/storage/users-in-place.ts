/**
 * Users in a table that Django goes on reading and writing. Beside each of its rows that has signed in here stands one of ours, with the user's epoch and
 * a mark of the password hash that the epoch belongs to: where the hash is another by now, the epoch counts as one more, so every session from
 * before is refused by the same comparison that refuses it over a table of ours. Nobody has to notice the change first.
 * The one file whose texts differ between the drivers, and whose names come from options; those are of a strict pattern, and quoted.
 */
import { AuthError } from "../errors.ts";
import type { NewUser } from "./queries.ts";
import * as queries from "./queries.ts";
import type { Statement, Storage, Value } from "./storage.ts";
import type { UserStatements } from "./user-statements.ts";

/** Names of columns; `null` where the table has no such column. */
export interface UserColumns {
  /** A whole number. */
  readonly id: string;
  /** What users sign in with, unique. May be the column of `email`. */
  readonly username: string;
  readonly email: string | null;
  readonly password: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly isStaff: string | null;
  readonly isSuperuser: string | null;
  readonly isActive: string | null;
  readonly dateJoined: string | null;
  readonly lastLogin: string | null;
}

export interface UsersTable {
  /** "feed" relies on the trigger of `users-trigger.ts`. */
  readonly freshness?: "feed" | "live";
  /** `auth_user`, or `schema.table` on PostgreSQL. */
  readonly table: string;
  readonly columns: UserColumns;
}

export const DJANGO_COLUMNS: UserColumns = {
  id: "id",
  username: "username",
  email: "email",
  password: "password",
  firstName: "first_name",
  lastName: "last_name",
  isStaff: "is_staff",
  isSuperuser: "is_superuser",
  isActive: "is_active",
  dateJoined: "date_joined",
  lastLogin: "last_login",
};

const REQUIRED = ["id", "username", "password"] as const;

/** @throws TypeError for what could not be a name in SQL. */
export function quoteName(name: unknown, what: string): string {
  if (typeof name === "string" && /^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(name)) return `"${name}"`;
  throw new TypeError(
    `${what} must be a name of letters, digits and _ (at most 63), not ${JSON.stringify(name)?.slice(0, 80)}`,
  );
}

export function quoteTable(table: unknown): string {
  const parts = typeof table === "string" ? table.split(".") : [];
  if (parts.length < 1 || parts.length > 2) throw new TypeError("users.table must be a table's name, or schema.table");
  return parts.map((part) => quoteName(part, "users.table")).join(".");
}

/** @returns the columns with Django's names for those that are not given. @throws TypeError naming the column. */
export function toColumns(given: Partial<UserColumns> = {}): UserColumns {
  for (const [key, name] of Object.entries(given)) {
    if (!Object.hasOwn(DJANGO_COLUMNS, key)) {
      throw new TypeError(`users.columns.${key} is unknown: it may name ${Object.keys(DJANGO_COLUMNS).join(", ")}`);
    }
    if (name === null && !REQUIRED.some((required) => required === key)) continue;
    quoteName(name, `users.columns.${key}`);
  }
  return { ...DJANGO_COLUMNS, ...given };
}

type Maker = (...values: readonly Value[]) => Statement;

/** Of a text with a "?" for each value. No name that `quoteName` lets through has one. */
function statement(text: string, { isGuard = false } = {}): Maker {
  const strings = text.split("?");
  return (...values) => ({ strings, values, ...(isGuard && { isGuard }) });
}

/** Enough of a hash to tell it from any other, too little to be one. */
export const markOf = (password: string) => `substr(${password}, length(${password}) - 11)`;

const ID = "cast(? as bigint)";

const columnMissing = (field: string) =>
  new AuthError("input_invalid", {
    reason: `the users table has no column for ${field}`,
    errors: [{ field, message: "can't be changed here: the users table has no such column" }],
  });

/** Tells a trigger on the table that the change is ours, and accounted for. */
const OWN_CHANGE: Statement = { strings: ["select set_config('latchkey.own_change', 'on', true)"], values: [] };

export interface UsersInPlace {
  readonly statements: UserStatements;
  /** Whose statements find the users of this table where they say `latchkey_users`. */
  readonly storage: Storage;
  /** @throws Error in one sentence when the table can't be read as described. */
  check(): Promise<void>;
}

/** @throws TypeError for names that can't be. */
export function usersInPlace(storage: Storage, { table, columns: given, freshness }: UsersTable): UsersInPlace {
  const isPostgres = storage.kind === "postgres";
  const name = quoteTable(table);
  const columns = toColumns(given);
  const at = (key: keyof UserColumns) => (columns[key] === null ? undefined : quoteName(columns[key], key));
  const [id, username, password] = [at("id"), at("username"), at("password")] as [string, string, string];
  const [email, isActive, isStaff, isSuperuser] = [at("email"), at("isActive"), at("isStaff"), at("isSuperuser")];
  const [joined, lastLogin] = [at("dateJoined"), at("lastLogin")];

  const toSeconds = (column: string) =>
    isPostgres
      ? `cast(floor(extract(epoch from ${column})) as bigint)`
      : `coalesce(cast(strftime('%s', ${column}) as integer), 0)`;
  /** As Django writes an instant: with a zone, or as the text of one in UTC. */
  const instant = isPostgres ? "to_timestamp(cast(? as bigint))" : "strftime('%Y-%m-%d %H:%M:%S', ?, 'unixepoch')";

  const shown = [
    `${id} as id`,
    `${username} as username`,
    `lower(${username}) as username_key`,
    `${email ?? "''"} as email`,
    `${email ? `lower(${email})` : "''"} as email_key`,
    `${password} as password`,
    `${at("firstName") ?? "''"} as first_name`,
    `${at("lastName") ?? "''"} as last_name`,
    `${isStaff ? `case when ${isStaff} then 0 end` : "null"} as staff_at`,
    `${isSuperuser ? `case when ${isSuperuser} then 0 end` : "null"} as superuser_at`,
    `${isActive ? `case when ${isActive} then null else 0 end` : "cast(null as integer)"} as deactivated_at`,
    `${joined ? toSeconds(joined) : "0"} as created_at`,
  ].join(", ");
  // No join: SQLite would make the whole table of one before it looks for a row.
  const rows = `(select ${shown}, coalesce((
      select case when st.mark = ${markOf(`d.${password}`)} then st.epoch else st.epoch + 1 end
      from latchkey_user_state st where st.user_id = d.${id}), 0) as epoch
    from ${name} d)`;

  /** Takes note of the hash that the epoch belongs to from here on. */
  const settling = (start: number, where: string, isChange: boolean) => `
    insert into latchkey_user_state (user_id, epoch, mark)
    select d.${id}, ${start}, ${markOf(`d.${password}`)} from ${name} d where d.${id} = ${ID} ${where}
    on conflict (user_id) do update set
      epoch = latchkey_user_state.epoch + case when latchkey_user_state.mark = excluded.mark then 0 else 1 end + ${isChange ? 1 : 0},
      mark = excluded.mark
    returning epoch`;

  const setFlag = (column: string) =>
    statement(`update ${name} set ${column} = (cast(? as bigint) <> 0) where ${id} = ${ID} returning ${id}`, {
      isGuard: true,
    });
  const found = (where: string) => statement(`select * from ${rows} u where ${where}`);
  const make = {
    byUsername: found("username = ?"),
    byEmail: found("email_key = ? and email <> '' limit 2"),
    // By the key as well, for the index that there is on it; folded by the store on both sides, which then misses nothing.
    byExactEmail: found("email_key = lower(?) and email = ? and email <> '' limit 2"),
    taking: statement(
      `select case when ${username} = ? then cast(? as text) else '' end as username_key from ${name}
       where ${username} = ? or ${email ? `lower(${email})` : "''"} = ? limit 2`,
    ),
    settleVerified: statement(settling(0, `and d.${password} = ?`, false), { isGuard: true }),
    settle: statement(settling(0, "", false)),
    bumpEpoch: statement(settling(1, "", true), { isGuard: true }),
    touchLogin: lastLogin && statement(`update ${name} set ${lastLogin} = ${instant} where ${id} = ${ID}`),
    replace: statement(
      `update ${name} set ${password} = ? where ${id} = ${ID} and ${password} = ?${isActive ? ` and ${isActive}` : ""} returning ${id}`,
    ),
    replaceOrFail: statement(
      `update ${name} set ${password} = ? where ${id} = ${ID} and ${password} = ?${isActive ? ` and ${isActive}` : ""} returning ${id}`,
      { isGuard: true },
    ),
    setPassword: statement(`update ${name} set ${password} = ? where ${id} = ${ID} returning ${id}`, { isGuard: true }),
    /** The new hash is ours: it ends nothing that the epoch has not ended. */
    mark: statement(`update latchkey_user_state set mark = ${markOf("cast(? as text)")} where user_id = ${ID} and exists (
      select 1 from ${name} d where d.${id} = ${ID} and d.${password} = ?)`),
    deactivate:
      isActive &&
      statement(`update ${name} set ${isActive} = false where ${id} = ${ID} and ${isActive} returning ${id}`, {
        isGuard: true,
      }),
    reactivate:
      isActive &&
      statement(`update ${name} set ${isActive} = true where ${id} = ${ID} and not ${isActive} returning ${id}`),
    setStaff: isStaff && setFlag(isStaff),
    setSuperuser: isSuperuser && setFlag(isSuperuser),
  };

  const mark = (userId: number, hash: string) => make.mark(hash, hash, userId, userId, hash);
  const changesOfOurs = new Set([make.replace(), make.replaceOrFail(), make.setPassword()].map((one) => one.strings));
  if (make.deactivate) changesOfOurs.add(make.deactivate().strings);
  if (make.reactivate) changesOfOurs.add(make.reactivate().strings);

  let insertStrings: readonly string[] | undefined;

  /** Columns and what is put there; of two names for one column the first counts. */
  function insert(user: NewUser): Statement {
    const cells: [column: string | undefined, text: string, value?: Value][] = [
      [username, "?", user.username],
      [email, "?", user.email],
      [password, "?", user.password],
      [at("firstName"), "?", user.firstName],
      [at("lastName"), "?", user.lastName],
      [isStaff, "false"],
      [isSuperuser, "false"],
      [isActive, "true"],
      [joined, instant, user.now],
    ];
    const used = cells.filter(([column], i) => column && cells.findIndex(([other]) => other === column) === i);
    const text = `insert into ${name} (${used.map(([column]) => column).join(", ")})
      values (${used.map(([, value]) => value).join(", ")}) on conflict do nothing returning ${shown}, 0 as epoch`;
    const values = used.flatMap(([, , value]) => (value === undefined ? [] : [value]));
    // The same text each time, so drivers prepare it once.
    insertStrings ??= text.split("?");
    return { strings: insertStrings, values };
  }

  const statements: UserStatements = {
    byId: queries.userById,
    byUsername: (text) => make.byUsername(text.normalize("NFKC")),
    byEmail: (key, exact) => (exact === undefined ? make.byEmail(key) : make.byExactEmail(exact, exact)),
    // Names that differ in case may be of different users there.
    countedBy({ column, text, key, isExact }) {
      if (column === "username") return text.normalize("NFKC");
      return isExact ? text : key;
    },
    taking: (user) => make.taking(user.username, user.usernameKey, user.username, user.emailKey),
    insert,
    page: queries.usersPage,
    login: ({ id: userId, verified, rehashed, now }) => [
      make.settleVerified(userId, verified),
      ...(make.touchLogin ? [make.touchLogin(now, userId)] : []),
      ...(rehashed === undefined ? [] : [make.replace(rehashed, userId, verified), mark(userId, rehashed)]),
    ],
    changePassword: (userId, verified, next) => [
      make.bumpEpoch(userId),
      make.replaceOrFail(next, userId, verified),
      mark(userId, next),
    ],
    setPassword: (userId, next) => [make.bumpEpoch(userId), make.setPassword(next, userId), mark(userId, next)],
    bumpEpoch: (userId) => make.bumpEpoch(userId),
    deactivate(userId) {
      if (!make.deactivate) throw columnMissing("is_active");
      return [make.bumpEpoch(userId), make.deactivate(userId)];
    },
    reactivate(userId) {
      if (!make.reactivate) throw columnMissing("is_active");
      return make.reactivate(userId);
    },
    // What belongs to a user in other tables only Django knows.
    delete: () => undefined,
    setStaff(userId, staffAt) {
      if (!make.setStaff) throw columnMissing("is_staff");
      return make.setStaff(staffAt === null ? 0 : 1, userId);
    },
    setSuperuser(userId, superuserAt) {
      if (!make.setSuperuser) throw columnMissing("is_superuser");
      return make.setSuperuser(superuserAt === null ? 0 : 1, userId);
    },
    settle: (userId) => make.settle(userId),
  };

  const translate = createTranslator(rows);
  const over: Storage = {
    ...storage,
    get clockOffset() {
      return storage.clockOffset;
    },
    read: (one) => storage.read(translate(one)),
    async write(all) {
      const translated = all.map(translate);
      if (!isPostgres || !all.some((one) => changesOfOurs.has(one.strings))) return storage.write(translated);
      return (await storage.write([OWN_CHANGE, ...translated]))?.slice(1);
    },
  };

  async function check(): Promise<void> {
    try {
      await over.read(queries.userById(0));
      if (lastLogin) await storage.read(statement(`select ${lastLogin} from ${name} where ${id} = ${ID}`)(0));
    } catch (error) {
      const reason = (error as { reason?: string }).reason ?? (error as Error).message;
      throw new Error(
        `the users table ${name} can't be read with the columns ${Object.values(columns).filter(Boolean).join(", ")}: ${reason}`,
      );
    }
    if (freshness === "feed") await checkTrigger();
  }

  /** Without the trigger a guard that trusts the feed would never hear of what Django does. */
  async function checkTrigger(): Promise<void> {
    const find = statement(`select 1 as one from pg_trigger
      where tgname = 'latchkey_users_changed' and tgenabled <> 'D' and tgrelid = to_regclass(cast(? as text))`);
    if (isPostgres && (await storage.read(find(name))).length === 1) return;
    throw new Error(
      isPostgres
        ? `the users table ${name} has no trigger that feeds the feed: install what \`latchkey users trigger\` prints, or use freshness "live".`
        : 'users in place have freshness "feed" on PostgreSQL only: use "live".',
    );
  }

  return { statements, storage: over, check };
}

/** Puts the rows of another table where a statement names ours. */
function createTranslator(rows: string): (statement: Statement) => Statement {
  const known = new WeakMap<readonly string[], readonly string[]>();
  return (one) => {
    let strings = known.get(one.strings);
    if (!strings) {
      if (one.strings.some((part) => /\b(?:into|update|delete from)\s+latchkey_users\b/.test(part))) {
        throw new TypeError("users in place are not written as a table of ours");
      }
      const isOther = one.strings.some((part) => /\blatchkey_users\b/.test(part));
      strings = isOther
        ? one.strings.map((part) => part.replace(/\blatchkey_users\b( u\b)?/g, `${rows} u`))
        : one.strings;
      known.set(one.strings, strings);
    }
    return strings === one.strings ? one : { ...one, strings };
  };
}

/** Reads rows of a table in batches, by id. For an import. */
export function usersAfter(kind: Storage["kind"], given: UsersTable) {
  const name = quoteTable(given.table);
  const c = toColumns(given.columns);
  const at = (key: keyof UserColumns, none: string) => (c[key] === null ? none : quoteName(c[key], key));
  const toSeconds = (column: string) =>
    column === "null"
      ? "null"
      : kind === "postgres"
        ? `cast(floor(extract(epoch from ${column})) as bigint)`
        : `cast(strftime('%s', ${column}) as integer)`;
  const flag = (column: string) => `case when ${column} then 1 else 0 end`;
  const make =
    statement(`select ${at("id", "")} as id, ${at("username", "")} as username, ${at("email", "''")} as email,
    ${at("password", "")} as password, ${at("firstName", "''")} as first_name, ${at("lastName", "''")} as last_name,
    ${flag(at("isStaff", "false"))} as is_staff, ${flag(at("isSuperuser", "false"))} as is_superuser,
    ${flag(at("isActive", "true"))} as is_active, ${toSeconds(at("dateJoined", "null"))} as created_at,
    ${toSeconds(at("lastLogin", "null"))} as last_login_at
    from ${name} where ${at("id", "")} > ${ID} order by ${at("id", "")} limit ${ID}`);
  return {
    after: (after: number, limit: number): Statement => make(after, limit),
    count: statement(`select count(*) as count from ${name} where ${at("id", "")} > ${ID}`) as (
      after: number,
    ) => Statement,
  };
}
