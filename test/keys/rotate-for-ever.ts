/** Rotates the keys of a store until it is killed: `node test/keys/rotate-for-ever.ts <SQLite file>`. */
import { createAuth } from "../../src/auth.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { TEST_SECRET } from "../support/engine.ts";

const auth = await createAuth({
  secret: TEST_SECRET,
  storage: openSqlite(process.argv[2] as string),
  algorithm: "ES256",
});
for (;;) {
  const { kid } = await auth.keys.rotate({ ignoringLead: true });
  process.stdout.write(`${kid}\n`);
}
