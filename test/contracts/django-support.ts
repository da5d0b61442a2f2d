/** A Django dialect over an engine in memory, called without a socket, and tokens as Django would sign them. */
import { createHmac } from "node:crypto";
import type { AuthOptions } from "../../src/auth.ts";
import type { DjangoContract } from "../../src/contracts/django-dialect.ts";
import type { Answer as RouteAnswer } from "../../src/http/route.ts";
import type { Auth } from "../../src/index.ts";
import { AuthError } from "../../src/index.ts";
import type { Answer } from "../support/child-server.ts";
import { createHandler } from "../support/documented.ts";
import { createEngine, type Engine, TEST_SECRET } from "../support/engine.ts";

export interface DjangoEngine extends Engine {
  readonly contract: DjangoContract;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  send(
    method: string,
    path: string,
    init?: { body?: NonNullable<RequestInit["body"]>; headers?: Record<string, string> },
  ): Promise<Answer>;
  /** What the guard says: the user's id, or the answer to a refused request. */
  guard(authorization?: string): Promise<number | RouteAnswer>;
}

export async function createDjangoEngine(
  make: (auth: Auth) => DjangoContract,
  options: Partial<AuthOptions> = {},
): Promise<DjangoEngine> {
  const engine = await createEngine(options);
  const contract = make(engine.auth);
  const handle = createHandler(engine.auth, { contracts: [contract] });
  const send: DjangoEngine["send"] = async (method, path, init = {}) => {
    const response = await handle(new Request(`http://latchkey.test${path}`, { method, ...init }), {
      ip: "203.0.113.7",
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
  };
  return {
    ...engine,
    contract,
    send,
    post: (path, body, headers = {}) =>
      send("POST", path, {
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
        headers: { "content-type": "application/json", ...headers },
      }),
    async guard(authorization) {
      try {
        return (await contract.authenticate({ headers: { authorization } })).userId;
      } catch (error) {
        if (error instanceof AuthError) return contract.refuse(error);
        throw error;
      }
    },
  };
}

/** HS256 as PyJWT signs it, over whatever claims. */
export function signAsDjango(claims: object | string, { secret = TEST_SECRET, alg = "HS256" } = {}): string {
  const encode = (part: unknown) =>
    Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");
  const input = `${encode({ alg, typ: "JWT" })}.${encode(claims)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

export const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split(".")[1] as string, "base64url").toString());
