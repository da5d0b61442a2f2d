/** The OpenAPI document of a server that serves every dialect where it usually is: what docs/openapi.json keeps. */
import { randomBytes } from "node:crypto";
import { createAuth } from "../src/auth.ts";
import { drfContract } from "../src/contracts/drf.ts";
import { latchkeyContract } from "../src/contracts/latchkey.ts";
import { simplejwtContract } from "../src/contracts/simplejwt.ts";
import { createHandler } from "../src/handler.ts";
import { operationsContract } from "../src/server/operations.ts";
import { openSqlite } from "../src/storage/sqlite.ts";

export async function openapiText(): Promise<string> {
  const auth = await createAuth({ secret: randomBytes(48), storage: openSqlite(":memory:") });
  try {
    const operations = operationsContract(auth, { isDraining: () => false, metrics: ["0".repeat(32)] });
    const contracts = [latchkeyContract, drfContract(auth), simplejwtContract(auth), operations];
    const handle = createHandler(auth, { contracts, documents: "docs" });
    const answer = await handle(new Request("http://localhost/openapi.json"));
    return `${JSON.stringify(await answer.json(), undefined, 2)}\n`;
  } finally {
    await auth.close();
  }
}
