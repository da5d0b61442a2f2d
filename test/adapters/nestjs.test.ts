import assert from "node:assert/strict";
import { test } from "node:test";
import { type ExecutionContext, HttpException } from "@nestjs/common";
import { Reflector } from "@nestjs/core";
import { AuthGuard, type GuardedRequest, Public, requireAuth } from "../../src/adapters/nestjs.ts";
import { createTestIssuer } from "../../src/testing/index.ts";

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

test("each handler's decorators are its own, however often they are asked for", async () => {
  const nobody = () => contextOf("http", [{ headers: {} }, { setHeader() {} }]);
  const open = () => contextOf("http", [{ headers: {} }, { setHeader() {} }], Pages.prototype.open);
  for (let round = 0; round < 3; round++) {
    assert.throws(() => guard.canActivate(nobody()), HttpException);
    assert.equal(await guard.canActivate(open()), true);
  }
});
