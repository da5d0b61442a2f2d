import { openSqlite } from "../../src/storage/sqlite.ts";
import { sessionContract } from "./contract.ts";

sessionContract("SQLite", async () => openSqlite(":memory:"));
