/** Both kinds of store, for suites that run over each; the PostgreSQL is one for the test file. */
import { after, before } from "node:test";
import { openPostgres } from "../../src/storage/postgres.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { type PostgresServer, startPostgres } from "./postgres.ts";

/** Call it once, at the top of a test file. @returns a name and what opens an empty store, for each kind. */
export function bothStores(): readonly (readonly [name: string, open: () => Promise<Storage>])[] {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());
  return [
    ["SQLite", async () => openSqlite(":memory:")],
    ["PostgreSQL", async () => openPostgres(await server.createDatabase())],
  ];
}
