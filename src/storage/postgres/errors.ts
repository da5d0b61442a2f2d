/** What PostgreSQL's errors mean: a store that can't serve now, a change to try again, or a mistake in a statement. */
import { AuthError } from "../../errors.ts";
import { StorageOpenError } from "../open-error.ts";

/** What errors of the server and of the socket have in common, as far as we look. */
interface Failure {
  /** SQLSTATE of the server, or a word such as ECONNREFUSED of Node or CONNECTION_CLOSED of the client. */
  readonly code: string;
  readonly message: string;
  /** The server's function that complained. */
  readonly routine: string;
  readonly isServer: boolean;
}

function toFailure(error: unknown): Failure {
  const { name, code, message, routine } = error as Partial<Record<"name" | "code" | "message" | "routine", unknown>>;
  return {
    code: typeof code === "string" ? code : "",
    message: typeof message === "string" ? message : String(error),
    routine: typeof routine === "string" ? routine : "",
    isServer: name === "PostgresError",
  };
}

/**
 * Classes of SQLSTATE that speak of the server and not of the statement: connection, authorization, transaction state,
 * transaction rollback, resources, limits, operator intervention, system, configuration, internal.
 */
const STORE_CLASSES = ["08", "28", "25", "40", "53", "54", "57", "58", "F0", "XX"];
/** lock_not_available, and a database that is gone. */
const STORE_CODES = ["55P03", "3D000"];
/** The client's own words for misuse; all its others, and all of Node's, are about the connection. */
const MISUSE = ["UNDEFINED_VALUE", "MAX_PARAMETERS_EXCEEDED", "NOT_TAGGED_CALL", "ERR_OUT_OF_RANGE"];

export function isStoreFailure(error: unknown): boolean {
  const { code, isServer } = toFailure(error);
  if (isServer) return STORE_CLASSES.includes(code.slice(0, 2)) || STORE_CODES.includes(code);
  return code !== "" && !MISUSE.includes(code);
}

/**
 * True when the server has undone the change for the sake of others and the same change may succeed now:
 * serialization_failure, deadlock_detected, or a statement prepared before a newer release added a column.
 */
export function isRetryable(error: unknown): boolean {
  const { code, routine, isServer } = toFailure(error);
  return isServer && (code === "40001" || code === "40P01" || routine === "RevalidateCachedQuery");
}

/** True when the connection leads to a server that will not take writes again: a standby, or one that shuts down. */
export function isDeadEnd(error: unknown): boolean {
  return toFailure(error).isServer && ["25006", "57P01", "57P02", "57P03"].includes(toFailure(error).code);
}

export function storeUnavailable(reason: string): AuthError {
  return new AuthError("store_unavailable", { reason: `PostgreSQL: ${reason}` });
}

/**
 * What a caller gets to see. The original stays behind: it carries the values of the statement.
 * @returns AuthError `store_unavailable`, or a plain Error when the statement is at fault.
 */
export function toStorageError(error: unknown): Error {
  if (error instanceof AuthError) return error;
  const { code, message } = toFailure(error);
  const reason = `${message}${code && ` (${code})`}`;
  return isStoreFailure(error) ? storeUnavailable(reason) : new Error(`PostgreSQL: ${reason}`);
}

/** Where a connection leads, without the password. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

/** A failure to connect or upgrade as one sentence for the operator; mistakes of ours pass through. */
export function toOpenError(error: unknown, { host, port, user, database }: Address): unknown {
  if (error instanceof StorageOpenError) return error;
  const { code, message } = toFailure(error);
  const server = `The database server ${host}:${port}`;
  const sentences: Readonly<Record<string, string>> = {
    ENOTFOUND: `The database server ${host} can't be found: check the host in DATABASE_URL.`,
    EAI_AGAIN: `The database server ${host} can't be looked up: check the host in DATABASE_URL and the name server.`,
    ECONNREFUSED: `${server} does not accept connections: start it, or check the host and port in DATABASE_URL.`,
    CONNECT_TIMEOUT: `${server} does not answer: check the host and port in DATABASE_URL and the firewall between.`,
    "28P01": `${server} refused the password of user ${user}: check the user and password in DATABASE_URL.`,
    "28000": `${server} refused user ${user} (${message}): check DATABASE_URL and the server's pg_hba.conf.`,
    "3D000": `${server} has no database ${database}: create it, or check the name in DATABASE_URL.`,
    "42501": `User ${user} may not create tables in database ${database} on ${host}:${port}: grant it CREATE on the schema.`,
    "25006": `${server} is read-only: name the primary in DATABASE_URL.`,
    "53300": `${server} has no connection left: raise its max_connections, or lower the pool of each instance.`,
  };
  const known = sentences[code];
  if (known === undefined && !isStoreFailure(error)) return toStorageError(error);
  return new StorageOpenError(known ?? `${server} can't be used (${message}): mend that and start again.`);
}
