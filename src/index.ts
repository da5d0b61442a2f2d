/** The front door of the library. */
export type {
  Adoption,
  Audit,
  AuditEntry,
  AuditEvent,
  AuditPage,
  AuditQuery,
  AuditType,
  Auth,
  AuthenticateOptions,
  AuthOptions,
  Device,
  DialectIdentity,
  DialectTokenPair,
  DialectTokens,
  EngineMetrics,
  Events,
  HashEvent,
  Identity,
  KeyEvent,
  KeyInfo,
  KeyOptions,
  LimitOptions,
  ListOptions,
  Login,
  PasswordFormat,
  RefreshOptions,
  Registration,
  RotateOptions,
  Session,
  SessionEvent,
  SessionMode,
  Staff,
  TokenDialect,
  TokenFault,
  Tokens,
  TypedAuthOptions,
  User,
  UserChange,
  UserName,
  UserPage,
} from "./auth.ts";
export { createAuth, TokenRefusal } from "./auth.ts";
export type { DjangoContract, DjangoDialectOptions, RequestHeaders } from "./contracts/django-dialect.ts";
export { type DrfOptions, drfContract } from "./contracts/drf.ts";
export { latchkeyContract } from "./contracts/latchkey.ts";
export { type SimplejwtOptions, simplejwtContract } from "./contracts/simplejwt.ts";
export { AuthError, type AuthErrorCode, type AuthErrorOptions, type FieldError, refusals } from "./errors.ts";
export { type Connection, createHandler, type Handler, type HandlerOptions } from "./handler.ts";
export type { Answer, Contract } from "./http/route.ts";
export { WireRefusal } from "./http/wire-refusal.ts";
export type { Labels, Metric, MetricSource, Sample } from "./metrics/metric.ts";
export type { Metrics } from "./metrics/metrics.ts";
export { type Exposition, type MetricRegistry, registerMetrics, toPrometheus } from "./metrics/prometheus.ts";
export type { Tracer, TracerSpan } from "./metrics/tracing.ts";
export { StorageOpenError } from "./storage/open-error.ts";
export { openPostgres, type PostgresOptions } from "./storage/postgres.ts";
export { openSqlite, type SqliteOptions } from "./storage/sqlite.ts";
export type { Row, Statement, Storage, Value } from "./storage/storage.ts";
export type { Duration, System } from "./system.ts";
export { type DjangoUsersOptions, djangoUsers, type UsersInPlaceOptions } from "./users/django-users.ts";
