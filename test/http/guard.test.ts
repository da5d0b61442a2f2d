import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { requireAuth as requireAuthOnNode } from "../../src/adapters/node.ts";
import { createGuard, type GuardOptions, type RequestReader } from "../../src/http/guard.ts";
import { createTestIssuer } from "../../src/testing/index.ts";

const issuer = createTestIssuer();
type Sent = { readonly authorization?: string };
const READER: RequestReader<Sent> = {
  authorization: ({ authorization }) => authorization,
  url: () => "/",
  head: ({ authorization }) => ({
    method: "GET",
    host: "a",
    header: (name) => (name === "authorization" ? authorization : undefined),
  }),
};
const guardOf = (options: GuardOptions<Sent>) => createGuard<Sent>(issuer.verifier, READER, options);
const outcome = async (judge: () => unknown): Promise<unknown> => {
  try {
    return await judge();
  } catch (error) {
    return (error as { code?: string }).code ?? error;
  }
};

test("an option with a letter wrong is refused and lets nobody in", () => {
  assert.throws(
    () => guardOf({ role: ["staff"], optional: false } as never),
    /no option "role": there are claims, roles/,
  );
  for (const claims of [null, [], "pro", { plan: undefined }, { plan: null }, { plan: { is: "pro" } }]) {
    assert.throws(() => guardOf({ claims } as never), /claims must be a plain object of names/, JSON.stringify(claims));
  }
});

test("a policy that asks for nothing, since it is no table of claims, is a mistake and no open door", async () => {
  class Policy {
    get plan() {
      return "pro";
    }
  }
  const asked = [{}, Promise.resolve({ plan: "pro" }), new Map([["plan", "pro"]]), new URLSearchParams("plan=pro")];
  for (const claims of [...asked, Object.create({ plan: "pro" }), new Policy(), new Date(), [["plan", "pro"]]]) {
    assert.throws(() => guardOf({ claims } as never), /claims must be a plain object/);
  }
  const claims = { plan: "pro" };
  const guard = guardOf({ claims });
  claims.plan = "free";
  const authorization = `Bearer ${issuer.tokenFor(1, { plan: "free" })}`;
  assert.equal(await outcome(() => guard({ authorization })), "insufficient_scope", "what was asked for stays so");
  const bare = Object.assign(Object.create(null), { plan: "free" });
  assert.notEqual(await outcome(() => guardOf({ claims: bare })({ authorization })), "insufficient_scope");
});

test("a value that is not what it looks like is refused: every text is true", () => {
  for (const options of [{ optional: "false" }, { optional: 1 }, { cookies: "no" }]) {
    assert.throws(() => guardOf(options as never), /must be true or false/, JSON.stringify(options));
  }
  for (const freshness of ["alive", "", null, 30]) {
    assert.throws(() => guardOf({ freshness } as never), /freshness must be "token", "feed" or "live"/);
  }
  for (const authenticators of [() => undefined, [undefined], "session"]) {
    assert.throws(() => guardOf({ authenticators } as never), /authenticators must be an array of functions/);
  }
  guardOf({ optional: undefined, cookies: undefined, freshness: undefined, authenticators: undefined } as never);
});

test("what is no source says so, a promise what to write", () => {
  const promised = Promise.resolve(issuer.verifier);
  assert.throws(() => createGuard(promised as never, READER), /a promise: write await createAuth/);
  for (const nothing of [undefined, null, "auth", () => issuer.verifier]) {
    assert.throws(() => createGuard(nothing as never, READER), /takes an engine \(createAuth\) or a verifier/);
  }
});

test("roles and claims are asked of what an authenticator finds, too", async () => {
  const found = (who: unknown) => guardOf({ roles: ["staff"], authenticators: [() => who] })({});
  assert.equal(await outcome(() => found({ userId: 7 })), "insufficient_scope");
  assert.equal(await outcome(() => found({ userId: 7, claims: { roles: ["guest"] } })), "insufficient_scope");
  const boss = { userId: 7, claims: { roles: ["staff"] } };
  assert.equal(await outcome(() => found(boss)), boss);
});

test("an authenticator that finds nothing says so by whatever is falsy: `key === KEY && user` lets nobody in", async () => {
  for (const nothing of [undefined, null, false, "", 0, Number.NaN, Promise.resolve(false)]) {
    assert.equal(await outcome(() => guardOf({ authenticators: [() => nothing] })({})), "credentials_missing");
    const next = guardOf({ authenticators: [() => nothing, () => "the next one"] });
    assert.equal(await outcome(() => next({})), "the next one");
  }
});

test("a program that replaces the global Promise, as zone.js does, lets nobody in", async () => {
  const native = globalThis.Promise;
  const guard = guardOf({ authenticators: [async () => undefined] });
  globalThis.Promise = class extends Promise<unknown> {} as PromiseConstructor;
  let given: unknown;
  try {
    const server = requireAuthOnNode(issuer.verifier, { authenticators: [async () => undefined] });
    let reached = false;
    const answered = { writeHead: () => answered, end: () => answered };
    server(() => {
      reached = true;
    })({ headers: {}, rawHeaders: [], url: "/" } as never, answered as never);
    given = guard({});
    assert.equal(reached, false);
  } finally {
    globalThis.Promise = native;
  }
  assert.equal(await outcome(() => given), "credentials_missing");
});

test("node:http: an authenticator that fails is 500, and the process goes on", async (t) => {
  const warnings: unknown[] = [];
  const heard = (warning: unknown) => warnings.push(warning);
  process.on("warning", heard);
  t.after(() => process.off("warning", heard));
  const failing = requireAuthOnNode(issuer.verifier, {
    authenticators: [
      () => {
        throw new TypeError("the session store is gone");
      },
    ],
  })((_request, response) => response.end("in"));
  const claims = requireAuthOnNode(issuer.verifier, {
    claims: () => {
      throw new TypeError("a mistake");
    },
  })((_request, response) => response.end("in"));
  const server = createServer((request, response) => (request.url === "/a" ? failing : claims)(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const authorization = `Bearer ${issuer.tokenFor(1)}`;
  for (const answer of [await fetch(`${url}/a`), await fetch(`${url}/b`, { headers: { authorization } })]) {
    assert.equal(answer.status, 500);
    assert.equal(((await answer.json()) as { code: string }).code, "internal");
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(warnings.map(String), ["TypeError: the session store is gone", "TypeError: a mistake"]);
});
