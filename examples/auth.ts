/** The engine of the examples: ada, and grace who is on the staff, both with the password "correct horse battery". They live in memory. */
import { createAuth, openSqlite } from "latchkey";
import { z } from "zod";

export const auth = await createAuth({
  secret: crypto.getRandomValues(new Uint8Array(48)), // JWT_SECRET_KEY, in earnest: tokens outlive a restart
  storage: openSqlite(":memory:"),
  claims: z.object({ roles: z.array(z.enum(["staff"])) }),
  claimsOf: ({ isStaff }) => ({ roles: isStaff ? ["staff"] : [] }),
});

const password = "correct horse battery";
await auth.register({ username: "ada", email: "ada@example.com", password });
const grace = await auth.register({ username: "grace", email: "grace@example.com", password });
await auth.users.setRoles(grace.id, { isStaff: true });
