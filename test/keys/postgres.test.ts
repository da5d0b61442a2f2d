import { after, before } from "node:test";
import { openPostgres } from "../../src/storage/postgres.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { keyContract } from "./contract.ts";

let server: PostgresServer;
before(async () => {
  server = await startPostgres();
});
after(() => server.stop());

keyContract("PostgreSQL", async () => {
  const url = await server.createDatabase();
  return () => openPostgres(url, { connectionCount: 2 });
});
