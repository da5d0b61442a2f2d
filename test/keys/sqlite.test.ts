import { rmSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { temporaryFolder } from "../support/child-server.ts";
import { keyContract } from "./contract.ts";

const folder = temporaryFolder();
after(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;

keyContract("SQLite", async () => {
  const path = join(folder, `${count++}.db`);
  return () => openSqlite(path);
});
