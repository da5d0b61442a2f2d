/** Every adapter, in its own framework, by one contract. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import "reflect-metadata";
import { serve } from "@hono/node-server";
import { All, Controller, Module, UseGuards } from "@nestjs/common";
import { APP_GUARD, NestFactory } from "@nestjs/core";
import { ExpressAdapter } from "@nestjs/platform-express";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import express from "express";
import { fastify } from "fastify";
import { type Context, Hono } from "hono";
import Koa from "koa";
import * as forExpress from "../../src/adapters/express.ts";
import * as forFastify from "../../src/adapters/fastify.ts";
import * as forFetch from "../../src/adapters/fetch.ts";
import * as forHono from "../../src/adapters/hono.ts";
import * as forKoa from "../../src/adapters/koa.ts";
import * as forNest from "../../src/adapters/nestjs.ts";
import * as forNext from "../../src/adapters/next.ts";
import * as forNode from "../../src/adapters/node.ts";
import { bySessionCookie, described, runAdapterContract, type Started } from "./contract.ts";

async function listening(server: Server): Promise<Started> {
  if (!server.listening) await new Promise<void>((resolve) => server.once("listening", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

runAdapterContract({
  name: "latchkey/node",
  answersProblems: true,
  start({ auth, verifier }) {
    const { authRoutes, requireAuth } = forNode;
    const routes = authRoutes(auth, { prefix: "auth/" });
    const answer = (request: { auth: unknown }, response: { end(text: string): void }) =>
      response.end(JSON.stringify(described(request.auth)));
    const pages: Record<string, RequestListener> = {
      "/me": requireAuth(auth)(answer),
      "/live": requireAuth(auth, { freshness: "live" })(answer),
      "/staff": requireAuth(auth, { roles: ["staff"] })(answer),
      "/billing": requireAuth(auth, { claims: { plan: "pro" } })(answer),
      "/maybe": requireAuth(auth, { optional: true })(answer),
      "/either": requireAuth(auth, { authenticators: [({ headers }) => bySessionCookie(headers)] })(answer),
      "/offline": requireAuth(verifier)(answer),
    };
    return listening(
      createServer((request, response) => {
        const page = pages[new URL(request.url ?? "/", "http://localhost").pathname];
        if (page) page(request, response);
        else routes(request, response);
      }).listen(0, "127.0.0.1"),
    );
  },
});

runAdapterContract({
  name: "latchkey/express",
  answersProblems: false,
  start({ auth, verifier }) {
    const { authOf, authRoutes, requireAuth } = forExpress;
    const app = express();
    const answer = (request: express.Request, response: express.Response) =>
      void response.json(described(authOf(request)));
    // A guard before the endpoints, and these twice: whichever comes first answers.
    app.all("/me", requireAuth(auth), answer);
    app.get("/live", requireAuth(auth, { freshness: "live" }), answer);
    app.use("/auth", authRoutes(auth));
    app.use("/auth", authRoutes(auth));
    app.get("/staff", requireAuth(auth, { roles: ["staff"] }), answer);
    app.get("/billing", requireAuth(auth, { claims: { plan: "pro" } }), answer);
    app.get("/maybe", requireAuth(auth, { optional: true }), (request, response) => {
      const { auth: who } = request as { auth?: unknown };
      response.json(described(who));
    });
    app.get("/either", requireAuth(auth, { authenticators: [({ headers }) => bySessionCookie(headers)] }), answer);
    app.get("/offline", requireAuth(verifier), answer);
    app.set("env", "test"); // Express writes no log then
    return listening(app.listen(0, "127.0.0.1"));
  },
});

runAdapterContract({
  name: "latchkey/express behind a body parser",
  answersProblems: true,
  start({ auth, verifier }) {
    const { authOf, authRoutes, requireAuth } = forExpress;
    const app = express();
    app.use(express.json({ limit: "1mb" }));
    app.use(authRoutes(auth, { prefix: "/auth" }));
    const answer = (request: express.Request, response: express.Response) =>
      void response.json(described(authOf(request)));
    app.all("/me", requireAuth(auth), answer);
    app.get("/live", requireAuth(auth, { freshness: "live" }), answer);
    app.get("/staff", requireAuth(auth, { roles: ["staff"] }), answer);
    app.get("/billing", requireAuth(auth, { claims: ({ plan }) => plan === "pro" }), answer);
    app.get("/maybe", requireAuth(auth, { optional: true }), (request, response) => {
      response.json(described((request as { auth?: unknown }).auth));
    });
    app.get(
      "/either",
      requireAuth(auth, { authenticators: [async ({ headers }) => bySessionCookie(headers)] }),
      answer,
    );
    app.get("/offline", requireAuth(verifier), answer);
    // The application's own way with errors: status and code are where Express has them.
    app.use(
      (
        error: { status?: number; code?: string; headers?: object },
        _request: express.Request,
        response: express.Response,
        _next: () => void,
      ) => {
        response
          .status(error.status ?? 500)
          .set(error.headers ?? {})
          .json({ code: error.code });
      },
    );
    return listening(app.listen(0, "127.0.0.1"));
  },
});

runAdapterContract({
  name: "latchkey/fastify",
  answersProblems: true,
  async start({ auth, verifier }) {
    const { authOf, authRoutes, requireAuth } = forFastify;
    const app = fastify();
    await app.register(authRoutes(auth), { prefix: "/auth" });
    app.all("/me", { onRequest: requireAuth(auth) }, (request) => described(authOf(request)));
    app.get("/live", { onRequest: requireAuth(auth, { freshness: "live" }) }, (request) => described(authOf(request)));
    app.get("/staff", { onRequest: requireAuth(auth, { roles: ["staff"] }) }, (request) => described(authOf(request)));
    app.get("/billing", { onRequest: requireAuth(auth, { claims: { plan: "pro" } }) }, (request) =>
      described(authOf(request)),
    );
    app.get("/maybe", { onRequest: requireAuth(auth, { optional: true }) }, (request) =>
      described((request as { auth?: unknown }).auth),
    );
    const authenticators = [({ headers }: { headers: { cookie?: string | undefined } }) => bySessionCookie(headers)];
    app.get("/either", { onRequest: requireAuth(auth, { authenticators }) }, (request) => described(authOf(request)));
    app.get("/offline", { onRequest: requireAuth(verifier) }, (request) => described(authOf(request)));
    await app.listen({ port: 0, host: "127.0.0.1" });
    return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
  },
});

runAdapterContract({
  name: "latchkey/hono",
  answersProblems: true,
  start({ auth, verifier }) {
    const { authRoutes, requireAuth } = forHono;
    const app = new Hono();
    app.use("/auth/*", authRoutes(auth, { prefix: "/auth/" }));
    app.use(authRoutes(auth, { prefix: "auth" }));
    app.all("/me", requireAuth(auth), (c) => c.json(described(c.var.auth)));
    app.get("/live", requireAuth(auth, { freshness: "live" }), (c) => c.json(described(c.var.auth)));
    app.get("/staff", requireAuth(auth, { roles: ["staff"] }), (c) => c.json(described(c.var.auth)));
    app.get("/billing", requireAuth(auth, { claims: { plan: "pro" } }), (c) => c.json(described(c.var.auth)));
    app.get("/maybe", requireAuth(auth, { optional: true }), (c) => c.json(described(c.var.auth)));
    app.get(
      "/either",
      requireAuth(auth, { authenticators: [(c) => bySessionCookie({ cookie: c.req.header("cookie") })] }),
      (c) => c.json(described(c.var.auth)),
    );
    app.get("/offline", requireAuth(verifier), (c) => c.json(described(c.var.auth)));
    return listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server);
  },
});

runAdapterContract({
  name: "latchkey/hono, around handlers",
  answersProblems: true,
  start({ auth, verifier }) {
    const { authRoutes, requireAuth } = forHono;
    const app = new Hono();
    app.use("/auth/*", authRoutes(auth, { prefix: "/auth" }));
    const answer = (c: Context) => c.json(described(c.get("auth")));
    app.all("/me", requireAuth(auth).around(answer));
    app.get("/live", requireAuth(auth, { freshness: "live" }).around(answer));
    app.get("/staff", requireAuth(auth, { roles: ["staff"] }).around(answer));
    app.get("/billing", requireAuth(auth, { claims: { plan: "pro" } }).around(answer));
    app.get("/maybe", requireAuth(auth, { optional: true }).around(answer));
    const authenticators = [(c: Context) => bySessionCookie({ cookie: c.req.header("cookie") })];
    app.get("/either", requireAuth(auth, { authenticators }).around(answer));
    app.get("/offline", requireAuth(verifier).around(answer));
    return listening(serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server);
  },
});

runAdapterContract({
  name: "latchkey/koa",
  answersProblems: false,
  start({ auth, verifier }) {
    const { authRoutes, requireAuth } = forKoa;
    const app = new Koa();
    app.silent = true;
    app.use(authRoutes(auth, { prefix: "/auth/" }));
    app.use(authRoutes(auth, { prefix: "/auth" }));
    const guards: Record<string, Koa.Middleware> = {
      "/me": requireAuth(auth) as Koa.Middleware,
      "/live": requireAuth(auth, { freshness: "live" }) as Koa.Middleware,
      "/staff": requireAuth(auth, { roles: ["staff"] }) as Koa.Middleware,
      "/billing": requireAuth(auth, { claims: { plan: "pro" } }) as Koa.Middleware,
      "/maybe": requireAuth(auth, { optional: true }) as Koa.Middleware,
      "/either": requireAuth(auth, { authenticators: [({ req }) => bySessionCookie(req.headers)] }) as Koa.Middleware,
      "/offline": requireAuth(verifier) as Koa.Middleware,
    };
    app.use((context, next) => guards[context.path]?.(context, next));
    app.use((context) => {
      context.body = described(context.state.auth);
    });
    return listening(app.listen(0, "127.0.0.1"));
  },
});

runAdapterContract({
  name: "latchkey/fetch",
  answersProblems: true,
  start({ auth, verifier }) {
    const { authRoutes, requireAuth } = forFetch;
    const routes = authRoutes(auth, { prefix: "/auth" });
    const answer = (_request: Request, who: unknown) => Response.json(described(who));
    const pages: Record<string, (request: Request) => Promise<Response>> = {
      "/me": requireAuth(auth)(answer),
      "/live": requireAuth(auth, { freshness: "live" })(answer),
      "/staff": requireAuth(auth, { roles: ["staff"] })(answer),
      "/billing": requireAuth(auth, { claims: { plan: "pro" } })(answer),
      "/maybe": requireAuth(auth, { optional: true })(answer),
      "/either": requireAuth(auth, {
        authenticators: [(request) => bySessionCookie({ cookie: request.headers.get("cookie") ?? undefined })],
      })(answer),
      "/offline": requireAuth(verifier)(answer),
    };
    const fetch = (request: Request) => (pages[new URL(request.url).pathname] ?? routes)(request);
    return listening(serve({ fetch, port: 0, hostname: "127.0.0.1" }) as Server);
  },
});

runAdapterContract({
  name: "latchkey/next",
  answersProblems: true,
  start({ auth, verifier }) {
    const { authRoutes, requireAuth } = forNext;
    // As an application gives its engine: opened when the first request comes.
    const open = async () => auth;
    const routes: Readonly<Record<string, (request: Request) => Promise<Response>>> = authRoutes(open, {
      prefix: "/auth",
    });
    const answer = (_request: Request, who: unknown) => Response.json(described(who));
    const pages: Record<string, (request: Request) => Promise<Response>> = {
      "/me": requireAuth(open)(answer),
      "/live": requireAuth(open, { freshness: "live" })(answer),
      "/staff": requireAuth(open, { roles: ["staff"] })(answer),
      "/billing": requireAuth(open, { claims: { plan: "pro" } })(answer),
      "/maybe": requireAuth(open, { optional: true })(answer),
      "/either": requireAuth(open, {
        authenticators: [(request) => bySessionCookie({ cookie: request.headers.get("cookie") ?? undefined })],
      })(answer),
      "/offline": requireAuth(verifier)(answer),
    };
    // What Next does with what a route file exports: HEAD is answered by GET, and a method that is not there is 405.
    async function fetch(request: Request): Promise<Response> {
      const { pathname } = new URL(request.url);
      const page = pages[pathname];
      if (page) return page(request);
      if (!pathname.startsWith("/auth/")) return new Response(null, { status: 404 });
      const { method } = request;
      return routes[method === "HEAD" ? "GET" : method]?.(request) ?? new Response(null, { status: 405 });
    }
    return listening(serve({ fetch, port: 0, hostname: "127.0.0.1" }) as Server);
  },
});

for (const [name, platform] of Object.entries({
  "latchkey/nestjs": () => new ExpressAdapter(),
  "latchkey/nestjs on Fastify": () => new FastifyAdapter(),
})) {
  runAdapterContract({
    name,
    answersProblems: true,
    async start({ auth, verifier }) {
      const { AuthGuard, AuthModule, CurrentAuth, Public, RequireAuth, requireAuth } = forNest;
      const either = {
        authenticators: [({ headers }: { headers: { cookie?: string | undefined } }) => bySessionCookie(headers)],
      };
      // The decorators of a controller, as functions: the tests run as they are written.
      class Pages {}
      const page = (path: string, ...decorators: MethodDecorator[]) => {
        const handler = (who: unknown) => described(who);
        Object.defineProperty(Pages.prototype, path, { value: handler, configurable: true, writable: true });
        const descriptor = Object.getOwnPropertyDescriptor(Pages.prototype, path) as PropertyDescriptor;
        for (const decorate of [All(path), ...decorators]) decorate(Pages.prototype, path, descriptor);
        CurrentAuth()(Pages.prototype, path, 0);
      };
      page("me");
      page("live", RequireAuth({ freshness: "live" }));
      page("staff", RequireAuth({ roles: ["staff"] }));
      page("billing", RequireAuth({ claims: { plan: "pro" } }));
      page("maybe", Public());
      page("either", RequireAuth(either));
      page("offline", Public(), UseGuards(requireAuth(verifier)));
      Controller()(Pages);
      class App {}
      Module({
        imports: [AuthModule.forRoot(auth, { prefix: "auth" })],
        controllers: [Pages],
        providers: [{ provide: APP_GUARD, useClass: AuthGuard }],
      })(App);
      const app = await NestFactory.create(App, platform(), { logger: ["error"], abortOnError: false });
      await app.listen(0, "127.0.0.1");
      return { port: (app.getHttpServer().address() as AddressInfo).port, close: () => app.close() };
    },
  });
}
