/** A real server on a real socket, over an engine with a clock that only tests move, and what can go wrong between it and a client. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { type Client, type ClientOptions, createClient } from "../../src/client/index.ts";
import { createEngine, type Engine, PASSWORD } from "../support/engine.ts";

export { PASSWORD };

/** Answers a request itself when it returns true. */
export type Interception = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

export interface TestServer {
  readonly url: string;
  readonly engine: Engine;
  /** "POST /v1/users/me/token/refresh", … as they came. */
  readonly requests: string[];
  readonly refreshCount: () => number;
  intercept: Interception | undefined;
  /** The engine's endpoints, or what stands for them. */
  handle: Engine["handle"];
  /** What becomes of an answer that the server has made: "cut" breaks the connection instead. */
  onAnswer: ((request: IncomingMessage) => "cut" | undefined | Promise<"cut" | undefined>) | undefined;
  client(options?: Partial<ClientOptions>): Client;
  close(): Promise<void>;
}

export const REFRESH = "POST /v1/users/me/token/refresh";

export interface ServerOptions extends NonNullable<Parameters<typeof createEngine>[0]> {
  /** Answers what is no path of the server's, such as pages. */
  readonly page?: (request: Request) => Response | undefined | Promise<Response | undefined>;
}

export async function startServer({ page, ...options }: ServerOptions = {}): Promise<TestServer> {
  const engine = await createEngine(options);
  await engine.auth.register({ username: "ada", email: "ada@example.com", password: PASSWORD });
  const clients: Client[] = [];
  const requests: string[] = [];
  const answer = getRequestListener(async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname !== "/orders") {
      return (await page?.(request)) ?? server.handle(request, { ip: "127.0.0.1" });
    }
    const me = await engine.call("GET", "/v1/users/me", {
      headers: Object.fromEntries([...request.headers].filter(([name]) => /^(authorization|cookie)$/.test(name))),
    });
    const body = await request.text();
    return Response.json({ user: me.body?.username, body, code: me.body?.code }, { status: me.status });
  });
  const http: Server = createServer(async (incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    if (await server.intercept?.(incoming, outgoing)) return;
    if (server.onAnswer) {
      const end = outgoing.end.bind(outgoing);
      const writeHead = outgoing.writeHead.bind(outgoing);
      // Answers are made whole before they go out, so that they can be held back after the commit.
      let head: unknown[] = [];
      outgoing.writeHead = ((...args: unknown[]) => {
        head = args;
        return outgoing;
      }) as typeof outgoing.writeHead;
      outgoing.end = ((...args: unknown[]) => {
        void (async () => {
          if ((await server.onAnswer?.(incoming)) === "cut") incoming.socket.destroy();
          else {
            (writeHead as (...args: unknown[]) => unknown)(...head);
            (end as (...args: unknown[]) => unknown)(...args);
          }
        })();
        return outgoing;
      }) as typeof outgoing.end;
    }
    await answer(incoming, outgoing);
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const server: TestServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    engine,
    requests,
    refreshCount: () => requests.filter((request) => request === REFRESH).length,
    intercept: undefined,
    handle: engine.handle,
    onAnswer: undefined,
    client(more = {}) {
      const client = createClient({ baseUrl: server.url, ...more });
      clients.push(client);
      return client;
    },
    async close() {
      for (const client of clients) client.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
      await engine.auth.close();
    },
  };
  return server;
}

export const signIn = (client: Client) => client.login({ username: "ada", password: PASSWORD });

/** A storage that several clients share, as tabs do. */
export function sharedStorage() {
  const texts = new Map<string, string>();
  return {
    texts,

    async update(key: string, decide: (text: string | undefined) => string | undefined) {
      const text = decide(texts.get(key));
      if (text === undefined) texts.delete(key);
      else texts.set(key, text);
      return text;
    },
  };
}

/** Waits for what comes by itself, such as a message to another tab. */
export async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error("it did not come");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
