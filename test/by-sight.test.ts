import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { z } from "zod";
import { requireAuth } from "../src/adapters/fetch.ts";
import type { AuthOptions, Identity } from "../src/auth.ts";
import type { GuardOptions } from "../src/http/guard.ts";
import { createEngine, PASSWORD } from "./support/engine.ts";

/** An engine with a user who can sign in. */
async function createSignedIn(options: Partial<AuthOptions> | object = {}) {
  const engine = await createEngine(options);
  const { id } = await engine.auth.register({ username: "ada", email: "ada@example.com", password: PASSWORD });
  return { ...engine, userId: id, signIn: () => engine.auth.login({ username: "ada", password: PASSWORD }) };
}

/** The same, and a guard that answers with the code of the refusal, or whom it let pass. */
async function guarded(options: GuardOptions<Request> = {}, engineOptions: Partial<AuthOptions> = {}) {
  const engine = await createSignedIn(engineOptions);
  let passed: unknown;
  const guard = requireAuth(
    engine.auth,
    options,
  )((_request, who) => {
    passed = who;
    return Response.json({ code: "passed" });
  });
  async function ask(authorization: string, url = "https://api.example.com/"): Promise<string> {
    const answer = await guard(new Request(url, { headers: { authorization } }));
    return ((await answer.json()) as { code: string }).code;
  }
  return { ...engine, ask, passed: () => passed as Identity };
}

test("a credential that comes again is one identity, and nothing is asked of the store", async (t) => {
  const { auth, signIn, ask, passed, counted } = await guarded();
  t.after(() => auth.close());
  const { accessToken } = await signIn();
  assert.equal(await ask(`Bearer ${accessToken}`), "passed");
  const first = passed();
  counted();
  assert.equal(await ask(`Bearer ${accessToken}`), "passed");
  assert.equal(passed(), first);
  assert.equal(await ask(`bearer  ${accessToken}`), "passed", "however it is spelled");
  assert.equal(passed(), first);
  assert.deepEqual(counted(), { reads: 0, writes: 0 });
});

test("what is known by sight is judged by the clock each time, either way", async (t) => {
  const { auth, userId, system, signIn, ask } = await guarded();
  t.after(() => auth.close());
  const credential = `Bearer ${(await signIn()).accessToken}`;
  /** An end makes the feed be read, so that it is fresh and nobody else is asked. */
  const refreshFeed = async () => auth.sessions.end(userId, (await signIn()).sessionId);
  assert.equal(await ask(credential), "passed");
  system.jump(-60);
  await refreshFeed();
  assert.equal(await ask(credential), "token_invalid", "from the future");
  system.jump(60);
  await refreshFeed();
  assert.equal(await ask(credential), "passed");
  system.advance("15m");
  await refreshFeed();
  assert.equal(await ask(credential), "passed", "within the tolerance");
  system.advance("5s");
  assert.equal(await ask(credential), "token_expired");
});

test("a feed that is stale vouches for nobody: the store is asked (checklist 93)", async (t) => {
  const { auth, system, signIn, ask, counted } = await guarded();
  t.after(() => auth.close());
  const credential = `Bearer ${(await signIn()).accessToken}`;
  assert.equal(await ask(credential), "passed");
  counted();
  system.advance("31s");
  assert.equal(await ask(credential), "passed");
  assert.ok(counted().reads > 0);
});

test("what is known by sight is refused once its session has ended, and others are not", async (t) => {
  const { auth, userId, signIn, ask } = await guarded();
  t.after(() => auth.close());
  const [mine, other] = [await signIn(), await signIn()];
  for (let round = 0; round < 2; round++) {
    assert.equal(await ask(`Bearer ${mine.accessToken}`), "passed");
    assert.equal(await ask(`Bearer ${other.accessToken}`), "passed");
  }
  await auth.sessions.end(userId, mine.sessionId);
  for (let round = 0; round < 2; round++) {
    assert.equal(await ask(`Bearer ${mine.accessToken}`), "session_ended");
    assert.equal(await ask(`Bearer ${other.accessToken}`), "passed");
  }
});

test("a token in the URL is refused though its header is known (checklist 36)", async (t) => {
  const { auth, signIn, ask } = await guarded();
  t.after(() => auth.close());
  const { accessToken } = await signIn();
  assert.equal(await ask(`Bearer ${accessToken}`), "passed");
  assert.equal(
    await ask(`Bearer ${accessToken}`, `https://api.example.com/?access_token=${accessToken}`),
    "credentials_repeated",
  );
});

test("a header that differs anywhere from one that is known is read for itself", async (t) => {
  const { auth, signIn, ask } = await guarded();
  t.after(() => auth.close());
  const { accessToken } = await signIn();
  const credential = `Bearer ${accessToken}`;
  for (let round = 0; round < 2; round++) {
    assert.equal(await ask(credential), "passed");
    // All of them end alike, and so fall into its place.
    for (const index of [7, 20, 60, 150, credential.length - 44, credential.length - 20, credential.length - 1]) {
      const other = credential[index] === "A" ? "B" : "A";
      const forged = credential.slice(0, index) + other + credential.slice(index + 1);
      assert.equal(await ask(forged), "token_invalid", `character ${index}`);
    }
    assert.equal(await ask(`${credential}, ${credential}`), "credentials_repeated");
  }
});

test("a key that was compromised: what is known by sight is refused at once (checklist 32)", async (t) => {
  const { auth, signIn, ask } = await guarded({}, { algorithm: "ES256" });
  t.after(() => auth.close());
  const { accessToken } = await signIn();
  for (let round = 0; round < 2; round++) assert.equal(await ask(`Bearer ${accessToken}`), "passed");
  const active = (await auth.keys.list()).find(({ state }) => state === "active");
  await auth.keys.compromise(active?.kid as string);
  for (let round = 0; round < 2; round++) assert.equal(await ask(`Bearer ${accessToken}`), "token_invalid");
  assert.equal(await ask(`Bearer ${(await signIn()).accessToken}`), "passed");
});

test("where the store is asked each time nothing is known by sight, though another guard knows it", async (t) => {
  const { auth, signIn, ask, counted } = await guarded();
  t.after(() => auth.close());
  const credential = `Bearer ${(await signIn()).accessToken}`;
  const live = requireAuth(auth, { freshness: "live" })(() => new Response("passed"));
  for (let round = 0; round < 3; round++) {
    assert.equal(await ask(credential), "passed");
    counted();
    const answer = await live(new Request("https://api.example.com/", { headers: { authorization: credential } }));
    assert.equal(answer.status, 200);
    assert.equal(counted().reads, 1);
  }
});

test("a test that puts an authenticate of its own into an engine is asked, known or not", async (t) => {
  const { auth, signIn, ask } = await guarded();
  t.after(() => auth.close());
  const { accessToken } = await signIn();
  assert.equal(await ask(`Bearer ${accessToken}`), "passed");
  const refusing = mock.method(auth, "authenticate", () => {
    throw new TypeError("asked");
  });
  await assert.rejects(ask(`Bearer ${accessToken}`), /asked/);
  refusing.mock.restore();
  assert.equal(await ask(`Bearer ${accessToken}`), "passed");
});

test("an application that asks for more in authenticate is asked each time, also by guards that were made afterwards", async (t) => {
  const { auth, signIn } = await createSignedIn();
  t.after(() => auth.close());
  const { authenticate } = auth;
  const banned = new Set<number>();
  let asked = 0;
  // At once where the engine answers at once, as it does for guards.
  auth.authenticate = (token, options) => {
    asked++;
    const who = authenticate(token, options) as Identity;
    if (banned.has(who.userId)) throw new TypeError("banned");
    return who;
  };
  const guard = requireAuth(auth)((_request, { userId }) => Response.json(userId));
  const authorization = `Bearer ${(await signIn()).accessToken}`;
  const ask = () => guard(new Request("https://api.example.com/", { headers: { authorization } }));
  for (let round = 0; round < 3; round++) assert.equal((await ask()).status, 200);
  assert.equal(asked, 3);
  banned.add(1);
  await assert.rejects(ask(), /banned/);
});

test("what a handler does to the claims it is given stays with it, whatever a schema has made of them", async (t) => {
  const claims = z.object({
    roles: z.array(z.string()).readonly(),
    scopes: z.array(z.string()).transform((scopes) => new Set(scopes)),
    since: z.string().transform((text) => new Date(text)),
    deep: z.object({ list: z.array(z.object({ name: z.string() })) }).readonly(),
  });
  const given = { scopes: ["read"], since: "2026-01-01T00:00:00Z", deep: { list: [{ name: "a" }] } };
  const claimsOf = () => ({ roles: ["user"], ...given });
  const { auth, signIn } = await createSignedIn({ claims, claimsOf });
  t.after(() => auth.close());
  const authorization = `Bearer ${(await signIn()).accessToken}`;
  type Read = z.output<typeof claims>;
  const guard = requireAuth(auth)((_request, who) => {
    const { scopes, since, deep } = who.claims as unknown as Read;
    const seen = [[...scopes], since.getFullYear(), deep.list.map(({ name }) => name)];
    scopes.add("write");
    since.setTime(0);
    assert.throws(() => deep.list.push({ name: "b" }), TypeError);
    assert.throws(() => Object.assign(deep.list[0] as object, { name: "b" }), TypeError);
    return Response.json(seen);
  });
  for (let round = 0; round < 3; round++) {
    const answer = await guard(new Request("https://api.example.com/", { headers: { authorization } }));
    assert.deepEqual(await answer.json(), [["read"], 2026, ["a"]]);
  }
});

test("what passes by sight is counted as what is verified", async (t) => {
  const { auth, signIn, ask } = await guarded();
  t.after(() => auth.close());
  const { accessToken } = await signIn();
  for (let round = 0; round < 5; round++) await ask(`Bearer ${accessToken}`);
  const verifications = auth.metrics.read().find(({ name }) => name === "latchkey_verifications_total");
  assert.equal(verifications?.samples.find(({ labels }) => labels.outcome === "accepted")?.value, 5);
});
