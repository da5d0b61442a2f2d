/** Our side of the comparison: the server's own HTTP over an engine that has the project's users, hashes included. */
import type { AddressInfo } from "node:net";
import type { DjangoContract } from "../../src/contracts/django-dialect.ts";
import { type DrfOptions, drfContract } from "../../src/contracts/drf.ts";
import { type SimplejwtOptions, simplejwtContract } from "../../src/contracts/simplejwt.ts";
import { type Contract, route } from "../../src/http/route.ts";
import { type Auth, createAuth, createHandler, latchkeyContract, openSqlite } from "../../src/index.ts";
import { createHttpServer } from "../../src/server/http-server.ts";
import { sql } from "../../src/storage/storage.ts";
import type { DjangoUser } from "./django.ts";

export interface Ours {
  readonly url: string;
  readonly auth: Auth;
  stop(): Promise<void>;
}

export interface OursOptions {
  readonly drf?: DrfOptions;
  readonly simplejwt?: SimplejwtOptions;
}

export async function startOurs(
  secret: string,
  users: readonly DjangoUser[],
  { drf = {}, simplejwt = {} }: OursOptions = {},
): Promise<Ours> {
  const storage = openSqlite(":memory:");
  // The comparison sends hundreds of logins from one address, and the hashes are cheap.
  const auth = await createAuth({ secret, storage, audience: "none", passwordFormat: "argon2id", limits: false });
  for (const { id, username, email, password, is_active } of users) {
    const [usernameKey, emailKey] = [username.toLowerCase(), email.toLowerCase()];
    await storage.write([
      sql`insert into latchkey_users (id, username, username_key, email, email_key, password, created_at, deactivated_at)
        values (${id}, ${username}, ${usernameKey}, ${email}, ${emailKey}, ${password}, 1, ${is_active ? null : 1})`,
    ]);
  }
  const contracts = [
    latchkeyContract,
    withMe("/api/me", drfContract(auth, drf)),
    withMe("/api/simple/me", simplejwtContract(auth, simplejwt)),
  ];
  const handle = createHandler(auth, { contracts });
  const server = createHttpServer(handle);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    auth,
    async stop() {
      server.closeAllConnections();
      server.close();
      await auth.close();
    },
  };
}

/** A guarded page of an application. */
const withMe = (path: string, contract: DjangoContract): Contract => ({
  ...contract,
  routes: [
    ...contract.routes,
    route({
      method: "GET",
      path,
      summary: "Who am I",
      guard: "bearer",
      handle: async ({ identity }) => ({ status: 200, body: { id: identity.userId } }),
    }),
  ],
});
