/** The front door of the library. */
export type {
  Adoption,
  Auth,
  AuthenticateOptions,
  AuthOptions,
  Device,
  Identity,
  KeyEvent,
  KeyInfo,
  KeyOptions,
  ListOptions,
  Login,
  PasswordFormat,
  RefreshOptions,
  Registration,
  RotateOptions,
  Session,
  SessionEvent,
  SessionMode,
  Tokens,
  User,
  UserName,
  UserPage,
} from "./auth.ts";
export { createAuth } from "./auth.ts";
export { AuthError, type AuthErrorCode, type AuthErrorOptions, type FieldError, refusals } from "./errors.ts";
export { type Connection, createHandler, type Handler, type HandlerOptions } from "./handler.ts";
export { StorageOpenError } from "./storage/open-error.ts";
export { openPostgres, type PostgresOptions } from "./storage/postgres.ts";
export { openSqlite, type SqliteOptions } from "./storage/sqlite.ts";
export type { Row, Statement, Storage, Value } from "./storage/storage.ts";
export type { Duration, System } from "./system.ts";
