/** Latchkey as a process: `latchkey serve` with the recipe's dialect, and beside it an application whose one route its guard guards. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { importLatchkey } from "../latchkey.ts";
import { cpuMicros, serve } from "../service.ts";
import { freePort } from "../sessions/free-port.ts";
import { PASSWORD } from "../sessions/request-plan.ts";

export interface LatchkeyServerInput {
  readonly dist: string;
  readonly secret: string;
  readonly database: string;
  /** Of Django's hasher, so that a login costs both the same. */
  readonly iterations: number;
  readonly userCount: number;
}

await serve(async ({ dist, secret, database, iterations, userCount }: LatchkeyServerInput) => {
  const { createAuth, drfContract, openSqlite, AuthError } = await importLatchkey(dist);
  const passwordFormat = { format: "django", iterations } as const;
  const auth = await createAuth({ secret, storage: openSqlite(database), passwordFormat, limits: false });
  for (let number = 1; number <= userCount; number++) {
    const username = `user${number}`;
    await auth.register({ username, email: `${username}@example.com`, password: PASSWORD });
  }
  const port = await freePort();
  Object.assign(process.env, {
    ...{
      JWT_SECRET_KEY: secret,
      DATABASE_URL: database,
      HOST: "127.0.0.1",
      PORT: String(port),
      LATCHKEY_LIMITS: "off",
    },
    ...{ LATCHKEY_CONTRACTS: "drf", LATCHKEY_PASSWORD_FORMAT: `django:${iterations}`, LATCHKEY_LIMITS: "off" },
  });
  process.argv = [process.execPath, "latchkey", "serve"];
  await import(new URL("cli/main.js", dist).href);
  for (let tries = 0; ; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/api/auth/login/`, { headers: { connection: "close" } }).catch(
      () => undefined,
    );
    await answer?.arrayBuffer();
    if (answer?.status === 405) break;
    if (tries === 200) throw new Error("latchkey serve did not come up");
    await sleep(50);
  }

  const drf = drfContract(auth);
  const application = createServer(async (request, response) => {
    try {
      const { userId } = await drf.authenticate(request);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ id: userId }));
    } catch (error) {
      response.statusCode = error instanceof AuthError ? error.status : 500;
      response.end();
    }
  });
  await new Promise<void>((resolve) => application.listen(0, "127.0.0.1", resolve));

  return {
    ports: () => ({ port, applicationPort: (application.address() as AddressInfo).port }),
    cpu: cpuMicros,
    async close() {
      application.close();
      application.closeAllConnections();
      await auth.close();
      // As an operator does; it leaves the process.
      process.kill(process.pid, "SIGTERM");
      await new Promise(() => {});
    },
  };
});
