/**
 * The whole of it in one process: `npm run example:browser`, then open the address in two tabs.
 * Users live in memory and tokens for 30 seconds, so that there is something to watch.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { createAuth, createHandler, type Duration, openSqlite } from "latchkey";

const auth = await createAuth({
  secret: crypto.getRandomValues(new Uint8Array(32)),
  storage: openSqlite(":memory:"),
  accessTtl: (process.env.TOKEN_TTL ?? "30s") as Duration,
});
const handle = createHandler(auth);
await auth.register({ username: "ada", email: "ada@example.com", password: "correct horse battery" });

const files: Readonly<Record<string, { readonly file: URL; readonly type: string }>> = {
  "/": { file: new URL("index.html", import.meta.url), type: "text/html; charset=utf-8" },
  "/client.js": { file: new URL(import.meta.resolve("latchkey/client")), type: "text/javascript; charset=utf-8" },
};

const server = createServer(
  getRequestListener((request) => {
    const found = files[new URL(request.url).pathname];
    if (!found) return handle(request);
    return new Response(readFileSync(found.file), { headers: { "content-type": found.type } });
  }),
);
server.listen(Number(process.env.PORT ?? 8001), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(`Open http://localhost:${port} in two tabs or more. Sign in as ada, password "correct horse battery".`);
});
