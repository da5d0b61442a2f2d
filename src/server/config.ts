/**
 * The server's configuration: one table of environment variables, read once, every problem reported at once.
 * `NAME_FILE` names a file that holds the value (as container secrets do). `.env.example` and docs/configuration.md are
 * printed from the same table. The library never reads the environment.
 */

import { readFileSync } from "node:fs";
import { readOrigins } from "../http/cross-origin.ts";
import { type Algorithm, algorithms } from "../jwt/algorithms.ts";
import { type RootSecret, toNumberedSecrets } from "../secrets.ts";
import { DJANGO_VARIABLES, type DjangoConfig } from "./django-settings.ts";
import { OPERATIONS_VARIABLES, type OperationsConfig, readCredentials } from "./operations-settings.ts";
import { readSecrets } from "./secret-list.ts";

export interface Config extends DjangoConfig, OperationsConfig {
  readonly isProduction: boolean;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly dataDir: string;
  /** Where the database is, as given; `undefined` means a SQLite file in the data folder. */
  readonly databaseUrl: string | undefined;
  /** `undefined` in development: one is made and kept in the data folder. */
  readonly secret: RootSecret | undefined;
  readonly rootSecret: RootSecret | undefined;
  readonly algorithm: Algorithm;
  /** Seconds. */
  readonly keyRotation: number;
  readonly jwksMaxAge: number;
  readonly accessTtl: number;
  readonly sessionIdleTtl: number;
  readonly sessionMaxAge: number;
  readonly refreshGrace: number;
  readonly auditRetention: number;
  readonly limits: "on" | "off";
  readonly loginFailures: number;
  readonly loginFailuresPerAddress: number;
  readonly issuer: string;
  readonly audience: string;
  readonly proxyCount: number;
  /** Whether the console is served. */
  readonly console: boolean;
  /** What is told of the API. */
  readonly documents: "docs" | "openapi" | "none";
  /** Whether clients may ask for cookies. */
  readonly cookies: boolean;
  /** Origins whose pages may call us and send cookies. */
  readonly allowedOrigins: readonly string[];
  /** Credentials of services that read the revocation feed. */
  readonly feedTokens: readonly string[];
}

/** Configuration that can't be used; `problems` has one sentence for each thing to mend. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

interface Variable {
  readonly name: string;
  readonly key: keyof Config;
  /** As it would be written in the environment; absent where there is none. */
  readonly fallback?: string;
  /** One line for the operator. */
  readonly description: string;
  readonly isSecret?: true;
  /** Turns the text into the value. Throws an Error whose message follows the variable's name. */
  read(text: string): unknown;
}

const MINUTE = 60;
const DAY = 24 * 60 * 60;

/** The minimum is the algorithm's hash: RFC 7518 §3.2. */
const SECRET_BYTES: Partial<Record<Algorithm, number>> = { HS256: 32, HS384: 48, HS512: 64 };

const text = (value: string) => value;

const wholeNumber =
  (min: number, max: number, unit = 1) =>
  (value: string) => {
    if (!/^\d{1,9}$/.test(value) || Number(value) < min || Number(value) > max) {
      throw new Error(`must be a whole number from ${min} to ${max}, not ${quote(value)}`);
    }
    return Number(value) * unit;
  };

const oneOf =
  (...values: readonly string[]) =>
  (value: string) => {
    if (!values.includes(value)) throw new Error(`must be one of ${values.join(", ")}, not ${quote(value)}`);
    return value;
  };

const databaseUrl = (value: string) => {
  if (/^[a-z][a-z0-9+.-]*:/i.test(value) && !/^(?:sqlite|file|postgres|postgresql):/i.test(value)) {
    throw new Error("must be the path of a SQLite file, sqlite:path, or postgres://user:password@host:5432/database");
  }
  return value;
};

const origins = (value: string) => {
  const list = value
    .split(",")
    .map((origin) => origin.trim())
    .filter((origin) => origin !== "");
  try {
    return readOrigins(list);
  } catch (error) {
    throw new Error((error as Error).message.replace(/^an allowed origin is/, "must be origins, with commas between:"));
  }
};

const DOCUMENTS = { on: "docs", openapi: "openapi", off: "none" } as const;

/** In the order in which they are documented. */
export const VARIABLES: readonly Variable[] = [
  {
    name: "JWT_SECRET_KEY",
    key: "secret",
    isSecret: true,
    description:
      "Signs access tokens, or with several, as in `2:newer 1:older`, the first does and all are accepted. Required in production; in development one is made and kept in the data folder.",
    read: readSecrets,
  },
  {
    name: "JWT_ALGORITHM",
    key: "algorithm",
    fallback: "HS256",
    description: `${algorithms.join(", ")}. The HS ones sign with the secret, which needs 32, 48 or 64 bytes; the others with key pairs that are made and rotated in the store and published at /.well-known/jwks.json.`,
    read: oneOf(...algorithms),
  },
  {
    name: "LATCHKEY_KEY_ROTATION_DAYS",
    key: "keyRotation",
    fallback: "30",
    description: "A key pair signs for so many days (1 to 3650), then the next one does.",
    read: wholeNumber(1, 3650, DAY),
  },
  {
    name: "LATCHKEY_JWKS_MAX_AGE_SECONDS",
    key: "jwksMaxAge",
    fallback: "300",
    description:
      "How long others may keep the JWKS (0 to 86400 seconds). A key pair is published for longer before it signs.",
    read: wholeNumber(0, 86_400),
  },
  {
    name: "JWT_ACCESS_TOKEN_EXPIRE_MINUTES",
    key: "accessTtl",
    fallback: "15",
    description: "Life of an access token, in minutes (1 to 1440).",
    read: wholeNumber(1, 24 * 60, MINUTE),
  },
  {
    name: "REFRESH_TOKEN_TTL_DAYS",
    key: "sessionIdleTtl",
    fallback: "30",
    description: "A session ends when it was not refreshed for so many days (1 to 3650).",
    read: wholeNumber(1, 3650, DAY),
  },
  {
    name: "LATCHKEY_SESSION_MAX_DAYS",
    key: "sessionMaxAge",
    fallback: "90",
    description: "A session ends at this age, however much it is used (1 to 3650 days).",
    read: wholeNumber(1, 3650, DAY),
  },
  {
    name: "LATCHKEY_REFRESH_GRACE_SECONDS",
    key: "refreshGrace",
    fallback: "20",
    description: "How long a spent refresh token is answered with its successor (0 to 300 seconds; 0 is strict).",
    read: wholeNumber(0, 300),
  },
  {
    name: "LATCHKEY_AUDIT_DAYS",
    key: "auditRetention",
    fallback: "365",
    description: "How long entries of the audit trail are kept (1 to 3650 days).",
    read: wholeNumber(1, 3650, DAY),
  },
  {
    name: "LATCHKEY_LIMITS",
    key: "limits",
    fallback: "on",
    description: "off: passwords may be guessed without limit, for measuring and for tests.",
    read: oneOf("on", "off"),
  },
  {
    name: "LATCHKEY_LOGIN_FAILURES",
    key: "loginFailures",
    fallback: "5",
    description:
      "Wrong passwords at one username or email before delays begin, 10 s and each twice the one before, up to 15 min (1 to 1000).",
    read: wholeNumber(1, 1000),
  },
  {
    name: "LATCHKEY_LOGIN_FAILURES_PER_ADDRESS",
    key: "loginFailuresPerAddress",
    fallback: "100",
    description: "The same from one IPv4 address or IPv6 /64, at whatever accounts (1 to 1000000).",
    read: wholeNumber(1, 1_000_000),
  },
  {
    name: "LATCHKEY_ISSUER",
    key: "issuer",
    fallback: "latchkey",
    description: "The `iss` of access tokens, required of every token.",
    read: text,
  },
  {
    name: "LATCHKEY_AUDIENCE",
    key: "audience",
    fallback: "latchkey",
    description:
      "The `aud` of access tokens, required of every token; `none` leaves it out, for verifiers that name no audience.",
    read: text,
  },
  {
    name: "LATCHKEY_ROOT_SECRET",
    key: "rootSecret",
    isSecret: true,
    description:
      "The root of refresh token keys and of what seals key pairs. Default: JWT_SECRET_KEY; set one of its own where other systems hold that.",
    read: readSecrets,
  },
  {
    name: "DATABASE_URL",
    key: "databaseUrl",
    isSecret: true,
    description:
      "postgres://user:password@host:5432/database, or the path of a SQLite file. Default: latchkey.db in the data folder.",
    read: databaseUrl,
  },
  {
    name: "LATCHKEY_DATA_DIR",
    key: "dataDir",
    fallback: "latchkey-data",
    description: "The data folder: the SQLite file and, in development, the secret.",
    read: text,
  },
  {
    name: "HOST",
    key: "host",
    fallback: "127.0.0.1",
    description: "Address to listen on.",
    read: text,
  },
  {
    name: "PORT",
    key: "port",
    fallback: "8000",
    description: "Port to listen on; 0 takes any free one.",
    read: wholeNumber(0, 65_535),
  },
  {
    name: "LATCHKEY_CONSOLE",
    key: "console",
    fallback: "on",
    description: "Whether the console is served, at / and below /console/: on or off. It needs LATCHKEY_COOKIES.",
    read: (value) => oneOf("on", "off")(value) === "on",
  },
  {
    name: "LATCHKEY_DOCS",
    key: "documents",
    fallback: "on",
    description:
      "What is told of the API: on serves /openapi.json and the page /docs, openapi the document alone, off neither of them.",
    read: (value) => DOCUMENTS[oneOf(...Object.keys(DOCUMENTS))(value) as keyof typeof DOCUMENTS],
  },
  {
    name: "LATCHKEY_COOKIES",
    key: "cookies",
    fallback: "on",
    description: "Whether browsers may ask for their tokens as HttpOnly cookies: on or off.",
    read: (value) => oneOf("on", "off")(value) === "on",
  },
  {
    name: "LATCHKEY_ALLOWED_ORIGINS",
    key: "allowedOrigins",
    fallback: "",
    description:
      "Other origins whose pages may call this server (CORS) and send its cookies, such as https://app.example.com; with commas between. Default: none.",
    read: origins,
  },
  {
    name: "LATCHKEY_FEED_TOKENS",
    key: "feedTokens",
    fallback: "",
    isSecret: true,
    description:
      "Credentials of services that read /v1/revocations: random texts of 32 characters or more, with commas between.",
    read: readCredentials,
  },
  {
    name: "NUMBER_OF_PROXIES",
    key: "proxyCount",
    fallback: "0",
    description:
      "How many proxies of yours stand in front and append to X-Forwarded-For; with 0 the header is ignored.",
    read: wholeNumber(0, 16),
  },
  ...OPERATIONS_VARIABLES,
  ...DJANGO_VARIABLES,
];

/**
 * Reads the configuration.
 * @param env as `process.env`; an empty value counts as absent.
 * @throws ConfigError with every problem.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  const isProduction = env.NODE_ENV === "production";
  for (const variable of VARIABLES) {
    try {
      const value = readVariable(variable, env);
      values[variable.key] = value === undefined ? undefined : variable.read(value);
    } catch (error) {
      problems.push(`${variable.name} ${(error as Error).message}`);
    }
  }
  const isAbsent = (key: keyof Config) =>
    !problems.some((p) => p.startsWith(`${nameOf(key)} `)) && values[key] === undefined;
  if (isProduction && isAbsent("secret")) {
    problems.push("JWT_SECRET_KEY is required in production; make one with: openssl rand -base64 48");
  }
  const { secret, algorithm } = values as Partial<Config>;
  const needed = (algorithm && SECRET_BYTES[algorithm]) ?? 0;
  for (const { secret: one } of secret === undefined ? [] : toNumberedSecrets(secret)) {
    if (Buffer.byteLength(one) >= needed) continue;
    problems.push(
      `JWT_SECRET_KEY has ${Buffer.byteLength(one)} bytes and ${algorithm} needs at least ${needed}; make one with: openssl rand -base64 64`,
    );
  }
  const { sessionIdleTtl, sessionMaxAge } = values as Partial<Config>;
  if (sessionIdleTtl !== undefined && sessionMaxAge !== undefined && sessionIdleTtl > sessionMaxAge) {
    problems.push(
      "REFRESH_TOKEN_TTL_DAYS must not be more than LATCHKEY_SESSION_MAX_DAYS: lower the one or raise the other",
    );
  }
  const { headersTimeout = 0, requestTimeout = 0 } = values as Partial<Config>;
  if (requestTimeout !== 0 && headersTimeout > requestTimeout) {
    problems.push(
      "LATCHKEY_HEADERS_TIMEOUT_SECONDS must not be more than LATCHKEY_REQUEST_TIMEOUT_SECONDS: the head is a part of the request",
    );
  }
  const { port, metricsPort } = values as Partial<Config>;
  if (metricsPort !== undefined && metricsPort !== 0 && metricsPort === port) {
    problems.push("LATCHKEY_METRICS_PORT must not be PORT: set LATCHKEY_METRICS_TOKENS to have /metrics there");
  }
  const { contracts = [] } = values as Partial<Config>;
  if (
    contracts.some((name) => name !== "latchkey") &&
    problems.some((p) => /^JWT_SECRET_KEY (?!is required)/.test(p))
  ) {
    problems.push(
      "JWT_SECRET_KEY is the key that Django signs with: give Django a stronger one first (SECRET_KEY, or SIGNING_KEY of SIMPLE_JWT), see docs/django.md",
    );
  }
  const { drfPath = "", simplejwtPath = "" } = values as Partial<Config>;
  const servesBoth = contracts.includes("drf") && contracts.includes("simplejwt");
  if (servesBoth && drfPath.replace(/\/$/, "") === simplejwtPath.replace(/\/$/, "")) {
    problems.push("LATCHKEY_DRF_PATH and LATCHKEY_SIMPLEJWT_PATH must differ: both dialects have a refresh/");
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { ...values, isProduction } as unknown as Config;
}

const nameOf = (key: keyof Config) => VARIABLES.find((variable) => variable.key === key)?.name;

function readVariable(
  { name, fallback }: Variable,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const value = env[name] || undefined;
  const path = env[`${name}_FILE`] || undefined;
  if (path === undefined) return value ?? fallback;
  if (value !== undefined) throw new Error(`is set twice: unset either it or ${name}_FILE`);
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (error) {
    throw new Error(`can't be read from ${name}_FILE=${quote(path)}: ${(error as NodeJS.ErrnoException).code}`);
  }
  // Editors end a file with a line break that is no part of the value.
  return content.replace(/\r?\n$/, "") || fallback;
}

const quote = (value: string) => JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);

/** The table as `.env.example`. */
export function toEnvExample(): string {
  const lines = [
    "# Every setting of `latchkey serve`, with its default. NAME_FILE=path reads any of them from a file.",
    "",
  ];
  for (const { name, description, fallback } of VARIABLES)
    lines.push(`# ${description}`, `# ${name}=${fallback ?? ""}`, "");
  return lines.join("\n");
}

/** The table as markdown rows. */
export function toMarkdown(): string {
  const rows = VARIABLES.map(
    ({ name, fallback, description }) => `| \`${name}\` | ${fallback ? `\`${fallback}\`` : "–"} | ${description} |`,
  );
  return ["| variable | default | meaning |", "|---|---|---|", ...rows, ""].join("\n");
}
