import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import {
  Controller,
  type DynamicModule,
  type ExecutionContext,
  Get,
  Global,
  HttpException,
  Module,
} from "@nestjs/common";
import { APP_GUARD, Reflector } from "@nestjs/core";
import { Test, type TestingModuleBuilder } from "@nestjs/testing";
import {
  AUTH_GUARD_SOURCE,
  AuthGuard,
  AuthModule,
  CurrentAuth,
  type GuardedRequest,
  Public,
  RequireAuth,
  requireAuth,
} from "../../src/adapters/nestjs.ts";
import type { AuthError } from "../../src/errors.ts";
import { createTestIssuer } from "../../src/testing/index.ts";
import { createEngine, signIn } from "../support/engine.ts";

class Pages {
  page(): void {}
  open(): void {}
}
Public()(Pages.prototype, "open", Object.getOwnPropertyDescriptor(Pages.prototype, "open") as PropertyDescriptor);

/** A context as Nest makes it for other things than HTTP. */
function contextOf(type: string, args: unknown[], handler = Pages.prototype.page): ExecutionContext {
  return {
    getType: () => type,
    getClass: () => Pages,
    getHandler: () => handler,
    getArgs: () => args,
    getArgByIndex: (index: number) => args[index],
    switchToHttp: () => ({ getRequest: () => args[0], getResponse: () => args[1], getNext: () => args[2] }),
  } as never;
}

const issuer = createTestIssuer();
const guard = new AuthGuard(issuer.verifier, new Reflector());
const headers = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

test("GraphQL: the request is that of its context", async () => {
  const req: GuardedRequest = headers(issuer.tokenFor(7));
  assert.equal(await guard.canActivate(contextOf("graphql", [undefined, {}, { req }, {}])), true);
  assert.equal((req.auth as { subject: string }).subject, "7");
});

test("GraphQL: headers of the object around a field are nobody's credential", async () => {
  const parent = headers(issuer.tokenFor(7));
  const context = contextOf("graphql", [parent, {}, { req: { headers: {} } }, {}]);
  assert.throws(() => guard.canActivate(context), HttpException);
  assert.equal("auth" in parent, false);
});

test("GraphQL: what a query says is no response and no request, and a refusal is one", async () => {
  const bad = headers("garbage");
  for (const args of [{}, { header: "x", setHeader: "y" }, { headers: headers(issuer.tokenFor(1)).headers }]) {
    assert.throws(
      () => guard.canActivate(contextOf("graphql", [undefined, args, { req: bad }, {}])),
      (error) => error instanceof HttpException && error.getStatus() === 401,
    );
  }
});

test("a context without a request is a mistake of the programmer, and lets nobody pass", () => {
  assert.throws(() => guard.canActivate(contextOf("ws", [{ id: "socket" }, { data: 1 }])), /override getRequest/);
  assert.throws(() => guard.canActivate(contextOf("graphql", [undefined, {}, {}])), /override getRequest/);
  assert.throws(
    () => requireAuth(issuer.verifier).canActivate(contextOf("rpc", [undefined, undefined])),
    /override getRequest/,
  );
});

test("getRequest is for others to override: a socket's handshake", async () => {
  class SocketGuard extends AuthGuard {
    protected override getRequest(context: ExecutionContext): GuardedRequest {
      return context.getArgByIndex<{ handshake: GuardedRequest }>(0).handshake;
    }
  }
  const sockets = new SocketGuard(issuer.verifier, new Reflector());
  const handshake = headers(issuer.tokenFor(7));
  assert.equal(await sockets.canActivate(contextOf("ws", [{ handshake }, {}])), true);
  assert.throws(() => sockets.canActivate(contextOf("ws", [{ handshake: { headers: {} } }, {}])), HttpException);
});

test("a context that a test made by hand may have switchToHttp alone", async () => {
  const request = headers(issuer.tokenFor(7));
  const context = { switchToHttp: () => ({ getRequest: () => request, getResponse: () => ({}) }) };
  assert.equal(await requireAuth(issuer.verifier).canActivate(context as never), true);
});

test("a filter finds the safe message, the status and the guard's error", () => {
  const refused = () => guard.canActivate(contextOf("http", [headers("a.b.c"), { setHeader() {} }]));
  assert.throws(refused, (exception) => {
    assert.ok(exception instanceof HttpException);
    assert.deepEqual([exception.message, exception.getStatus()], ["Invalid token", 401]);
    assert.equal((exception.cause as AuthError).code, "token_invalid");
    return true;
  });
});

test("each handler's decorators are its own, however often they are asked for", async () => {
  const nobody = () => contextOf("http", [{ headers: {} }, { setHeader() {} }]);
  const open = () => contextOf("http", [{ headers: {} }, { setHeader() {} }], Pages.prototype.open);
  for (let round = 0; round < 3; round++) {
    assert.throws(() => guard.canActivate(nobody()), HttpException);
    assert.equal(await guard.canActivate(open()), true);
  }
});

/** A controller with decorators on it and on its two handlers. @returns what the guard says of each to these credentials, asked in turn. */
function decorated(onClass: readonly ClassDecorator[], onHandlers: Record<"one" | "two", readonly MethodDecorator[]>) {
  class Controlled {
    one(): void {}
    two(): void {}
  }
  for (const decorate of onClass) decorate(Controlled);
  for (const name of ["one", "two"] as const) {
    const descriptor = Object.getOwnPropertyDescriptor(Controlled.prototype, name) as PropertyDescriptor;
    for (const decorate of onHandlers[name]) decorate(Controlled.prototype, name, descriptor);
  }
  const asked = new AuthGuard(issuer.verifier, new Reflector());
  return async (name: "one" | "two", token?: string): Promise<number> => {
    const request = token === undefined ? { headers: {} } : headers(token);
    const context = { ...contextOf("http", [request, { setHeader() {} }], Controlled.prototype[name]) };
    try {
      return (await asked.canActivate({ ...context, getClass: () => Controlled } as never)) ? 200 : 403;
    } catch (error) {
      return (error as HttpException).getStatus();
    }
  };
}

const user = issuer.tokenFor(1, { roles: [] });
const boss = issuer.tokenFor(2, { roles: ["staff"] });
const staffOnly = RequireAuth({ roles: ["staff"] });

test("what is public beside a guarded handler opens nothing, whichever is asked first (the hole of one policy for both)", async () => {
  for (const order of [["one", "two"] as const, ["two", "one"] as const]) {
    const ask = decorated([staffOnly], { one: [], two: [Public()] });
    for (const name of [...order, ...order]) {
      assert.equal(await ask(name), name === "two" ? 200 : 401, `${name} after ${order}`);
      assert.equal(await ask(name, user), name === "two" ? 200 : 403);
      assert.equal(await ask(name, boss), 200);
      assert.equal(await ask(name, "garbage"), 401);
    }
  }
});

test("options that two handlers share are each judged where they stand", async () => {
  const ask = decorated([], { one: [staffOnly], two: [staffOnly, Public()] });
  for (let round = 0; round < 2; round++) {
    assert.equal(await ask("two"), 401, "what has both is not public");
    assert.equal(await ask("one"), 401);
    assert.equal(await ask("one", user), 403);
  }
});

test("what stands at a handler counts, and its controller's only where it has nothing of its own", async () => {
  const ask = decorated([Public()], { one: [staffOnly], two: [] });
  assert.deepEqual([await ask("one"), await ask("one", user), await ask("one", boss)], [401, 403, 200]);
  assert.deepEqual([await ask("two"), await ask("two", user)], [200, 200]);
});

/** An application as the documents have it, in Nest's own test module. */
async function inNest(change: (builder: TestingModuleBuilder) => TestingModuleBuilder, module: DynamicModule) {
  class Page {
    me(who: { userId?: number; subject?: string } | undefined) {
      return { id: who?.userId ?? who?.subject };
    }
  }
  const descriptor = Object.getOwnPropertyDescriptor(Page.prototype, "me") as PropertyDescriptor;
  Get("me")(Page.prototype, "me", descriptor);
  CurrentAuth()(Page.prototype, "me", 0);
  Controller()(Page);
  const providers = [AuthGuard, { provide: APP_GUARD, useExisting: AuthGuard }];
  const builder = Test.createTestingModule({ imports: [module], controllers: [Page], providers });
  const app = (await change(builder).compile()).createNestApplication({ logger: false });
  await app.listen(0, "127.0.0.1");
  const url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  const get = async (path: string, token?: string) => {
    const answer = await fetch(`${url}${path}`, token === undefined ? {} : headers(token));
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  return { app, get };
}

test("in a test the guard is given another verifier, a guard of the test's own, or the module's place is taken", async (t) => {
  const engine = await createEngine();
  const { user, tokens } = await signIn(engine, "ada");
  t.after(() => engine.auth.close());
  const module = () => AuthModule.forRoot(engine.auth, { prefix: "auth" });
  const run = async (change: Parameters<typeof inNest>[0], of = module()) => {
    const { app, get } = await inNest(change, of);
    t.after(() => app.close());
    return get;
  };
  const as = await run((builder) => builder);
  assert.deepEqual((await as("/me", tokens.accessToken)).body, { id: user.id });
  assert.equal((await as("/me")).status, 401);
  assert.equal((await as("/auth/v1/users/me", tokens.accessToken)).status, 200);

  const verifying = await run((builder) => builder.overrideProvider(AUTH_GUARD_SOURCE).useValue(issuer.verifier));
  assert.deepEqual((await verifying("/me", issuer.tokenFor(7))).body, { id: "7" });
  assert.equal((await verifying("/me", tokens.accessToken)).status, 401);
  assert.equal((await verifying("/auth/v1/users/me", tokens.accessToken)).status, 404, "a verifier has no endpoints");

  const open = await run((builder) => builder.overrideProvider(AuthGuard).useValue({ canActivate: () => true }));
  assert.equal((await open("/me")).status, 200);

  class Nothing {}
  Module({ providers: [{ provide: AUTH_GUARD_SOURCE, useValue: issuer.verifier }], exports: [AUTH_GUARD_SOURCE] })(
    Nothing,
  );
  Global()(Nothing);
  // Nest knows a dynamic module by what `forRoot` returned.
  const made = module();
  const replaced = await run((builder) => builder.overrideModule(made as never).useModule(Nothing), made);
  assert.deepEqual((await replaced("/me", issuer.tokenFor(7))).body, { id: "7" });
  assert.equal((await replaced("/auth/v1/users/me", tokens.accessToken)).status, 404);

  const later = await run(
    (builder) => builder,
    AuthModule.forRootAsync({ prefix: "/auth/", useFactory: async () => engine.auth }),
  );
  assert.deepEqual((await later("/me", tokens.accessToken)).body, { id: user.id });
  assert.equal((await later("/auth/v1/users/me", tokens.accessToken)).status, 200);
});
