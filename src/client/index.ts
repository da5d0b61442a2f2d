/** `latchkey/client`: for browsers and Node, without a dependency. */
export { createClient } from "./client.ts";
export { ClientError, type FieldError } from "./errors.ts";
export type { ClientStorage } from "./storage.ts";
export type {
  Change,
  Client,
  ClientOptions,
  ClientState,
  LiveSession,
  Login,
  Registration,
  User,
} from "./types.ts";
