/**
 * What is measured: the same small application in every framework, one route that answers who asked, with one guard in
 * front of it or none.
 */
import type { KeyObject } from "node:crypto";
import type { AddressInfo, Server } from "node:net";

export const FRAMEWORKS = ["node:http", "Fastify", "Hono", "Express", "Koa", "NestJS"] as const;
export type Framework = (typeof FRAMEWORKS)[number];

/** The route answers `{"sub":…}` without asking anything: what the framework itself costs. */
export const NO_AUTH = "no auth";
/** The framework's own price for having a guard at all: nobody's can be cheaper. */
export const NO_OP = "a guard that does nothing";
/** The guards that name nobody. */
export const ANONYMOUS: readonly string[] = [NO_AUTH, NO_OP];
export const OURS_CACHED = "latchkey";
export const OURS = "latchkey, no cache";
/** Where a framework lets a guard stand around a handler as well as before it. */
export const OURS_AROUND = "latchkey, around the handler";
export const OURS_AROUND_UNCACHED = "latchkey, around the handler, no cache";
export const ALL_OURS: readonly string[] = [OURS_CACHED, OURS, OURS_AROUND, OURS_AROUND_UNCACHED];

/** What applications are made with. */
export interface Setting {
  /** `latchkey/express` and so on, as an application that has installed the package imports it. */
  latchkey<Module>(name: string): Promise<Module>;
  /** The secret that access tokens are signed with. */
  readonly secret: string;
  readonly key: KeyObject;
  /** The SQLite file that holds the sessions of the tokens. */
  readonly database: string;
}

/** Starts to listen on a port of its choice. @returns the port. */
export type Application = (setting: Setting) => Promise<number>;

/** By the name of the guard; what is neither ours nor `NO_AUTH` is a plugin that people use. */
export type Applications = Readonly<Record<string, Application>>;

export const HOST = "127.0.0.1";
export const PATH = "/profile";
/** The claims of the tokens that everybody checks, beside `exp`. */
export const ISSUER = "latchkey";
export const AUDIENCE = "latchkey";
/** The header's `typ`: for who refuses what they do not expect. */
export const TYP = "at+jwt";
/** Different tokens that take turns. */
export const TOKEN_COUNT = 32;
/** Whom `NO_AUTH` answers with: as long as those of the tokens. */
export const NOBODY = "100";
/** What jsonwebtoken and whoever is built on it checks. */
export const JSONWEBTOKEN_CHECKS = { algorithms: ["HS256" as const], issuer: ISSUER, audience: AUDIENCE };

export async function listening(server: Server): Promise<number> {
  if (!server.listening) await new Promise<void>((resolve) => server.once("listening", resolve));
  return (server.address() as AddressInfo).port;
}
