/** What sessions do, over any store. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type HashEvent,
  type KeyEvent,
  type SessionEvent,
  type TokenDialect,
  type TokenFault,
  TokenRefusal,
} from "../../src/auth.ts";
import { AuthError, type AuthErrorCode } from "../../src/errors.ts";
import {
  allowUnscopedTokensOf,
  createKeySet,
  createSigner,
  importKey,
  NO_AUDIENCE,
  NO_ISSUER,
} from "../../src/jwt/index.ts";
import { type Storage, sql } from "../../src/storage/storage.ts";
import { createEngine, type Engine, PASSWORD, signIn, TEST_SECRET } from "../support/engine.ts";

const ATTEMPT = "attempt-0123456789abcdef";
const OTHER_ATTEMPT = "attempt-fedcba9876543210";

const refused = (code: AuthErrorCode) => (error: unknown) => {
  assert.ok(error instanceof AuthError, String(error));
  assert.equal(error.code, code, error.reason);
  return true;
};

/** Runs the suite over a store; `open` gives an empty one. */
export function sessionContract(name: string, open: () => Promise<Storage>): void {
  async function withEngine(options: Parameters<typeof createEngine>[0], body: (engine: Engine) => Promise<void>) {
    const engine = await createEngine({ storage: await open(), ...options });
    try {
      await body(engine);
    } finally {
      await engine.auth.close();
    }
  }

  describe(`the refresh rule over a store on ${name}`, () => {
    test("of many concurrent refreshes exactly one advances, and all get the same successor (checklist 43, 44)", () =>
      withEngine({}, async (engine) => {
        const { tokens } = await signIn(engine);
        const answers = await Promise.all(Array.from({ length: 200 }, () => engine.auth.refresh(tokens.refreshToken)));
        assert.equal(new Set(answers.map((answer) => answer.refreshToken)).size, 1);
        assert.equal(answers[0]?.generation, 1);
        const [row] = await engine.storage.read(sql`select generation from latchkey_sessions`);
        assert.equal(row?.generation, 1);
      }));

    test("a retry within the grace gets the same successor; after it the session ends (checklist 42, 44)", () =>
      withEngine({}, async (engine) => {
        const { tokens } = await signIn(engine);
        const first = await engine.auth.refresh(tokens.refreshToken);
        engine.system.advance("20s");
        assert.equal((await engine.auth.refresh(tokens.refreshToken)).refreshToken, first.refreshToken);
        engine.system.advance("1s");
        await assert.rejects(engine.auth.refresh(tokens.refreshToken), refused("refresh_token_reused"));
        await assert.rejects(engine.auth.refresh(first.refreshToken), refused("session_ended"));
      }));

    test("the newest token used again within the grace comes back unchanged, and advances after it", () =>
      withEngine({}, async (engine) => {
        const { tokens } = await signIn(engine);
        const first = await engine.auth.refresh(tokens.refreshToken);
        const again = await engine.auth.refresh(first.refreshToken);
        assert.equal(again.refreshToken, first.refreshToken);
        engine.system.advance("21s");
        assert.equal((await engine.auth.refresh(first.refreshToken)).generation, 2);
      }));

    test("a retry an hour later with the attempt id of the lost answer is no theft, and its access token lives", () =>
      withEngine({}, async (engine) => {
        const { tokens } = await signIn(engine);
        const lost = await engine.auth.refresh(tokens.refreshToken, { attempt: ATTEMPT });
        engine.system.advance("1h");
        const retried = await engine.auth.refresh(tokens.refreshToken, { attempt: ATTEMPT });
        assert.equal(retried.refreshToken, lost.refreshToken);
        assert.equal(retried.expiresIn, 900);
        assert.equal((await engine.auth.authenticate(retried.accessToken)).userId, 1);
        // And its end reaches that longer token: the row was told of it.
        await engine.auth.logout(retried.refreshToken);
        await assert.rejects(async () => engine.auth.authenticate(retried.accessToken), refused("session_ended"));
        engine.system.advance("15m");
        await engine.auth.ping();
        await assert.rejects(async () => engine.auth.authenticate(retried.accessToken), refused("session_ended"));
      }));

    test("another's attempt id does not excuse a second use", () =>
      withEngine({}, async (engine) => {
        const { tokens } = await signIn(engine);
        await engine.auth.refresh(tokens.refreshToken, { attempt: ATTEMPT });
        engine.system.advance("1h");
        await assert.rejects(
          engine.auth.refresh(tokens.refreshToken, { attempt: OTHER_ATTEMPT }),
          refused("refresh_token_reused"),
        );
      }));

    test("late duplicates of the last four attempts are superseded, and the session lives", () =>
      withEngine({}, async (engine) => {
        const { tokens } = await signIn(engine);
        const spent = [tokens];
        for (let i = 0; i < 6; i++) {
          engine.system.advance("21s");
          spent.push(
            await engine.auth.refresh((spent.at(-1) as typeof tokens).refreshToken, { attempt: `${ATTEMPT}-${i}` }),
          );
        }
        engine.system.advance("21s");
        for (const i of [2, 3, 4]) {
          const late = engine.auth.refresh((spent[i] as typeof tokens).refreshToken, { attempt: `${ATTEMPT}-${i}` });
          await assert.rejects(late, refused("refresh_superseded"));
        }
        assert.equal((await engine.auth.refresh((spent[6] as typeof tokens).refreshToken)).generation, 7);
        const older = engine.auth.refresh((spent[1] as typeof tokens).refreshToken, { attempt: `${ATTEMPT}-1` });
        await assert.rejects(older, refused("refresh_token_reused"));
      }));

    test("with a grace of 0 every token works once (strict)", () =>
      withEngine({ refreshGrace: "0s" }, async (engine) => {
        const { tokens } = await signIn(engine);
        await engine.auth.refresh(tokens.refreshToken);
        await assert.rejects(engine.auth.refresh(tokens.refreshToken), refused("refresh_token_reused"));
      }));

    test("a session dies of idleness, and of age however much it is used (checklist 47)", () =>
      withEngine({}, async (engine) => {
        const { tokens } = await signIn(engine);
        const idle = await engine.auth.login({ username: "ada", password: PASSWORD });
        let newest = tokens;
        for (let day = 0; day < 80; day += 20) {
          engine.system.advance("20d");
          newest = await engine.auth.refresh(newest.refreshToken);
        }
        await assert.rejects(engine.auth.refresh(idle.refreshToken), refused("refresh_token_expired"));
        engine.system.advance("10d");
        await assert.rejects(engine.auth.refresh(newest.refreshToken), refused("refresh_token_expired"));
      }));

    test("a clock that jumps back or forth signs nobody out within the session's life (checklist 101)", () =>
      withEngine({}, async (engine) => {
        const { tokens } = await signIn(engine);
        engine.system.advance("1h");
        const first = await engine.auth.refresh(tokens.refreshToken);
        engine.system.jump(-3600);
        assert.equal((await engine.auth.refresh(tokens.refreshToken)).refreshToken, first.refreshToken);
        const second = await engine.auth.refresh(first.refreshToken);
        assert.equal(second.generation, 2);
        engine.system.jump(24 * 3600);
        assert.equal((await engine.auth.refresh(second.refreshToken)).generation, 3);
      }));

    test("a store restored from a backup carries the session on, and says so", async () => {
      const events: (SessionEvent | KeyEvent | HashEvent)[] = [];
      await withEngine({ onEvent: (event) => events.push(event) }, async (engine) => {
        const { tokens } = await signIn(engine);
        const first = await engine.auth.refresh(tokens.refreshToken);
        engine.system.advance("21s");
        const second = await engine.auth.refresh(first.refreshToken);
        await engine.storage.write([sql`update latchkey_sessions set generation = 0`]);
        const after = await engine.auth.refresh(second.refreshToken);
        assert.equal(after.generation, 3);
        assert.deepEqual(events, [{ type: "generation_ahead", sessionId: 1, generation: 2 }]);
      });
    });

    test("reuse is told to whoever listens (checklist 42)", async () => {
      const events: (SessionEvent | KeyEvent | HashEvent)[] = [];
      await withEngine({ onEvent: (event) => events.push(event) }, async (engine) => {
        const { tokens } = await signIn(engine);
        await engine.auth.refresh(tokens.refreshToken);
        engine.system.advance("21s");
        await assert.rejects(engine.auth.refresh(tokens.refreshToken), refused("refresh_token_reused"));
        assert.deepEqual(events, [{ type: "reuse", userId: 1, sessionId: 1, generation: 0 }]);
      });
    });

    test("a caller that has gone is nobody's thief", () =>
      withEngine({}, async (engine) => {
        const { tokens } = await signIn(engine);
        const first = await engine.auth.refresh(tokens.refreshToken);
        engine.system.advance("1h");
        const gone = engine.auth.refresh(tokens.refreshToken, { signal: AbortSignal.abort() });
        await assert.rejects(gone, refused("request_invalid"));
        assert.equal((await engine.auth.refresh(first.refreshToken)).generation, 2);
      }));

    test("a forged, damaged or foreign token is refused without I/O", () =>
      withEngine({}, async (engine) => {
        const { tokens } = await signIn(engine);
        const foreign = await createEngine({ secret: "another-secret-Zx8Kq2Vw5Lt9Rb3Ny7Hm1Jd6Gf4Ps0Qa" });
        const other = (await signIn(foreign)).tokens.refreshToken;
        await foreign.auth.close();
        engine.counted();
        const damaged = [
          other,
          `${tokens.refreshToken}A`,
          tokens.refreshToken.slice(0, -1),
          "",
          "lkr_",
          "é".repeat(87),
          "x".repeat(1_000_000),
        ];
        for (let i = 4; i < tokens.refreshToken.length; i += 7) {
          damaged.push(
            tokens.refreshToken.slice(0, i) +
              (tokens.refreshToken[i] === "A" ? "B" : "A") +
              tokens.refreshToken.slice(i + 1),
          );
        }
        for (const token of damaged) {
          await assert.rejects(engine.auth.refresh(token), (error: AuthError) => {
            assert.ok(["refresh_token_invalid", "secret_unknown"].includes(error.code), error.reason);
            return true;
          });
          await assert.rejects(engine.auth.logout(token), AuthError);
        }
        assert.deepEqual(engine.counted(), { reads: 0, writes: 0 });
        assert.equal(
          (await engine.auth.refresh(tokens.refreshToken)).generation,
          1,
          "and nothing happened to the session",
        );
      }));

    test("a token of a newer secret is 503, one of a dropped secret is refused, one of the older secret goes on", async () => {
      const [one, two] = [
        { number: 1, secret: "root-one-Zx8Kq2Vw5Lt9Rb3Ny7Hm1Jd6Gf4Ps0Qa" },
        { number: 2, secret: "root-two-Pq3Xe7Mz1Vb5Kt9Wd2Ls6Hf8Yc4Ur0Ng" },
      ];
      await withEngine({ rootSecret: [two as typeof one, one as typeof two] as never }, async (engine) => {
        const { tokens } = await signIn(engine);
        const { createAuth } = await import("../../src/auth.ts");
        const { TEST_SECRET } = await import("../support/engine.ts");
        const shared = { secret: TEST_SECRET, storage: engine.storage, system: engine.system };
        const behind = await createAuth({ ...shared, rootSecret: [one as never] });
        await assert.rejects(behind.refresh(tokens.refreshToken), (error: AuthError) => {
          assert.equal(error.code, "secret_unknown");
          assert.equal(error.status, 503);
          assert.equal(error.retryAfter, 1);
          return true;
        });
        const old = await behind.login({ username: "ada", password: PASSWORD });
        assert.equal((await engine.auth.refresh(old.refreshToken)).generation, 1);
        const ahead = await createAuth({ ...shared, rootSecret: [two as never] });
        await assert.rejects(ahead.refresh(old.refreshToken), refused("refresh_token_invalid"));
      });
    });
  });

  describe(`ends on ${name}`, () => {
    test("whatever a rotation in flight does, an acknowledged end stays (checklist 50)", () =>
      withEngine({}, async (engine) => {
        for (let round = 0; round < 40; round++) {
          const { tokens } = await signIn(engine, `user${round}`);
          const [refreshed] = await Promise.allSettled([
            engine.auth.refresh(tokens.refreshToken),
            engine.auth.logout(tokens.refreshToken),
          ]);
          const newest = refreshed.status === "fulfilled" ? refreshed.value : tokens;
          await assert.rejects(engine.auth.refresh(newest.refreshToken), refused("session_ended"));
          await assert.rejects(async () => engine.auth.authenticate(newest.accessToken), refused("session_ended"));
        }
      }));

    test("a login in flight does not outlive a change of password (checklist 48)", () =>
      withEngine({}, async (engine) => {
        const { user, tokens } = await signIn(engine);
        const identity = await engine.auth.authenticate(tokens.accessToken);
        const [raced] = await Promise.all([
          engine.auth.login({ username: "ada", password: PASSWORD }),
          engine.auth.changePassword(identity, { currentPassword: PASSWORD, newPassword: "another good password" }),
        ]);
        await assert.rejects(engine.auth.refresh(raced.refreshToken), refused("session_ended"));
        await assert.rejects(async () => engine.auth.authenticate(raced.accessToken), refused("session_ended"));
        assert.deepEqual(
          (await engine.auth.sessions.list(user.id)).map((session) => session.id),
          [tokens.sessionId],
        );
      }));

    test("no access token outlives its session, whatever brought it (checklist 47)", () =>
      withEngine({ sessionIdleTtl: "1h", sessionMaxAge: "1h" }, async (engine) => {
        const { tokens } = await signIn(engine);
        const lives: number[] = [];
        let { refreshToken } = tokens;
        // Rotated, then asked for again: both write.
        for (const wait of ["40m", "10m", "5s"] as const) {
          engine.system.advance(wait);
          const next = await engine.auth.refresh(refreshToken);
          refreshToken = next.refreshToken;
          const { claims } = await engine.auth.authenticate(next.accessToken);
          assert.equal(claims.exp - claims.iat, next.expiresIn);
          lives.push(next.expiresIn);
        }
        assert.deepEqual(lives, [15 * 60, 10 * 60, 10 * 60 - 5]);
        assert.equal(lives.at(-1), (await engine.auth.refresh(refreshToken)).expiresIn);
      }));

    test("an end outlives every access token, also one from before the setting was lowered (checklist 51)", () =>
      withEngine({ accessTtl: "60m" }, async (engine) => {
        const { user, tokens } = await signIn(engine);
        const { createAuth } = await import("../../src/auth.ts");
        const { TEST_SECRET } = await import("../support/engine.ts");
        const { storage, system } = engine;
        const lowered = await createAuth({ secret: TEST_SECRET, storage, system, accessTtl: "15m" });
        const other = (await signIn(engine, "other")).user;
        await lowered.users.deactivate(user.id);
        for (let minutes = 0; minutes < 60; minutes += 6) {
          await assert.rejects(
            async () => lowered.authenticate(tokens.accessToken),
            (error: AuthError) => {
              assert.ok(["user_not_found", "token_expired"].includes(error.code), error.reason);
              return true;
            },
          );
          system.advance("6m");
          // Reads the feed, and drops what has expired.
          await lowered.sessions.endAll(other.id);
        }
      }));

    test("of two changes of password at once one wins and the other is told", () =>
      withEngine({}, async (engine) => {
        const { tokens } = await signIn(engine);
        const identity = await engine.auth.authenticate(tokens.accessToken);
        const outcomes = await Promise.allSettled(
          ["first new password", "second new password"].map((newPassword) =>
            engine.auth.changePassword(identity, { currentPassword: PASSWORD, newPassword }),
          ),
        );
        assert.deepEqual(outcomes.map((outcome) => outcome.status).sort(), ["fulfilled", "rejected"]);
      }));

    test("a deactivated user's refresh is refused at once, and coming back revives no old session (checklist 51)", () =>
      withEngine({}, async (engine) => {
        const { user, tokens } = await signIn(engine);
        assert.equal(await engine.auth.users.deactivate(user.id), true);
        assert.equal(await engine.auth.users.deactivate(user.id), false);
        await assert.rejects(engine.auth.refresh(tokens.refreshToken), refused("session_ended"));
        assert.equal(await engine.auth.users.reactivate(user.id), true);
        await assert.rejects(engine.auth.refresh(tokens.refreshToken), refused("session_ended"));
        await assert.rejects(async () => engine.auth.authenticate(tokens.accessToken), refused("user_not_found"));
        assert.equal((await engine.auth.login({ username: "ada", password: PASSWORD })).generation, 0);
      }));

    test("live asks the store, token asks nobody, and both agree with the feed", () =>
      withEngine({}, async (engine) => {
        const { user, tokens } = await signIn(engine);
        const other = await engine.auth.login({ username: "ada", password: PASSWORD });
        engine.counted();
        await engine.auth.authenticate(tokens.accessToken, { freshness: "live" });
        assert.deepEqual(engine.counted(), { reads: 1, writes: 0 });
        await engine.auth.sessions.endAll(user.id, { except: tokens.sessionId });
        for (const freshness of ["live", "feed"] as const) {
          assert.equal((await engine.auth.authenticate(tokens.accessToken, { freshness })).userId, user.id);
          await assert.rejects(
            async () => engine.auth.authenticate(other.accessToken, { freshness }),
            refused("session_ended"),
          );
        }
        assert.equal((await engine.auth.authenticate(other.accessToken, { freshness: "token" })).userId, user.id);
      }));

    test("a store that does not answer is 503 for a live guard, never a yes (checklist 93)", () =>
      withEngine({}, async (engine) => {
        const { tokens } = await signIn(engine);
        await engine.storage.close();
        await assert.rejects(
          async () => engine.auth.authenticate(tokens.accessToken, { freshness: "live" }),
          refused("store_unavailable"),
        );
        await assert.rejects(engine.auth.refresh(tokens.refreshToken), refused("store_unavailable"));
      }));
  });

  describe(`fixed sessions and adoption on ${name}`, () => {
    test("a fixed session keeps its token until it expires, and ends like any other", () =>
      withEngine({ sessionIdleTtl: "7d" }, async (engine) => {
        await signIn(engine);
        const login = () => engine.auth.login({ username: "ada", password: PASSWORD }, {}, { mode: "fixed" });
        const [tokens, other] = [await login(), await login()];
        for (let day = 0; day < 6; day++) {
          engine.system.advance("1d");
          const again = await engine.auth.refresh(tokens.refreshToken);
          assert.equal(again.refreshToken, tokens.refreshToken);
          assert.equal(again.expiresIn, 900);
          assert.equal((await engine.auth.authenticate(again.accessToken, { freshness: "live" })).userId, 1);
        }
        await engine.auth.logout(other.refreshToken);
        await assert.rejects(engine.auth.refresh(other.refreshToken), refused("session_ended"));
        engine.system.advance("1d");
        await assert.rejects(engine.auth.refresh(tokens.refreshToken), refused("refresh_token_expired"));
      }));

    test("another system's token meets in one session, however often and by however many it is brought", () =>
      withEngine({}, async (engine) => {
        const { user } = await signIn(engine);
        const adoption = { userId: user.id, expiresAt: engine.system.now() + 7 * 86_400 };
        const adopt = () => engine.auth.adopt("eyJhbGciOiJIUzI1NiJ9.foreign.token", adoption);
        const answers = await Promise.all(Array.from({ length: 30 }, adopt));
        assert.equal(new Set(answers.map((answer) => answer.refreshToken)).size, 1);
        assert.equal((await engine.auth.sessions.list(user.id)).length, 2);
        engine.system.advance("6d");
        assert.equal((await adopt()).refreshToken, answers[0]?.refreshToken);
        await engine.auth.logout((await adopt()).refreshToken);
        await assert.rejects(adopt(), refused("session_ended"));
        await assert.rejects(
          engine.auth.adopt("another", { ...adoption, expiresAt: engine.system.now() }),
          refused("refresh_token_expired"),
        );
      }));

    test("an adopted session can rotate: then the foreign token is spent like any other", () =>
      withEngine({}, async (engine) => {
        const { user } = await signIn(engine);
        const adoption = { userId: user.id, expiresAt: engine.system.now() + 86_400, mode: "rotating" as const };
        const first = await engine.auth.adopt("foreign", adoption);
        assert.equal(first.generation, 1);
        assert.equal((await engine.auth.adopt("foreign", adoption)).refreshToken, first.refreshToken);
        engine.system.advance("21s");
        await assert.rejects(engine.auth.adopt("foreign", adoption), refused("refresh_token_reused"));
      }));

    test("nobody who is gone or inactive is given a session (checklist 51)", () =>
      withEngine({}, async (engine) => {
        const { user } = await signIn(engine);
        await engine.auth.users.deactivate(user.id);
        for (const userId of [user.id, 999]) {
          const adopted = engine.auth.adopt("foreign", { userId, expiresAt: engine.system.now() + 60 });
          await assert.rejects(adopted, refused("user_not_found"));
        }
      }));
  });

  describe(`tokens of a dialect on ${name}`, () => {
    const dialect: TokenDialect = {
      typeClaim: "type",
      subjectClaim: "sub",
      policy: allowUnscopedTokensOf.drfRecipe,
      accessTtl: "30m",
      refreshTtl: "7d",
      rotatesRefreshTokens: false,
      refreshKey: "derived",
      allowTokensIssuedByDjango: true,
      passwordHashClaim: false,
    };
    const login = { username: "ada", password: PASSWORD };
    const fault = (name: TokenFault) => (error: unknown) => error instanceof TokenRefusal && error.fault === name;
    const foreign = ({ system }: Engine, life: number) => {
      const keys = createKeySet([importKey(TEST_SECRET, { alg: "HS256" })]);
      const options = { keys, issuer: NO_ISSUER, audience: NO_AUDIENCE, typ: "JWT", ttl: life, system } as const;
      return createSigner(options).sign({ sub: "1", type: "refresh" });
    };

    test("a fixed session answers one refresh token, by one read and one write each", () =>
      withEngine({}, async (engine) => {
        await signIn(engine);
        const tokens = engine.auth.dialect(dialect);
        const { refresh } = await tokens.login(login, {});
        for (let day = 0; day < 6; day++) {
          engine.system.advance("1d");
          engine.counted();
          const again = await tokens.refresh(refresh, {});
          assert.deepEqual(engine.counted(), { reads: 1, writes: 1 });
          assert.equal(again.refresh, refresh);
          assert.equal((await tokens.authenticate(again.access)).userId, 1);
        }
        engine.system.advance("1d");
        await assert.rejects(tokens.refresh(refresh, {}), fault("expired"));
      }));

    test("ending is said to have happened once, also for a user who is gone", () =>
      withEngine({}, async (engine) => {
        const { user } = await signIn(engine);
        const tokens = engine.auth.dialect(dialect);
        const [one, other] = [await tokens.login(login, {}), await tokens.login(login, {})];
        await tokens.end(one.refresh, {});
        assert.equal(await tokens.hasEnded(one.refresh), true);
        assert.equal(await tokens.hasEnded(other.refresh), false);
        await engine.auth.users.delete(user.id);
        await tokens.end(other.refresh, {});
        const old = foreign(engine, 60);
        await tokens.end(old, {});
        for (const token of [one.refresh, other.refresh, old])
          await assert.rejects(tokens.end(token, {}), fault("ended"));
        await assert.rejects(tokens.refresh(other.refresh, {}), fault("user_missing"));
      }));

    test("a foreign token that is adopted into a rotating session has a next one with a life of its own", () =>
      withEngine({}, async (engine) => {
        await signIn(engine);
        const tokens = engine.auth.dialect({ ...dialect, rotatesRefreshTokens: true });
        const first = await tokens.refresh(foreign(engine, 60), {});
        engine.system.advance("3d");
        const second = await tokens.refresh(first.refresh, {});
        engine.system.advance("3d");
        assert.equal((await tokens.authenticate((await tokens.refresh(second.refresh, {})).access)).userId, 1);
        await assert.rejects(tokens.refresh(first.refresh, {}), fault("ended"));
      }));
  });

  describe(`passwords on ${name}`, () => {
    test("a hash with other parameters still signs in, once, and is made anew (checklist 68)", () =>
      withEngine({}, async (engine) => {
        const { user } = await signIn(engine);
        const { createPasswordHasher } = await import("../../src/users/password-hash.ts");
        const weak = await createPasswordHasher({
          system: engine.system,
          parameters: { memory: 4096, passes: 1, parallelism: 1 },
        }).hash(PASSWORD);
        await engine.storage.write([sql`update latchkey_users set password = ${weak} where id = ${user.id}`]);
        const stored = async () =>
          (await engine.storage.read(sql`select password from latchkey_users`))[0]?.password as string;
        engine.counted();
        await engine.auth.login({ username: "ada", password: PASSWORD });
        assert.deepEqual(engine.counted(), { reads: 1, writes: 2 });
        assert.match(await stored(), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
        const rehashed = await stored();
        await engine.auth.login({ username: "ada", password: PASSWORD });
        assert.equal(await stored(), rehashed);
      }));

    test("what a hook of the application says of a new password counts", () =>
      withEngine(
        { checkPassword: async (password) => (password.includes("breached") ? "was found in a breach" : undefined) },
        async (engine) => {
          const registration = { username: "ada", email: "ada@example.com", password: "a breached password" };
          await assert.rejects(engine.auth.register(registration), (error: AuthError) => {
            assert.deepEqual(error.errors, [{ field: "password", message: "was found in a breach" }]);
            return true;
          });
        },
      ));
  });

  describe(`claims of the application on ${name}`, () => {
    test("are in the access token, at login and after a refresh; registered ones can't be set", () =>
      withEngine({ claims: (user) => ({ role: user.username === "ada" ? "admin" : "user" }) }, async (engine) => {
        const { tokens } = await signIn(engine);
        assert.equal((await engine.auth.authenticate(tokens.accessToken)).claims.role, "admin");
        const refreshed = await engine.auth.refresh(tokens.refreshToken);
        assert.equal((await engine.auth.authenticate(refreshed.accessToken)).claims.role, "admin");
      }));

    test("one that would name somebody else is a mistake of the programmer", () =>
      withEngine({ claims: () => ({ sub: "2" }) }, async (engine) => {
        await assert.rejects(signIn(engine), TypeError);
      }));
  });
}
