/**
 * better-auth as a process: its node handler, and beside it an application of ten lines whose one route asks it for the
 * session. Either every use of a session writes it (`updateAge: 0`), which is its way of keeping one alive, or the
 * session is read from its signed cookie. Its limits and logs are off.
 */
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { hash, verify } from "@node-rs/argon2";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { fromNodeHeaders, toNodeHandler } from "better-auth/node";
import { cpuMicros, serve } from "../service.ts";
import { ARGON2ID, PASSWORD, type RequestKind, type RequestPlan, VARIANT_COUNT } from "./request-plan.ts";

export interface BetterAuthServerInput {
  readonly file: string;
  readonly mode: "session write" | "cookie cache";
}

const HOUR = 60 * 60;

await serve(async ({ file, mode }: BetterAuthServerInput) => {
  const database = new DatabaseSync(file);
  // What is acknowledged survives a power loss, as everywhere in this comparison.
  database.exec("pragma journal_mode = wal; pragma synchronous = full");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const options = {
    baseURL: `http://127.0.0.1:${port}`,
    secret: randomBytes(48).toString("base64"),
    database,
    emailAndPassword: {
      enabled: true,
      // As Latchkey's.
      password: {
        hash: (password: string) => hash(password, ARGON2ID),
        verify: ({ hash: stored, password }: { hash: string; password: string }) => verify(stored, password),
      },
    },
    session: mode === "session write" ? { updateAge: 0 } : { cookieCache: { enabled: true, maxAge: HOUR } },
    rateLimit: { enabled: false },
    logger: { disabled: true },
    telemetry: { enabled: false },
  } as const;
  const { runMigrations } = await getMigrations(options);
  await runMigrations();
  const auth = betterAuth(options);
  server.on("request", toNodeHandler(auth));

  const application = createServer(async (request, response) => {
    const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) });
    if (!session) response.statusCode = 401;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ user_id: session?.user.id }));
  });
  await new Promise<void>((resolve) => application.listen(0, "127.0.0.1", resolve));

  const login = { email: "ada@example.com", password: PASSWORD };
  await auth.api.signUpEmail({ body: { ...login, name: "ada" } });
  const cookies: string[] = [];
  while (cookies.length < VARIANT_COUNT) {
    const answer = await auth.api.signInEmail({ body: login, asResponse: true });
    cookies.push(
      answer.headers
        .getSetCookie()
        .map((cookie) => cookie.split(";")[0])
        .join("; "),
    );
  }
  const variants = cookies.map((cookie) => ({ headers: { cookie } }));

  return {
    cpu: cpuMicros,
    plan({ kind }: { kind: RequestKind }): RequestPlan {
      return kind === "guarded"
        ? { port: (application.address() as AddressInfo).port, method: "GET", path: "/profile", variants }
        : { port, method: "GET", path: "/api/auth/get-session", variants };
    },
    /** When a session was last written. */
    lastWrite: () => database.prepare("select max(updatedAt) as last from session").get()?.last,
    close() {
      for (const one of [server, application]) {
        one.close();
        one.closeAllConnections();
      }
      database.close();
    },
  };
});
