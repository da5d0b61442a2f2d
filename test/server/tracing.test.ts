import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { after, before, test } from "node:test";
import { type Context, context, propagation, ROOT_CONTEXT, type Span, type Tracer, trace } from "@opentelemetry/api";
import { readConfig } from "../../src/server/config.ts";
import type { Logger } from "../../src/server/logger.ts";
import { type RunningServer, startServer } from "../../src/server/server.ts";
import { call } from "../support/child-server.ts";
import { PASSWORD, TEST_SECRET } from "../support/engine.ts";

interface Ended {
  name: string;
  readonly attributes: Record<string, unknown>;
  status: unknown;
  readonly parent: unknown;
  readonly traceparent: unknown;
}

/** The least of an SDK: spans that are written down when they end, a context that follows promises, and one header that is carried on. */
const spans: Ended[] = [];
const TRACEPARENT = Symbol("traceparent");
const SPAN = Symbol("span");
const running = new AsyncLocalStorage<Context>();

function installSdk(): void {
  context.setGlobalContextManager({
    active: () => running.getStore() ?? ROOT_CONTEXT,
    with: (ctx, fn, thisArg, ...args) => running.run(ctx, () => fn.apply(thisArg, args as never)),
    bind: (_ctx, target) => target,
    enable: () => context as never,
    disable: () => context as never,
  });
  propagation.setGlobalPropagator({
    inject: () => {},
    extract: (ctx, carrier) => ctx.setValue(TRACEPARENT, (carrier as Record<string, string>).traceparent),
    fields: () => ["traceparent"],
  });
  const tracer = {
    startActiveSpan(name: string, options: { attributes?: Record<string, unknown> }, work: (span: Span) => unknown) {
      const active = context.active();
      const parent = active.getValue(SPAN) as Ended | undefined;
      const traceparent = active.getValue(TRACEPARENT);
      const own: Ended = {
        name,
        attributes: { ...options.attributes },
        status: undefined,
        parent: parent?.name,
        traceparent,
      };
      const span = {
        setAttribute: (key: string, value: unknown) => (own.attributes[key] = value),
        updateName: (to: string) => (own.name = to),
        setStatus: (status: unknown) => (own.status = status),
        end: () => spans.push(own),
      } as unknown as Span;
      return context.with(active.setValue(SPAN, own), () => work(span));
    },
  } as unknown as Tracer;
  trace.setGlobalTracerProvider({ getTracer: () => tracer });
}

let server: RunningServer;
before(async () => {
  installSdk();
  const env = { PORT: "0", JWT_SECRET_KEY: TEST_SECRET, DATABASE_URL: ":memory:", LATCHKEY_TRACING: "on" };
  const silent: Logger = { request() {}, event() {}, info() {} };
  server = await startServer(readConfig(env), silent);
});
after(async () => {
  await server.close();
  trace.disable();
  context.disable();
  propagation.disable();
});

test("a request, its password hash and what the store is asked are spans of the trace that the request names", async () => {
  const ada = { username: "ada", email: "ada@example.com", password: PASSWORD };
  await call(server.url, "POST", "/v1/users", { body: ada });
  spans.length = 0;
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const body = { username: "ada", password: PASSWORD };
  await call(server.url, "POST", "/v1/users/me/token", { body, headers: { traceparent } });
  const own = spans.filter((span) => span.traceparent === traceparent);
  const names = own.map(({ name }) => name);
  assert.deepEqual(
    new Set(names),
    new Set(["POST /v1/users/me/token", "latchkey.password.check", "latchkey.store.read", "latchkey.store.write"]),
  );
  const request = own.find(({ name }) => name.startsWith("POST"));
  assert.deepEqual(request?.attributes, {
    "http.request.method": "POST",
    "http.route": "/v1/users/me/token",
    "http.response.status_code": 200,
  });
  assert.equal(own.find(({ name }) => name === "latchkey.password.check")?.parent, "POST");
});

test("no span holds what a client wrote (checklist 89)", async () => {
  spans.length = 0;
  await call(server.url, "GET", "/h1dden?h1dden=1", { token: "h1dden" });
  await call(server.url, "DELETE", "/v1/users/me/sessions/h1dden", { token: "h1dden" });
  await call(server.url, "POST", "/v1/users/me/token", { body: { username: "h1dden", password: "h1dden" } });
  assert.ok(spans.length >= 3);
  assert.doesNotMatch(JSON.stringify(spans), /h1dden/);
});
