/**
 * The server that tutorials build: express, jsonwebtoken and a table of refresh tokens.
 * It is a good one of its kind. Passwords are argon2id; secrets are texts, as nearly everybody passes them; statements are
 * prepared once; refresh tokens are stored as hashes and replaced at every use, in one transaction. It has no reuse rule, no
 * grace, no way to end access tokens and no checks of its input, and it writes no log.
 */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { DatabaseSync } from "node:sqlite";
import { hash, verify } from "@node-rs/argon2";
import express, { type NextFunction, type Request, type Response } from "express";
import jwt from "jsonwebtoken";
import { cpuMicros, serve } from "../service.ts";
import {
  ARGON2ID,
  JSON_TYPE,
  loginVariants,
  PASSWORD,
  type RequestKind,
  type RequestPlan,
  VARIANT_COUNT,
} from "./request-plan.ts";
import { userCount } from "./stored-sessions.ts";

export interface HomeMadeServerInput {
  readonly file: string;
  readonly sessionCount: number;
}

const ACCESS_SECRET = randomBytes(48).toString("base64");
const REFRESH_SECRET = randomBytes(48).toString("base64");
const REFRESH_TTL = 30 * 24 * 60 * 60;

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const now = (): number => Math.floor(Date.now() / 1000);

await serve(async ({ file, sessionCount }: HomeMadeServerInput) => {
  const database = new DatabaseSync(file);
  // What is acknowledged survives a power loss, as everywhere in this comparison.
  database.exec(`
    pragma journal_mode = wal;
    pragma synchronous = full;
    create table users (id integer primary key, username text not null unique, email text not null, password text not null);
    create table refresh_tokens (
      id integer primary key, user_id integer not null references users (id),
      token_hash text not null unique, expires_at integer not null
    );
  `);
  const findUser = database.prepare("select * from users where username = ?");
  const insertToken = database.prepare("insert into refresh_tokens (user_id, token_hash, expires_at) values (?, ?, ?)");
  const findToken = database.prepare("select * from refresh_tokens where token_hash = ?");
  const deleteToken = database.prepare("delete from refresh_tokens where id = ?");

  const signAccess = (userId: number): string =>
    jwt.sign({ sub: String(userId) }, ACCESS_SECRET, { expiresIn: "15m", issuer: "home-made", audience: "home-made" });
  const signRefresh = (userId: number): string =>
    jwt.sign({ sub: String(userId), jti: randomUUID() }, REFRESH_SECRET, { expiresIn: REFRESH_TTL });
  const store = (userId: number, token: string): unknown => insertToken.run(userId, sha256(token), now() + REFRESH_TTL);

  function requireUser(request: Request, response: Response, next: NextFunction): void {
    const [scheme, token] = (request.headers.authorization ?? "").split(" ");
    if (scheme !== "Bearer" || !token) return void response.status(401).json({ error: "unauthorized" });
    try {
      const claims = jwt.verify(token, ACCESS_SECRET, {
        algorithms: ["HS256"],
        issuer: "home-made",
        audience: "home-made",
      });
      response.locals.userId = Number(claims.sub);
    } catch {
      return void response.status(401).json({ error: "unauthorized" });
    }
    next();
  }

  const app = express();
  app.use(express.json());

  app.post("/login", async (request, response) => {
    const { username, password } = request.body;
    const user = findUser.get(username) as { id: number; password: string } | undefined;
    if (!user || !(await verify(user.password, password))) {
      return void response.status(401).json({ error: "wrong username or password" });
    }
    const refreshToken = signRefresh(user.id);
    store(user.id, refreshToken);
    response.json({ access_token: signAccess(user.id), refresh_token: refreshToken, token_type: "Bearer" });
  });

  app.post("/refresh", (request, response) => {
    const { refresh_token: presented } = request.body;
    let userId: number;
    try {
      userId = Number(jwt.verify(presented, REFRESH_SECRET, { algorithms: ["HS256"] }).sub);
    } catch {
      return void response.status(401).json({ error: "invalid refresh token" });
    }
    const row = findToken.get(sha256(presented)) as { id: number; expires_at: number } | undefined;
    if (!row || row.expires_at <= now()) return void response.status(401).json({ error: "invalid refresh token" });
    const refreshToken = signRefresh(userId);
    database.exec("begin immediate");
    try {
      deleteToken.run(row.id);
      store(userId, refreshToken);
      database.exec("commit");
    } catch (error) {
      database.exec("rollback");
      throw error;
    }
    response.json({ access_token: signAccess(userId), refresh_token: refreshToken, token_type: "Bearer" });
  });

  app.get("/profile", requireUser, (_request, response) => {
    response.json({ user_id: response.locals.userId });
  });

  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;

  // As many users and refresh tokens as Latchkey has.
  const insertUser = database.prepare("insert into users (username, email, password) values (?, ?, ?)");
  const password = await hash(PASSWORD, ARGON2ID);
  const users = userCount(sessionCount);
  const unspent: string[] = [];
  database.exec("begin");
  for (let i = 1; i <= users; i++) insertUser.run(`user${i}`, `user${i}@example.com`, password);
  for (let i = 0; i < sessionCount; i++) {
    const userId = (i % users) + 1;
    const token = signRefresh(userId);
    store(userId, token);
    unspent.push(token);
  }
  database.exec("commit; pragma wal_checkpoint(truncate)");

  return {
    cpu: cpuMicros,
    plan({ kind, count }: { kind: RequestKind; count: number }): RequestPlan {
      if (kind === "refresh") {
        if (count > unspent.length) throw new Error("there are not enough sessions for so many refreshes");
        const variants = unspent
          .splice(0, count)
          .map((token) => ({ headers: JSON_TYPE, body: JSON.stringify({ refresh_token: token }) }));
        return { port, method: "POST", path: "/refresh", variants };
      }
      if (kind === "login" || kind === "lonely login") {
        return { port, method: "POST", path: "/login", variants: loginVariants(users) };
      }
      const variants = Array.from({ length: VARIANT_COUNT }, (_, i) => ({
        headers: { authorization: `Bearer ${signAccess(i + 1)}` },
      }));
      return { port, method: "GET", path: "/profile", variants };
    },
    close() {
      server.close();
      server.closeAllConnections();
      database.close();
    },
  };
});
