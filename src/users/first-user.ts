/**
 * The first user of an empty store, who becomes staff: made by whoever brings a token that was shown on the server's own terminal.
 * There is no other way over the network. The store knows the token's hash only; it is good for an hour, once, and only as long as nobody is staff.
 * Spending it and making the user are one transaction, so of two at once one gets through.
 */
import { createHash } from "node:crypto";
import { AuthError } from "../errors.ts";
import * as queries from "../storage/queries.ts";
import type { Row, Storage } from "../storage/storage.ts";
import type { System } from "../system.ts";
import { type Registration, toUser, type User, type Users } from "./users.ts";

export interface FirstUser {
  /**
   * Makes a token for whoever is to be the first user; one that was made before is good no longer.
   * @returns it, this once; `undefined` when there are users already, or they are kept by somebody else.
   */
  offer(): Promise<string | undefined>;
  /**
   * Registers the first user, who becomes staff.
   * @throws AuthError `link_invalid` for a token that was used, has expired or never was, and as `register`; those leave the token good.
   */
  register(token: string, registration: Registration): Promise<User>;
}

export interface FirstUserOptions {
  readonly storage: Storage;
  readonly system: System;
  readonly users: Pick<Users, "prepare">;
  /** True when users are in a table that is not ours. */
  readonly isElsewhere: boolean;
}

/** Bytes: ASVS 6.4.1 wants 16. */
const TOKEN_BYTES = 32;
/** Seconds. */
const TOKEN_TTL = 60 * 60;

/** A random text of 256 bits needs no slow hash. */
const toHash = (token: string) => createHash("sha256").update(`first user ${token}`).digest("base64url");

export function createFirstUser({ storage, system, users, isElsewhere }: FirstUserOptions): FirstUser {
  return {
    async offer() {
      if (isElsewhere || (await storage.read(queries.anyUser())).length > 0) return undefined;
      const token = Buffer.from(system.randomBytes(TOKEN_BYTES)).toString("base64url");
      await storage.write([
        queries.dropFirstUserLinks(),
        queries.insertFirstUserLink(toHash(token), system.now() + TOKEN_TTL),
      ]);
      return token;
    },

    async register(token, registration) {
      const hash = toHash(token);
      // Before anything costs: strangers have no business here.
      if (isElsewhere || (await storage.read(queries.firstUserLink(hash, system.now()))).length === 0) throw noLink();
      const user = await users.prepare(registration);
      const written = await storage.write([
        queries.spendFirstUserLink(hash, user.now),
        queries.insertFirstUser(user),
        queries.dropFirstUserLinks(),
      ]);
      const row = written?.[1]?.[0] as Row | undefined;
      if (row) return toUser(row);
      // Either somebody else was faster with the link, or with the name; then the link is good still.
      if ((await storage.read(queries.firstUserLink(hash, system.now()))).length === 0) throw noLink();
      throw new AuthError("username_taken", { reason: "taken at the same moment" });
    },
  };
}

const noLink = () => new AuthError("link_invalid", { reason: "no such link for the first user, or no longer" });
