import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { storageContract } from "./contract.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-sqlite-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "auth.db");

storageContract("SQLite", { connect: () => openSqlite(file), isShared: true });

storageContract("SQLite in-memory", { connect: () => openSqlite(":memory:"), isShared: false });
