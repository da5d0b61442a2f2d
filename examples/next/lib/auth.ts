/**
 * The engine, opened when the first request needs it and once for the whole process: Next loads this module several times over, and `next build` loads it
 * where there is no secret. ada, and grace who is on the staff, live in memory.
 */
import { createAuth, type Duration, openSqlite } from "latchkey";
import { z } from "zod";

const password = "correct horse battery";

async function open() {
  const auth = await createAuth({
    secret: process.env.JWT_SECRET_KEY ?? crypto.getRandomValues(new Uint8Array(48)),
    storage: openSqlite(":memory:"),
    accessTtl: (process.env.TOKEN_TTL ?? "15m") as Duration,
    claims: z.object({ roles: z.array(z.enum(["staff"])) }),
    claimsOf: ({ isStaff }) => ({ roles: isStaff ? ["staff"] : [] }),
  });
  await auth.register({ username: "ada", email: "ada@example.com", password });
  const grace = await auth.register({ username: "grace", email: "grace@example.com", password });
  await auth.users.setRoles(grace.id, { isStaff: true });
  return auth;
}

const shared = globalThis as { latchkey?: ReturnType<typeof open> };

export function auth(): ReturnType<typeof open> {
  shared.latchkey ??= open();
  return shared.latchkey;
}
