/** The server with a clock that is told to jump. Started as a child process; messages are `{ jump: seconds }`. */
import { join } from "node:path";
import { serve } from "@hono/node-server";
import { createAuth } from "../../src/auth.ts";
import { createHandler } from "../../src/handler.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { realSystem } from "../../src/system.ts";

const { LATCHKEY_DATA_DIR = ".", PORT = "0", JWT_SECRET_KEY = "" } = process.env;
let offset = 0;
process.on("message", ({ jump }: { jump: number }) => {
  offset += jump;
});
process.on("disconnect", () => process.exit());

const system = { ...realSystem, now: () => realSystem.now() + offset };
const auth = await createAuth({
  secret: JWT_SECRET_KEY,
  storage: openSqlite(join(LATCHKEY_DATA_DIR, "clocked.db")),
  refreshGrace: "0s",
  system,
});
const handle = createHandler(auth);
serve({ fetch: (request) => handle(request), port: Number(PORT), hostname: "127.0.0.1" });
