/** What the key ring does, over any store that several instances share. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Auth, type AuthOptions, createAuth, type KeyEvent, type KeyInfo } from "../../src/auth.ts";
import { AuthError, type AuthErrorCode } from "../../src/errors.ts";
import { createKeySet, createVerifier, importKey, readJwks } from "../../src/jwt/index.ts";
import * as queries from "../../src/storage/queries.ts";
import { type Storage, sql } from "../../src/storage/storage.ts";
import { PASSWORD, TEST_SECRET } from "../support/engine.ts";
import { fakeSystem } from "../support/fake-system.ts";

const OTHER_SECRET = "ZpX4vB9nM2kL7jH5gF3dS8aQ1wE6rT0yUiOcPqVbNtRmYxW";
/** Seconds from publishing a key to its first signature, by default. */
const LEAD = "15m";

const refused = (code: AuthErrorCode) => (error: unknown) => {
  assert.ok(error instanceof AuthError, String(error));
  assert.equal(error.code, code, error.reason);
  return true;
};

const kidOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[0] as string, "base64url").toString()).kid;
const statesOf = (keys: readonly KeyInfo[]) => keys.map(({ alg, state }) => `${alg} ${state}`).sort();
const inState = (keys: readonly KeyInfo[], state: KeyInfo["state"]) =>
  keys.find((key) => key.state === state) as KeyInfo;
const kidsOf = (auth: Auth) => auth.keys.jwks().keys.map(({ kid }) => kid as string);

/** Runs the suite; `open` makes an empty database and gives what opens it, as often as there are instances. */
export function keyContract(name: string, open: () => Promise<() => Storage>): void {
  describe(`the key ring over a store on ${name}`, () => {
    async function withStore(
      body: (world: {
        readonly system: ReturnType<typeof fakeSystem>;
        readonly events: KeyEvent[];
        start(options?: Partial<AuthOptions>): Promise<Auth>;
        openStore(): Promise<Storage>;
      }) => Promise<void>,
    ) {
      const openStorage = await open();
      const system = fakeSystem();
      const events: KeyEvent[] = [];
      const closing: (() => Promise<void>)[] = [];
      try {
        await body({
          system,
          events,
          async start(options = {}) {
            const storage = openStorage();
            closing.push(() => storage.close());
            const auth = await createAuth({
              secret: TEST_SECRET,
              system,
              algorithm: "ES256",
              onEvent: (event) => void (event.type.startsWith("key_") && events.push(event as KeyEvent)),
              ...options,
              storage,
            });
            closing.unshift(() => auth.close());
            return auth;
          },
          async openStore() {
            const storage = openStorage();
            await storage.migrate();
            closing.push(() => storage.close());
            return storage;
          },
        });
      } finally {
        for (const close of closing) await close();
      }
    }

    async function signIn(auth: Auth, username = "ada") {
      const user = await auth.register({ username, email: `${username}@example.com`, password: PASSWORD });
      return auth.sessions.start(user.id);
    }

    /** By polling, as an instance learns of anything. */
    async function until(condition: () => boolean | Promise<boolean>, what: string) {
      const start = performance.now();
      while (!(await condition())) {
        assert.ok(performance.now() - start < 5000, `never: ${what}`);
        await sleep(10);
      }
    }

    test("a new store has a key that signs and the next one, both published, and any verifier of the JWKS takes the tokens (checklist 33)", () =>
      withStore(async ({ start, system }) => {
        const auth = await start();
        const keys = await auth.keys.list();
        assert.deepEqual(statesOf(keys), ["ES256 active", "ES256 next"]);
        const { accessToken } = await signIn(auth);
        assert.equal(kidOf(accessToken), inState(keys, "active").kid);
        assert.equal(auth.keys.jwks().keys.length, 2);
        for (const jwk of auth.keys.jwks().keys) {
          assert.deepEqual(Object.keys(jwk).sort(), ["alg", "crv", "kid", "kty", "use", "x", "y"]);
        }
        const verifier = createVerifier({
          keys: createKeySet(readJwks(auth.keys.jwks(), ["ES256"])),
          issuer: "latchkey",
          audience: "latchkey",
          system,
        });
        assert.equal(verifier.verify(accessToken).sub, "1");
      }));

    test("a key is published for as long as a JWKS is kept before it signs, and verifies until its last token is dead (checklist 32)", () =>
      withStore(async ({ start, system }) => {
        const auth = await start();
        const [first, second] = [inState(await auth.keys.list(), "active"), inState(await auth.keys.list(), "next")];
        await assert.rejects(auth.keys.rotate(), refused("busy"));
        system.advance("14m");
        await assert.rejects(auth.keys.rotate(), refused("busy"));
        system.advance("1m");
        const { accessToken } = await signIn(auth);
        assert.equal((await auth.keys.rotate()).kid, second.kid);
        assert.deepEqual(statesOf(await auth.keys.list()), ["ES256 active", "ES256 next", "ES256 retiring"]);
        assert.equal(kidOf((await signIn(auth, "bob")).accessToken), second.kid);
        assert.equal((await auth.authenticate(accessToken)).userId, 1);
        assert.ok(kidsOf(auth).includes(first.kid));
        system.advance("14m");
        assert.equal((await auth.authenticate(accessToken)).userId, 1);
        system.advance("50m");
        await until(async () => inState(await auth.keys.list(), "retired")?.kid === first.kid, "the key is retired");
        assert.ok(!kidsOf(auth).includes(first.kid));
        await assert.rejects(async () => auth.authenticate(accessToken), refused("token_invalid"));
      }));

    test("the schedule rotates, and of instances that notice at once one does", () =>
      withStore(async ({ start, system }) => {
        const instances = await Promise.all([start(), start(), start()]);
        const auth = instances[0] as Auth;
        const before = await auth.keys.list();
        assert.deepEqual(statesOf(before), ["ES256 active", "ES256 next"], "starting at once, too, one made them");
        system.advance("30d");
        // Each reads, finds the rotation due, and begins.
        await Promise.all(instances.map((instance) => instance.explain("x")));
        await until(
          async () => inState(await auth.keys.list(), "active").kid === inState(before, "next").kid,
          "the next key signs",
        );
        await Promise.all(instances.map((instance) => instance.keys.list()));
        assert.deepEqual(statesOf(await auth.keys.list()), ["ES256 active", "ES256 next", "ES256 retiring"]);
        for (const instance of instances) assert.deepEqual(kidsOf(instance).sort(), kidsOf(auth).sort());
      }));

    test("two instances told to rotate at the same moment rotate once", () =>
      withStore(async ({ start, system }) => {
        const [one, two] = await Promise.all([start(), start()]);
        system.advance(LEAD);
        const next = inState(await one.keys.list(), "next").kid;
        await two.keys.list();
        const answers = await Promise.all([one.keys.rotate(), two.keys.rotate(), one.keys.rotate()]);
        assert.deepEqual(new Set(answers.map(({ kid }) => kid)), new Set([next]));
        assert.equal((await one.keys.list()).length, 3);
      }));

    test("an instance that dies with the lease holds nobody up for longer than half a minute, and commits nothing late", () =>
      withStore(async ({ start, system, openStore }) => {
        const auth = await start();
        const storage = await openStore();
        system.advance(LEAD);
        const now = system.now();
        const [[ring]] = (await storage.write([queries.takeKeyLease("dead", now, now + 30)])) as [
          [{ version: number }],
        ];
        const before = await auth.keys.list();
        const rotation = auth.keys.rotate();
        await sleep(150);
        assert.deepEqual(await auth.keys.list(), before, "it waits for the lease");
        system.advance("31s");
        assert.equal((await rotation).kid, inState(before, "next").kid);
        const late = [
          queries.changeKeyRing(ring.version, "dead"),
          queries.closeKey((await rotation).kid, "retired", null, now),
        ];
        assert.equal(await storage.write(late), undefined);
        assert.equal(inState(await auth.keys.list(), "active").kid, (await rotation).kid);
      }));

    test("an instance that is closed in the middle of a rotation takes no lease along", () =>
      withStore(async ({ start, openStore }) => {
        const storage = await openStore();
        for (let turns = 0; turns < 12; turns++) {
          const auth = await start();
          const rotations = Promise.allSettled([1, 2].map(() => auth.keys.rotate({ ignoringLead: true })));
          for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
          await auth.close();
          await rotations;
          const now = 1_800_000_000;
          const taken = await storage.write([queries.takeKeyLease("next", now, now + 1)]);
          assert.notEqual(taken, undefined, `closed after ${turns} turns`);
          await storage.write([queries.dropKeyLease("next")]);
        }
      }));

    test("a change that dies half way leaves the ring as it was", () =>
      withStore(async ({ start, openStore }) => {
        const auth = await start();
        const storage = await openStore();
        const before = await auth.keys.list();
        const now = 1_800_000_000;
        const [[ring]] = (await storage.write([queries.takeKeyLease("dead", now, now + 1)])) as [[{ version: number }]];
        const written = storage.write([
          queries.changeKeyRing(ring.version, "dead"),
          queries.retireKey(inState(before, "active").kid, now, now + 60, null),
          queries.activateKey("no such key", now),
        ]);
        assert.equal(await written, undefined);
        assert.deepEqual(await auth.keys.list(), before);
        assert.equal(typeof (await signIn(auth)).accessToken, "string");
      }));

    test("a compromised key is refused at once by every instance, the next one signs, and sessions carry on", () =>
      withStore(async ({ start, events }) => {
        const [one, two] = await Promise.all([start(), start()]);
        const { accessToken, refreshToken } = await signIn(one);
        assert.equal((await two.authenticate(accessToken)).userId, 1);
        const before = await one.keys.list();
        const { kid } = await one.keys.compromise(inState(before, "active").kid, "a backup was stolen");
        assert.equal(kid, inState(before, "next").kid, "it was published already, so everyone knows it");
        await assert.rejects(async () => one.authenticate(accessToken), refused("token_invalid"));
        const start2 = performance.now();
        for (;;) {
          try {
            await two.authenticate(accessToken);
          } catch (error) {
            refused("token_invalid")(error);
            break;
          }
          assert.ok(performance.now() - start2 < 3000);
          await sleep(5);
        }
        for (const auth of [one, two]) assert.ok(!kidsOf(auth).includes(inState(before, "active").kid));
        const refreshed = await two.refresh(refreshToken);
        assert.equal((await one.authenticate(refreshed.accessToken)).userId, 1);
        assert.deepEqual(statesOf(await two.keys.list()), ["ES256 active", "ES256 compromised", "ES256 next"]);
        assert.equal(inState(await two.keys.list(), "compromised").note, "a backup was stolen");
        assert.ok(events.some((event) => event.type === "key_compromised"));
        await assert.rejects(one.keys.compromise("nobody"), refused("not_found"));
      }));

    test("a token that is watched ends with its key", () =>
      withStore(async ({ start }) => {
        const [one, two] = await Promise.all([start(), start()]);
        const { accessToken } = await signIn(one);
        const signal = two.watch(accessToken);
        assert.equal(signal.aborted, false);
        const ended = new Promise((resolve) => signal.addEventListener("abort", resolve));
        await one.keys.compromise(inState(await one.keys.list(), "active").kid);
        await ended;
        refused("token_invalid")(signal.reason);
      }));

    test("the next key and a retiring key can be compromised, too", () =>
      withStore(async ({ start, system }) => {
        const auth = await start();
        const { accessToken } = await signIn(auth);
        const [first, second] = [inState(await auth.keys.list(), "active"), inState(await auth.keys.list(), "next")];
        assert.equal((await auth.keys.compromise(second.kid)).kid, first.kid);
        assert.equal((await auth.authenticate(accessToken)).userId, 1);
        system.advance(LEAD);
        const third = await auth.keys.rotate();
        assert.notEqual(third.kid, second.kid);
        const again = await auth.refresh((await auth.sessions.start(1)).refreshToken);
        assert.equal((await auth.keys.compromise(first.kid)).kid, third.kid);
        assert.equal((await auth.authenticate(again.accessToken)).userId, 1);
        await assert.rejects(async () => auth.authenticate(accessToken), refused("token_invalid"));
      }));

    test("a token by a key that this instance has not heard of waits for a look, and strangers cannot make it look often", () =>
      withStore(async ({ start, system }) => {
        const [one, two] = await Promise.all([start(), start()]);
        system.advance(LEAD);
        await one.keys.rotate({ ignoringLead: true });
        await one.keys.rotate({ ignoringLead: true });
        const { accessToken } = await signIn(one);
        assert.equal((await two.authenticate(accessToken, { freshness: "token" })).userId, 1);

        const forged = accessToken.replace(/^[^.]+/, (header) => {
          const changed = { ...JSON.parse(Buffer.from(header, "base64url").toString()), kid: "unknown" };
          return Buffer.from(JSON.stringify(changed)).toString("base64url");
        });
        const began = performance.now();
        for (let i = 0; i < 3; i++) {
          const guesses = Array.from({ length: 100 }, async () => two.authenticate(forged));
          for (const { status } of await Promise.allSettled(guesses)) assert.equal(status, "rejected");
        }
        assert.ok(performance.now() - began > 350, "300 guesses were three looks or more, 200 ms apart");
      }));

    test("an instance that can open none of the keys that are left takes no token, signs none, and says that it is not the token", () =>
      withStore(async ({ start }) => {
        const both = [
          { number: 2, secret: OTHER_SECRET },
          { number: 1, secret: TEST_SECRET },
        ];
        const old = await start({ rootSecret: TEST_SECRET });
        const { accessToken, refreshToken } = await signIn(old);
        const newer = await start({ rootSecret: both });
        for (const state of ["active", "next", "next"] as const) {
          await newer.keys.compromise(inState(await newer.keys.list(), state).kid);
        }
        await newer.keys.compromise(inState(await newer.keys.list(), "active").kid);
        const fresh = await newer.sessions.start(1);
        await old.keys.list();
        await assert.rejects(async () => old.authenticate(accessToken), refused("token_invalid"));
        await assert.rejects(async () => old.authenticate(fresh.accessToken), refused("secret_unknown"));
        await assert.rejects(old.refresh(refreshToken), refused("secret_unknown"));
        assert.deepEqual(old.keys.jwks(), { keys: [] });
        assert.equal((await newer.refresh(refreshToken)).generation, 1);
      }));

    test("private keys are sealed: nothing in the store signs, and the JWKS has public members only (checklist 33)", () =>
      withStore(async ({ start, openStore }) => {
        const auth = await start();
        const storage = await openStore();
        const rows = await storage.read(sql`select sealed from latchkey_keys`);
        assert.equal(rows.length, 2);
        const text = JSON.stringify(rows);
        for (const { x } of auth.keys.jwks().keys) assert.ok(!text.includes(x as string));
        // In quotes: what is sealed is random, and three letters in a row come by chance.
        assert.doesNotMatch(text, /"kty\\?"/);
        assert.ok(!JSON.stringify(auth.keys.jwks()).includes('"d"'));
      }));

    test("a row that is put in another's place, or damaged, is no key: the ring gives it up and goes on", () =>
      withStore(async ({ start, openStore, events }) => {
        const first = await start();
        const { refreshToken } = await signIn(first);
        await first.close();
        const storage = await openStore();
        const [active, next] = [
          (await storage.read(sql`select kid, sealed from latchkey_keys where state = 'active'`))[0],
          (await storage.read(sql`select kid, sealed from latchkey_keys where state = 'next'`))[0],
        ];
        await storage.write([
          sql`update latchkey_keys set sealed = ${next?.sealed as string} where kid = ${active?.kid as string}`,
          sql`update latchkey_key_ring set version = version + 1`,
        ]);
        const auth = await start();
        assert.ok(events.some((event) => event.type === "key_unreadable" && /damaged/.test(event.problem)));
        assert.equal(inState(await auth.keys.list(), "active").kid, next?.kid);
        assert.match(inState(await auth.keys.list(), "retired").note ?? "", /damaged/);
        const { accessToken } = await auth.refresh(refreshToken);
        assert.equal((await auth.authenticate(accessToken)).userId, 1);
      }));

    test("another root secret is refused at the start, in a sentence that says what to do; the store is as it was", () =>
      withStore(async ({ start, openStore }) => {
        const before = await (await start()).keys.list();
        const storage = await openStore();
        await assert.rejects(start({ rootSecret: OTHER_SECRET }), (error: Error) => {
          assert.ok(error instanceof TypeError);
          assert.match(
            error.message,
            /^the store's key \S+ was sealed under another root secret \(number 1\): give LATCHKEY_ROOT_SECRET/,
          );
          assert.ok(!error.message.includes(OTHER_SECRET));
          return true;
        });
        assert.equal((await storage.read(queries.keys())).length, before.length);
        assert.deepEqual(await (await start()).keys.list(), before);
      }));

    test("a key that a newer release has sealed is left alone, and the start says so", () =>
      withStore(async ({ start, openStore }) => {
        await (await start()).close();
        const storage = await openStore();
        await storage.write([
          sql`update latchkey_keys set sealed = '2' || substr(sealed, 2) where state = 'next'`,
          sql`update latchkey_key_ring set version = version + 1`,
        ]);
        const before = await storage.read(queries.keys());
        await assert.rejects(
          start(),
          /^TypeError: the store's key \S+ was sealed by a newer Latchkey: run that release\.$/,
        );
        assert.deepEqual(await storage.read(queries.keys()), before);
      }));

    test("secrets change under the keys: sealed anew under the newer one, after which the older may go", () =>
      withStore(async ({ start }) => {
        const first = await start();
        const { accessToken, refreshToken } = await signIn(first);
        const both = [
          { number: 2, secret: OTHER_SECRET },
          { number: 1, secret: TEST_SECRET },
        ];
        const second = await start({ secret: both });
        assert.equal((await second.authenticate(accessToken)).userId, 1);
        const tokens = await second.refresh(refreshToken);
        const third = await start({ secret: [{ number: 2, secret: OTHER_SECRET }] });
        assert.equal((await third.authenticate(accessToken)).userId, 1);
        assert.equal((await third.authenticate(tokens.accessToken)).userId, 1);
        assert.equal((await third.refresh(tokens.refreshToken)).sessionId, tokens.sessionId);
        // The one that was there all the time goes on with the keys that it holds.
        assert.equal(kidOf((await signIn(first, "bob")).accessToken), inState(await first.keys.list(), "active").kid);
      }));
  });

  describe(`changes of algorithm over a store on ${name}`, () => {
    async function withStarter(body: (start: Starter, system: ReturnType<typeof fakeSystem>) => Promise<void>) {
      const openStorage = await open();
      const system = fakeSystem();
      const started: Auth[] = [];
      try {
        await body(async (options) => {
          const auth = await createAuth({ secret: TEST_SECRET, system, ...options, storage: openStorage() });
          started.push(auth);
          return auth;
        }, system);
      } finally {
        for (const auth of started) await auth.close();
      }
    }
    type Starter = (options: Partial<AuthOptions>) => Promise<Auth>;

    const register = async (auth: Auth) => {
      const user = await auth.register({ username: "ada", email: "ada@example.com", password: PASSWORD });
      return auth.sessions.start(user.id);
    };

    test("HS256: the secret is the key, as it was; nothing is published, and a token without kid is taken", () =>
      withStarter(async (start, system) => {
        const auth = await start({});
        const { accessToken } = await register(auth);
        assert.equal(kidOf(accessToken), "HS256");
        assert.deepEqual(auth.keys.jwks(), { keys: [] });
        assert.deepEqual(statesOf(await auth.keys.list()), ["HS256 active"]);
        system.advance("400d");
        assert.deepEqual(statesOf(await auth.keys.list()), ["HS256 active"]);
        await assert.rejects(auth.keys.rotate(), refused("input_invalid"));
        await assert.rejects(auth.keys.compromise("HS256"), refused("input_invalid"));
        const verifier = createVerifier({
          keys: createKeySet([importKey(TEST_SECRET, { alg: "HS256" })]),
          issuer: "latchkey",
          audience: "latchkey",
          system,
        });
        assert.equal(verifier.verify((await auth.sessions.start(1)).accessToken).sub, "1");
      }));

    test("HS256 to ES256: published first, then signing, and the secret verifies until its last token is dead", () =>
      withStarter(async (start, system) => {
        const old = await start({ algorithm: "HS256" });
        const { accessToken } = await register(old);
        const auth = await start({ algorithm: "ES256" });
        assert.deepEqual(statesOf(await auth.keys.list()), ["ES256 next", "HS256 active"]);
        assert.equal(kidOf((await auth.sessions.start(1)).accessToken), "HS256");
        assert.equal(auth.keys.jwks().keys.length, 1, "published");
        system.advance("14m");
        const last = (await old.sessions.start(1)).accessToken;
        system.advance("3m");
        await auth.explain("x");
        await untilState(auth, "retiring");
        // Every instance signs as the ring says, whatever it was started with.
        await old.keys.list();
        const newer = (await old.sessions.start(1)).accessToken;
        assert.notEqual(kidOf(newer), "HS256");
        for (const instance of [old, auth]) {
          await assert.rejects(async () => instance.authenticate(accessToken), refused("token_expired"));
          for (const token of [last, newer]) assert.equal((await instance.authenticate(token)).userId, 1);
        }
        system.advance("65m");
        await auth.explain("x");
        await untilState(auth, "retired");
        await assert.rejects(async () => auth.authenticate(last), refused("token_invalid"));
        assert.deepEqual(statesOf(await auth.keys.list()), ["ES256 active", "ES256 next", "HS256 retired"]);

        const back = await start({ algorithm: "HS256" });
        assert.equal(kidOf((await back.sessions.start(1)).accessToken), "HS256");
        await auth.keys.list();
        const token = (await auth.sessions.start(1)).accessToken;
        assert.equal(kidOf(token), "HS256");
        assert.equal((await auth.authenticate(token)).userId, 1);
      }));

    async function untilState(auth: Auth, state: KeyInfo["state"]) {
      const start = performance.now();
      while (!inState(await auth.keys.list(), state)) {
        assert.ok(performance.now() - start < 5000, `no key became ${state}`);
        await sleep(10);
      }
    }

    test("an engine without an algorithm of its own takes the store's; another pair algorithm is prepared like the first", () =>
      withStarter(async (start, system) => {
        await start({ algorithm: "ES256" });
        const auth = await start({});
        assert.deepEqual(statesOf(await auth.keys.list()), ["ES256 active", "ES256 next"]);
        const { accessToken } = await register(auth);
        const newer = await start({ algorithm: "EdDSA" });
        assert.deepEqual(statesOf(await newer.keys.list()), ["ES256 active", "ES256 retired", "EdDSA next"]);
        system.advance(LEAD);
        assert.equal((await newer.keys.rotate()).alg, "EdDSA");
        await auth.keys.list();
        const token = (await auth.sessions.start(1)).accessToken;
        assert.equal((await auth.authenticate(token)).userId, 1);
        assert.equal((await newer.authenticate(token)).userId, 1);
        assert.equal((await newer.authenticate(accessToken)).userId, 1);
      }));

    test("a new secret for HS256 signs nobody out: two are accepted, then the older is left out", () =>
      withStarter(async (start) => {
        const first = await start({});
        const old = await register(first);
        const second = await start({
          secret: [
            { number: 2, secret: OTHER_SECRET },
            { number: 1, secret: TEST_SECRET },
          ],
        });
        assert.equal((await second.authenticate(old.accessToken)).userId, 1);
        const tokens = await second.refresh(old.refreshToken);
        assert.equal(kidOf(tokens.accessToken), "HS256.2");
        // An instance that has not got the new secret yet has no verdict on it, and signs with its own.
        await first.keys.list();
        await assert.rejects(async () => first.authenticate(tokens.accessToken), refused("secret_unknown"));
        const own = await first.sessions.start(1);
        assert.equal(kidOf(own.accessToken), "HS256");
        assert.equal((await second.authenticate(own.accessToken)).userId, 1);

        const third = await start({ secret: [{ number: 2, secret: OTHER_SECRET }] });
        assert.equal((await third.authenticate(tokens.accessToken)).userId, 1);
        await assert.rejects(async () => third.authenticate(old.accessToken), refused("secret_unknown"));
        assert.equal((await third.refresh(tokens.refreshToken)).sessionId, tokens.sessionId);
      }));
  });
}
