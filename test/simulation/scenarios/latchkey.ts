/** Our rule: no model, but the sessions themselves over a store in memory. */
import { AuthError } from "../../../src/errors.ts";
import { deriveKeys } from "../../../src/secrets.ts";
import { createSessions } from "../../../src/sessions/sessions.ts";
import * as queries from "../../../src/storage/queries.ts";
import { openSqlite } from "../../../src/storage/sqlite.ts";
import { REFUSED, type RefreshRule } from "./rule.ts";

const SECRET = "Vb7#mQ2x!Lr9$Tz4^Kw8&Hn3*Pf6(Jd1)Gs5-Yc0_Ea";
const ADA = { username: "ada", usernameKey: "ada", email: "ada", emailKey: "ada", firstName: "", lastName: "" };

export const latchkey: RefreshRule = {
  name: "Latchkey",
  knowsAttempts: true,

  async logIn(start) {
    const clock = { now: start };
    const storage = openSqlite(":memory:");
    await storage.migrate();
    const [[user]] = (await storage.write([queries.insertUser({ ...ADA, password: "", now: start })])) as {
      id: number;
    }[][] as [[{ id: number }]];
    const sessions = createSessions({
      storage,
      system: { now: () => clock.now, monotonic: () => clock.now * 1000, randomBytes: (size) => new Uint8Array(size) },
      keys: deriveKeys(SECRET, "refresh-token"),
      adoptKeys: deriveKeys(SECRET, "adopt"),
      accessTtl: 15 * 60,
      grace: 20,
      idleTtl: 30 * 24 * 60 * 60,
      maxAge: 90 * 24 * 60 * 60,
      limit: 50,
      onEvent: () => {},
      afterEnd: async () => {},
    });
    const { refreshToken } = await sessions.start({ id: user.id, epoch: 0 }, {});

    return {
      first: refreshToken,
      async refresh(token, now, attempt) {
        clock.now = now;
        try {
          const grant = await sessions.refresh(token, {}, { attempt });
          return { is: "token", token: grant.refreshToken, generation: grant.generation };
        } catch (error) {
          if (!(error instanceof AuthError)) throw error;
          return error.code === "refresh_superseded" ? { is: "superseded" } : REFUSED;
        }
      },
    };
  },
};
