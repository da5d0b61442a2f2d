import { after, before } from "node:test";
import { openPostgres } from "../../src/storage/postgres.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { sessionContract } from "./contract.ts";

let server: PostgresServer;
before(async () => {
  server = await startPostgres();
});
after(() => server.stop());

sessionContract("PostgreSQL", async () => openPostgres(await server.createDatabase()));
