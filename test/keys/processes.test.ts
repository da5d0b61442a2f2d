/** The ring under processes that die, and under every algorithm. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createAuth } from "../../src/auth.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { sql } from "../../src/storage/storage.ts";
import { temporaryFolder } from "../support/child-server.ts";
import { createEngine, signIn, TEST_SECRET } from "../support/engine.ts";

test("processes that are killed while they rotate leave a ring with one key that signs and one that follows", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "auth.db");
  for (let round = 0; round < 3; round++) {
    const children = [0, 1].map(() => {
      const child = spawn("node", [join(import.meta.dirname, "rotate-for-ever.ts"), file]);
      let output = "";
      let errors = "";
      child.stderr.on("data", (chunk: Buffer) => {
        errors += chunk.toString();
      });
      const exited = new Promise<void>((resolve) => child.on("close", () => resolve()));
      const hasRotated = new Promise<void>((resolve) => {
        child.stdout.on("data", (chunk: Buffer) => {
          output += chunk.toString();
          if (output.split("\n").length > 3 + round) resolve();
        });
      });
      return { child, exited, errors: () => errors, ready: Promise.race([hasRotated, exited]) };
    });
    await Promise.all(children.map(({ ready }) => ready));
    // At once: the one that has the lease takes it along, and the other would wait for it.
    for (const { child } of children) child.kill("SIGKILL");
    await Promise.all(children.map(({ exited }) => exited));
    for (const { errors } of children) assert.equal(errors(), "");
    const auth = await createAuth({ secret: TEST_SECRET, storage: openSqlite(file), algorithm: "ES256" });
    const keys = await auth.keys.list();
    assert.equal(keys.filter(({ state }) => state === "active").length, 1);
    assert.equal(keys.filter(({ state }) => state === "next").length, 1);
    const username = `ada${round}`;
    const user = await auth.register({ username, email: `${username}@example.com`, password: "correct horse battery" });
    const { accessToken } = await auth.sessions.start(user.id);
    assert.equal((await auth.authenticate(accessToken)).userId, user.id);
    await auth.close();
    // The dead may have held the lease, which lapses in half a minute.
    const storage = openSqlite(file);
    await storage.migrate();
    await storage.write([sql`update latchkey_key_ring set lease_until = 0`]);
    await storage.close();
  }
  rmSync(folder, { recursive: true, force: true });
});

for (const algorithm of ["RS256", "PS384", "ES512", "Ed25519", "ML-DSA-44", "ML-DSA-87", "HS384"] as const) {
  test(`${algorithm}: tokens are signed, taken, and taken again after a rotation`, async () => {
    const secret = `${TEST_SECRET}-${TEST_SECRET}`;
    const engine = await createEngine({ algorithm, secret });
    const { tokens } = await signIn(engine);
    assert.equal((await engine.auth.authenticate(tokens.accessToken)).userId, 1);
    if (algorithm !== "HS384") await engine.auth.keys.rotate({ ignoringLead: true });
    const answer = await engine.call("GET", "/v1/users/me", { token: tokens.accessToken });
    assert.equal(answer.status, 200);
    const refreshed = await engine.auth.refresh(tokens.refreshToken);
    assert.equal((await engine.auth.authenticate(refreshed.accessToken)).userId, 1);
    await engine.auth.close();
  });
}
