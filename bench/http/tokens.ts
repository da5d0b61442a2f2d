/** The process that fills a store and has access tokens signed: each of another user's session. */

import type { Auth } from "../../src/index.ts";
import { answerParent } from "../child.ts";
import { createMint, fillSqlite, openFile } from "../sessions/stored-sessions.ts";
import { TOKEN_COUNT } from "./application.ts";
import { importInstalled } from "./installed.ts";

export interface TokensInput {
  readonly folder: string;
  readonly secret: string;
  readonly database: string;
}

export interface Bearer {
  readonly token: string;
  /** The `sub` in it. */
  readonly sub: string;
}

/** Of 200 users. */
const SESSION_COUNT = 800;
/** Subjects have three digits, so that all answers are equally long. */
const FIRST_SESSION = 100;

await answerParent(async ({ folder, secret, database }: TokensInput): Promise<Bearer[]> => {
  const latchkey = await importInstalled<typeof import("../../src/index.ts")>(folder, "latchkey");
  const storage = latchkey.openSqlite(database);
  try {
    await storage.migrate();
    const connection = await openFile(database);
    fillSqlite(connection, SESSION_COUNT);
    connection.close();
    return await signTokens(await latchkey.createAuth({ secret, storage }), createMint(secret));
  } finally {
    await storage.close();
  }
});

async function signTokens(auth: Auth, mint: (session: number) => string): Promise<Bearer[]> {
  const bearers: Bearer[] = [];
  for (let session = FIRST_SESSION; session < FIRST_SESSION + TOKEN_COUNT; session++) {
    const { accessToken } = await auth.refresh(mint(session));
    const { userId } = await auth.authenticate(accessToken);
    bearers.push({ token: accessToken, sub: String(userId) });
  }
  await auth.close();
  return bearers;
}
