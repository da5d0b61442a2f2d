/** The application's claims, held to one schema when they are issued and when they are read. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { z } from "zod";
import { type Auth, type AuthOptions, createAuth } from "../src/auth.ts";
import type { StandardSchema } from "../src/jwt/index.ts";
import { openSqlite } from "../src/storage/sqlite.ts";
import type { Storage } from "../src/storage/storage.ts";
import { PASSWORD, TEST_SECRET } from "./support/engine.ts";
import { fakeSystem } from "./support/fake-system.ts";

/** Strict: it would refuse any claim that is not the application's. */
const Plan = z.strictObject({
  plan: z.enum(["free", "pro"]),
  level: z.number().default(1),
  since: z.iso.datetime().transform((text) => new Date(text)),
});
const CLAIMS = { plan: "pro", since: "2026-01-01T00:00:00.000Z" } as const;
const system = fakeSystem();

/** Several engines may share a store; closing one closes it. */
async function start<Output extends object>(
  t: TestContext,
  claims: StandardSchema<Output>,
  claimsOf: (user: { username: string }) => unknown = () => CLAIMS,
  storage: Storage = openSqlite(":memory:"),
) {
  t.after(() => storage.close());
  return createAuth({ secret: TEST_SECRET, storage, system, claims, claimsOf: claimsOf as () => never });
}

async function tokenOf(auth: Pick<Auth, "register" | "login">, username = "ada") {
  await auth.register({ username, email: `${username}@example.com`, password: PASSWORD });
  return auth.login({ username, password: PASSWORD });
}

test("what the schema makes of the claims is what a guard finds, and the token holds what was given", async (t) => {
  const auth = await start(t, Plan);
  const { accessToken } = await tokenOf(auth);
  const { claims, userId } = await auth.authenticate(accessToken);
  assert.deepEqual([claims.plan, claims.level, claims.since, userId], ["pro", 1, new Date(CLAIMS.since), 1]);
  const raw = JSON.parse(Buffer.from(accessToken.split(".")[1] ?? "", "base64url").toString());
  assert.deepEqual([raw.plan, raw.level, raw.since], ["pro", undefined, CLAIMS.since]);
  const refreshed = await auth.refresh((await auth.login({ username: "ada", password: PASSWORD })).refreshToken);
  assert.equal((await auth.authenticate(refreshed.accessToken)).claims.plan, "pro");
});

test("claims that do not fit are never signed, and the error says where", async (t) => {
  for (const [given, message] of [
    [{ ...CLAIMS, plan: "gold" }, /claimsOf gave claims that do not fit the schema, at "plan": /],
    [{ plan: "pro" }, /at "since"/],
    [{ ...CLAIMS, extra: 1 }, /do not fit the schema/],
    [{ ...CLAIMS, level: Number.NaN }, /at "level"/],
    [{ ...CLAIMS, sub: "2" }, /may not set the claim "sub"/],
    [{ ...CLAIMS, sid: "2" }, /may not set the claim "sid"/],
    [undefined, /claimsOf has to give an object/],
  ] as const) {
    const auth = await start(t, Plan, () => given);
    await assert.rejects(tokenOf(auth), { name: "TypeError", message }, String(message));
  }
});

test("a token whose claims fit no more is refused, and a refresh makes it good", async (t) => {
  const storage = openSqlite(":memory:");
  const before = await start(t, z.object({ plan: z.string() }), () => ({ plan: "trial" }), storage);
  const tokens = await tokenOf(before);
  const after = await start(t, z.object({ plan: z.enum(["free", "pro"]) }), () => ({ plan: "free" }), storage);
  await assert.rejects(async () => after.authenticate(tokens.accessToken), {
    code: "token_invalid",
    reason: 'the claims do not fit the schema: at "plan"',
  });
  const { accessToken } = await after.refresh(tokens.refreshToken);
  assert.equal((await after.authenticate(accessToken)).claims.plan, "free");
});

test("a schema sees the application's claims alone and sets no others", async (t) => {
  const seen: unknown[] = [];
  const schema: StandardSchema<{ plan: string }> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate(value) {
        seen.push(value);
        return { value: { plan: "free", sub: "99", sid: "99", epoch: 99, exp: 9e9 } };
      },
    },
  };
  const auth = await start(t, schema, () => ({ plan: "pro" }));
  const identity = await auth.authenticate((await tokenOf(auth)).accessToken);
  assert.deepEqual(seen, [{ plan: "pro" }, { plan: "pro" }]);
  assert.deepEqual([identity.userId, identity.claims.sub, identity.claims.epoch], [1, "1", 0]);
  assert.notEqual(identity.sessionId, "99");
});

test("a schema that answers later is refused at the first token, not at every guard", async (t) => {
  const later = z.object({ plan: z.string().refine(async () => true) });
  const schema: StandardSchema<object> = {
    "~standard": { version: 1, vendor: "test", validate: async (value) => ({ value: value as object }) },
  };
  await assert.rejects(tokenOf(await start(t, schema)), { name: "TypeError", message: /asynchronous/ });
  await assert.rejects(tokenOf(await start(t, later)), { name: "TypeError", message: /asynchronous/ });
});

test("bytes, and a structure that holds itself, may come out of a schema", async (t) => {
  const odd: StandardSchema<{ bytes: Uint8Array; self: object }> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate() {
        const self: Record<string, unknown> = {};
        self.self = self;
        return { value: { bytes: Buffer.from("ab"), self } };
      },
    },
  };
  const auth = await start(t, odd);
  const { claims } = await auth.authenticate((await tokenOf(auth)).accessToken);
  assert.deepEqual([...claims.bytes], [0x61, 0x62]);
});

test("half of the two options is told apart from the other half", async (t) => {
  const storage = openSqlite(":memory:");
  t.after(() => storage.close());
  const create = (options: object) => createAuth({ secret: TEST_SECRET, storage, ...options } as AuthOptions);
  await assert.rejects(create({ claims: Plan }), { name: "TypeError", message: /claimsOf has to say/ });
  await assert.rejects(create({ claimsOf: () => CLAIMS }), { name: "TypeError", message: /goes with a schema/ });
  await assert.rejects(create({ claims: { plan: "pro" } }), { name: "TypeError", message: /Standard Schema/ });
  // As some libraries make them: a function with the property.
  const callable = Object.assign(() => undefined, { "~standard": Plan["~standard"] });
  await create({ claims: callable, claimsOf: () => CLAIMS });
});
