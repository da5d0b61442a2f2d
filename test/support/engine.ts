/** An engine over a database in memory, with a clock that only tests move, and its endpoints without a socket. */
import { type Auth, type AuthOptions, createAuth } from "../../src/auth.ts";
import type { Handler } from "../../src/handler.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import type { Statement, Storage } from "../../src/storage/storage.ts";
import type { Answer } from "./child-server.ts";
import { createHandler } from "./documented.ts";
import { type FakeSystem, fakeSystem } from "./fake-system.ts";

export const TEST_SECRET = "q8Zt0mB3vX7cL1nK5jH9gF2dS6aP4oWy-uTrE_iUyQzVbNm";
export const PASSWORD = "correct horse battery";

export interface Counted {
  reads: number;
  writes: number;
}

export interface Engine {
  readonly auth: Auth;
  readonly handle: Handler;
  readonly system: FakeSystem;
  readonly storage: Storage;
  /** Calls to the storage since the last look. */
  counted(): Counted;
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
}

export interface CallOptions {
  readonly body?: unknown;
  readonly token?: string;
  readonly headers?: Record<string, string>;
}

export async function createEngine(options: Partial<AuthOptions> = {}): Promise<Engine> {
  const system = fakeSystem();
  const counts = { reads: 0, writes: 0 };
  const storage = counting(options.storage ?? openSqlite(":memory:"), counts);
  const auth = await createAuth({ secret: TEST_SECRET, system, ...options, storage });
  const handle = createHandler(auth);
  return {
    auth,
    handle,
    system,
    storage,
    counted() {
      const seen = { ...counts };
      counts.reads = 0;
      counts.writes = 0;
      return seen;
    },
    async call(method, path, { body, token, headers } = {}) {
      const request = new Request(`http://latchkey.test${path}`, {
        method,
        headers: {
          ...(body !== undefined && { "content-type": "application/json" }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const response = await handle(request, { ip: "203.0.113.7" });
      const text = await response.text();
      return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) };
    },
  };
}

function counting(storage: Storage, counts: Counted): Storage {
  return {
    kind: storage.kind,
    get clockOffset() {
      return storage.clockOffset;
    },
    migrate: () => storage.migrate(),
    read(statement: Statement) {
      counts.reads++;
      return storage.read(statement);
    },
    write(statements: readonly Statement[]) {
      counts.writes++;
      return storage.write(statements);
    },
    close: () => storage.close(),
  };
}

/** Registers and signs in one user. */
export async function signIn({ auth }: Engine, username = "ada") {
  const user = await auth.register({ username, email: `${username}@example.com`, password: PASSWORD });
  return {
    user,
    tokens: await auth.login({ username, password: PASSWORD }, { ip: "198.51.100.1", userAgent: "test/1" }),
  };
}
