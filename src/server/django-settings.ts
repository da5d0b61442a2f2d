/** Settings of the Django dialects and of password hashes that Django reads. */

import type { DjangoUsersOptions } from "../auth.ts";
import { djangoUsers, type PasswordFormat } from "../auth.ts";
import type { DjangoDialectOptions } from "../contracts/django-dialect.ts";

export const CONTRACT_NAMES = ["latchkey", "drf", "simplejwt"] as const;
export type ContractName = (typeof CONTRACT_NAMES)[number];

export interface DjangoConfig {
  /** The wire dialects to serve. */
  readonly contracts: readonly ContractName[];
  readonly drfPath: string;
  readonly simplejwtPath: string;
  /** Seconds; `undefined`: the dialect's own. */
  readonly djangoAccessTtl: number | undefined;
  readonly djangoRefreshTtl: number | undefined;
  readonly djangoRotation: "fixed" | "rotating";
  readonly djangoRefreshKey: NonNullable<DjangoDialectOptions["refreshKey"]>;
  readonly djangoTokens: "refuse" | "allow";
  /** The `jti` of tokens that Django has blacklisted. */
  readonly djangoBlacklist: ReadonlySet<string>;
  readonly djangoRevokeCheck: "off" | "on";
  readonly passwordFormat: PasswordFormat;
  /** The table that Django keeps its users in, to use in place; `undefined`: ours. */
  readonly usersTable: string | undefined;
  readonly usersColumns: DjangoUsersOptions["columns"];
  readonly usersFreshness: "live" | "feed";
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;

const oneOf =
  (...values: readonly string[]) =>
  (value: string) => {
    if (!values.includes(value)) throw new Error(`must be one of ${values.join(", ")}, not ${quote(value)}`);
    return value;
  };

const wholeNumber =
  (max: number, unit: number) =>
  (value: string): number => {
    if (!/^[1-9]\d{0,8}$/.test(value) || Number(value) > max) {
      throw new Error(`must be a whole number from 1 to ${max}, not ${quote(value)}`);
    }
    return Number(value) * unit;
  };

function contracts(value: string): readonly ContractName[] {
  const names = value.split(",").map((name) => name.trim());
  const isKnown = (name: string): name is ContractName => CONTRACT_NAMES.some((known) => known === name);
  if (!names.every(isKnown) || new Set(names).size < names.length) {
    throw new Error(`must name ${CONTRACT_NAMES.join(", ")}, each once, with commas between, not ${quote(value)}`);
  }
  return names;
}

function path(value: string): string {
  if (!/^(?:\/[A-Za-z0-9._~-]+)+\/?$/.test(value))
    throw new Error(`must be a path such as /api/auth, not ${quote(value)}`);
  return value;
}

function passwordFormat(value: string): PasswordFormat {
  if (value === "argon2id" || value === "django") return value;
  const iterations = Number(/^django:(\d{6,7})$/.exec(value)?.[1]);
  if (iterations >= 100_000 && iterations <= 5_000_000) return { format: "django", iterations };
  throw new Error(`must be argon2id, django, or django:260000 with your Django's iterations, not ${quote(value)}`);
}

function usersTable(value: string): string {
  try {
    return djangoUsers({ table: value }).table;
  } catch {
    throw new Error(`must be a table such as auth_user, or schema.table, not ${quote(value)}`);
  }
}

function usersColumns(value: string): NonNullable<DjangoUsersOptions["columns"]> {
  const pairs = value
    .split(",")
    .map((pair) => pair.trim())
    .filter((pair) => pair !== "")
    .map((pair) => /^(\w+)=(\w+)$/.exec(pair)?.slice(1));
  const columns = Object.fromEntries(pairs.map((pair) => [pair?.[0], pair?.[1] === "none" ? null : pair?.[1]]));
  try {
    return djangoUsers({ columns }).columns;
  } catch (error) {
    throw new Error(`must be pairs such as email=mail,lastName=none, with commas between: ${(error as Error).message}`);
  }
}

function jtiList(value: string): ReadonlySet<string> {
  const ids = value.split(/[\s,]+/).filter((id) => id !== "");
  if (!ids.every((id) => /^[0-9a-f]{32}$/.test(id))) {
    throw new Error(
      "must be the jti (32 hex digits each) of the tokens that Django has blacklisted, with spaces or line breaks between",
    );
  }
  return new Set(ids);
}

const quote = (value: string) => JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);

/** Rows of the table of settings. */
export const DJANGO_VARIABLES = [
  {
    name: "LATCHKEY_CONTRACTS",
    key: "contracts",
    fallback: "latchkey",
    description: "The wire dialects to serve, with commas between: latchkey, drf, simplejwt.",
    read: contracts,
  },
  {
    name: "LATCHKEY_DRF_PATH",
    key: "drfPath",
    fallback: "/api/auth",
    description: "Where `drf` has login/ and refresh/.",
    read: path,
  },
  {
    name: "LATCHKEY_SIMPLEJWT_PATH",
    key: "simplejwtPath",
    fallback: "/api/token",
    description: "Where `simplejwt` has its four endpoints.",
    read: path,
  },
  {
    name: "LATCHKEY_DJANGO_ACCESS_MINUTES",
    key: "djangoAccessTtl",
    description: "Life of an access token of the Django dialects (1 to 1440). Default: 30 for drf, 5 for simplejwt.",
    read: wholeNumber(1440, MINUTE),
  },
  {
    name: "LATCHKEY_DJANGO_REFRESH_HOURS",
    key: "djangoRefreshTtl",
    description: "Life of their refresh tokens, in hours (1 to 8760). Default: 168 for drf, 24 for simplejwt.",
    read: wholeNumber(8760, HOUR),
  },
  {
    name: "LATCHKEY_DJANGO_REFRESH",
    key: "djangoRotation",
    fallback: "fixed",
    description: "`fixed`: one refresh token serves until it expires; `rotating`: every refresh answers a new one.",
    read: oneOf("fixed", "rotating"),
  },
  {
    name: "LATCHKEY_DJANGO_TOKENS",
    key: "djangoTokens",
    fallback: "refuse",
    description:
      "`allow` takes access tokens that Django issued under JWT_SECRET_KEY, in every dialect, and adopts its refresh tokens; whoever holds that secret can make both.",
    read: oneOf("refuse", "allow"),
  },
  {
    name: "LATCHKEY_DJANGO_BLACKLIST",
    key: "djangoBlacklist",
    fallback: "",
    description:
      "The `jti` of the tokens in simplejwt's blacklist, so that `allow` does not revive them; LATCHKEY_DJANGO_BLACKLIST_FILE takes a list of any length.",
    read: jtiList,
  },
  {
    name: "LATCHKEY_DJANGO_REFRESH_KEY",
    key: "djangoRefreshKey",
    fallback: "derived",
    description:
      "`shared` signs their refresh tokens with JWT_SECRET_KEY, so that Django can take over; it can then also refresh what was ended here.",
    read: oneOf("derived", "shared"),
  },
  {
    name: "LATCHKEY_DJANGO_REVOKE_CHECK",
    key: "djangoRevokeCheck",
    fallback: "off",
    description: "`on` writes simplejwt's claim `hash_password`, for a Django with CHECK_REVOKE_TOKEN.",
    read: oneOf("off", "on"),
  },
  {
    name: "LATCHKEY_PASSWORD_FORMAT",
    key: "passwordFormat",
    fallback: "argon2id",
    description:
      "What new password hashes are: argon2id, or while a Django reads the same rows django, or django:260000 with that Django's iterations.",
    read: passwordFormat,
  },
  {
    name: "LATCHKEY_USERS_TABLE",
    key: "usersTable",
    description:
      "The table in which a Django keeps its users (auth_user), to use in place beside it. Default: a table of Latchkey's own.",
    read: usersTable,
  },
  {
    name: "LATCHKEY_USERS_COLUMNS",
    key: "usersColumns",
    description:
      "Columns of that table that are not called as Django calls them, such as `email=mail,lastName=none` (none: it has no such column).",
    read: usersColumns,
  },
  {
    name: "LATCHKEY_USERS_FRESHNESS",
    key: "usersFreshness",
    fallback: "live",
    description:
      "What a guard asks over that table: live, the database at every request; feed, right only with the trigger that `latchkey users trigger` prints (PostgreSQL).",
    read: oneOf("live", "feed"),
  },
] as const satisfies readonly {
  name: string;
  key: keyof DjangoConfig;
  fallback?: string;
  description: string;
  read(text: string): unknown;
}[];
