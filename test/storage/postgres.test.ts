import { after, before } from "node:test";
import { openPostgres } from "../../src/storage/postgres.ts";
import { type PostgresServer, startPostgres } from "../support/postgres.ts";
import { storageContract } from "./contract.ts";

let server: PostgresServer;
let url: string;
before(async () => {
  server = await startPostgres();
  url = await server.createDatabase();
});
after(() => server.stop());

storageContract("PostgreSQL", { connect: () => openPostgres(url, { connectionCount: 5 }), isShared: true });
