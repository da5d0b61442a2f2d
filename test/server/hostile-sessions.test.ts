/** Attacks on meaning: well-formed requests of a thief, a gossip and a stranger who wants to be somebody. */
import assert from "node:assert/strict";
import { createHmac, createSign, generateKeyPairSync } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep, setImmediate as tick } from "node:timers/promises";
import type { Login, Tokens } from "../../src/auth.ts";
import { AuthError } from "../../src/errors.ts";
import * as queries from "../../src/storage/queries.ts";
import { type ChildServer, call, startChildServer } from "../support/child-server.ts";
import { createEngine, type Engine, TEST_SECRET } from "../support/engine.ts";
import { createRandom } from "../support/mutations.ts";
import { post, send } from "../support/raw-http.ts";

const PASSWORD = "a phrase of her own";
const LOGIN = "/v1/users/me/token";
const REFRESH = "/v1/users/me/token/refresh";

/** Strict: with a grace of 0 every refresh token works once, so that a second use needs no waiting. */
let server: ChildServer;
let ada: { readonly id: number; readonly username: string };

before(async () => {
  server = await startChildServer({
    isDirect: true,
    env: { LATCHKEY_REFRESH_GRACE_SECONDS: "0", JWT_SECRET_KEY: TEST_SECRET },
  });
  ada = await register("ada");
});
after(() => server.stop());

const ask = (method: string, path: string, options?: Parameters<typeof call>[3]) =>
  call(server.url, method, path, options);

async function register(username: string) {
  const body = { username, email: `${username}@example.com`, password: PASSWORD };
  const answer = await ask("POST", "/v1/users", { body });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body;
}

async function login(username: string, password = PASSWORD, headers: Record<string, string> = {}) {
  const answer = await ask("POST", LOGIN, { body: { username, password }, headers });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body as { access_token: string; refresh_token: string; session_id: string };
}

const refresh = (refresh_token: string, attempt?: string) =>
  ask("POST", REFRESH, { body: { refresh_token, ...(attempt !== undefined && { attempt }) } });
const me = (token: string) => ask("GET", "/v1/users/me", { token });

describe("who is who", () => {
  test("an unknown name and a wrong password differ in nothing, the work included (checklist 70, 71)", async () => {
    const bodies = {
      known: { username: "ada", password: "not her password" },
      unknown: { username: "nobody", password: "not her password" },
      email: { email: "nobody@example.com", password: "not her password" },
      impossible: { username: "a\0b", password: "not her password" },
    };
    const answers = new Set<string>();
    for (const body of Object.values(bodies)) {
      const [answer] = (await send(server.url, post(LOGIN, body))).answers;
      const headers = [...(answer?.headers ?? [])].filter(([name]) => name !== "date");
      answers.add(JSON.stringify([answer?.status, headers, answer?.text]));
    }
    assert.equal(answers.size, 1, [...answers].join("\n"));
    // Where one hash runs at a time and nobody may wait, whoever comes second is turned away: so all of them hash.
    const { auth } = await createEngine({ passwordQueue: { concurrency: 1, limit: 0 } });
    await auth.register({ username: "ada", email: "ada@example.com", password: PASSWORD });
    for (const body of Object.values(bodies) as Login[]) {
      const both = await Promise.allSettled([auth.login(body), auth.login(bodies.known)]);
      const codes = both.map((result) => result.status === "rejected" && result.reason.code).sort();
      assert.deepEqual(codes, ["busy", "invalid_credentials"], JSON.stringify(body));
    }
    await auth.close();
  });

  test("a username is no email, an email no username, and neither has a second owner in another spelling (checklist 78)", async () => {
    for (const name of [
      { username: "ada@example.com" },
      { email: "ada" },
      { email: "ada@example.com " },
      { username: " ada" },
    ]) {
      const answer = await ask("POST", LOGIN, { body: { ...name, password: PASSWORD } });
      assert.equal(answer.body.code, "invalid_credentials", JSON.stringify(name));
    }
    await register("straße.ﬁsh");
    const taken = ["ADA", "ａｄａ", "𝐚𝐝𝐚", "STRASSE.fish", "Strasse.ﬁsh"];
    for (const username of taken) {
      const body = { username, email: "unused@example.com", password: PASSWORD };
      assert.equal((await ask("POST", "/v1/users", { body })).body.code, "username_taken", username);
    }
    for (const email of ["ADA@EXAMPLE.COM", "ada@ｅxample.com", "ａda@example.com"]) {
      const body = { username: "unused", email, password: PASSWORD };
      assert.equal((await ask("POST", "/v1/users", { body })).body.code, "email_taken", email);
    }
    for (const username of [
      "ada@example.com",
      "a\u200bda",
      "a\u202eda",
      "ada ",
      "ad\u00ada",
      "\u0301ada",
      "ada\ufeff",
      "a/d",
      "<ada>",
    ]) {
      const body = { username, email: "unused@example.com", password: PASSWORD };
      assert.equal((await ask("POST", "/v1/users", { body })).status, 422, JSON.stringify(username));
    }
  });

  test("nothing in a request but the proof says who asks (checklist 96)", async () => {
    const claims = {
      id: 1,
      user_id: ada.id,
      is_staff: true,
      is_superuser: true,
      staff_at: 1,
      epoch: 9,
      sub: "1",
      role: "admin",
    };
    const body = { username: "mallory", email: "mallory@example.com", password: PASSWORD, ...claims, isStaff: true };
    const headers = {
      "x-user-id": String(ada.id),
      "x-forwarded-user": "ada",
      "x-remote-user": "ada",
      cookie: "user=ada",
    };
    const registered = await ask("POST", "/v1/users?is_staff=true&id=1", { body, headers });
    assert.equal(registered.status, 201);
    assert.deepEqual(
      [registered.body.is_staff, registered.body.is_superuser, registered.body.id === ada.id],
      [false, false, false],
    );
    const signedIn = await ask("POST", `${LOGIN}?username=ada`, {
      body: { username: "mallory", password: PASSWORD, ...claims, session_id: "1" },
      headers,
    });
    const who = await ask("GET", `/v1/users/me?user_id=${ada.id}&sub=${ada.id}`, {
      token: signedIn.body.access_token,
      headers,
    });
    assert.equal(who.body.username, "mallory");
    const refreshed = await ask("POST", `${REFRESH}?user_id=${ada.id}`, {
      body: { refresh_token: signedIn.body.refresh_token, ...claims },
      headers,
    });
    assert.equal((await me(refreshed.body.access_token)).body.username, "mallory");
  });

  test("no id of somebody else's session is of use (checklist 52)", async () => {
    const own = await login("ada");
    await register("eve");
    const eve = await login("eve");
    for (let id = 1; id <= Number(eve.session_id); id++) {
      if (String(id) === eve.session_id) continue;
      const answer = await ask("DELETE", `/v1/users/me/sessions/${id}`, { token: eve.access_token });
      assert.deepEqual([answer.status, answer.body.code], [404, "not_found"]);
    }
    for (const id of [
      `0${eve.session_id}`,
      `%3${eve.session_id}`,
      `${eve.session_id}.0`,
      `+${eve.session_id}`,
      "-1",
      "9".repeat(400),
    ]) {
      assert.equal((await ask("DELETE", `/v1/users/me/sessions/${id}`, { token: eve.access_token })).status, 404, id);
    }
    assert.equal((await me(own.access_token)).status, 200);
    const listed = await ask("GET", `/v1/users/me/sessions?user_id=${ada.id}`, { token: eve.access_token });
    assert.deepEqual(
      listed.body.sessions.map((session: { id: string }) => session.id),
      [eve.session_id],
    );
  });

  test("an address that the client claims is not believed, and what it calls itself is bounded and printable (checklist 92)", async () => {
    const { access_token: token } = await login("ada", PASSWORD, {
      "x-forwarded-for": "203.0.113.66",
      "x-real-ip": "203.0.113.66",
      forwarded: "for=203.0.113.66",
      "user-agent": `\x9b31m${"a".repeat(5_000)}`,
    });
    const { body } = await ask("GET", "/v1/users/me/sessions", { token });
    const current = body.sessions.find((session: { current: boolean }) => session.current);
    assert.equal(current.ip, "127.0.0.1");
    assert.match(current.user_agent, /^\P{C}{1,256}$/u);
  });
});

describe("tokens", () => {
  const base64 = (value: unknown) =>
    Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
  const hs = (bits: number, header: unknown, claims: unknown, key: string | Buffer = TEST_SECRET) => {
    const signed = `${base64(header)}.${base64(claims)}`;
    return `${signed}.${createHmac(`sha${bits}`, key).update(signed).digest("base64url")}`;
  };

  test("none but an access token of ours is one, even under the right secret (checklist 1, 2, 24, 57)", async () => {
    const { access_token: good, refresh_token: refreshToken } = await login("ada");
    const [head = "", payload = "", signature = ""] = good.split(".");
    const header = JSON.parse(Buffer.from(head, "base64url").toString());
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
    assert.equal((await me(hs(256, header, claims))).status, 200, "the forger's own hand is steady");
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const rsa = `${base64({ ...header, alg: "RS256" })}.${payload}`;
    const now = Math.floor(Date.now() / 1000);
    const forgeries: Record<string, string> = {
      none: `${base64({ ...header, alg: "none" })}.${payload}.`,
      "no signature": `${head}.${payload}.`,
      "another algorithm": hs(512, { ...header, alg: "HS512" }, claims),
      "an RSA key": `${rsa}.${createSign("sha256").update(rsa).sign(privateKey, "base64url")}`,
      "an empty key": hs(256, header, claims, ""),
      "another typ": hs(256, { ...header, typ: "JWT" }, claims),
      "a critical extension": hs(256, { ...header, crit: ["b64"], b64: false }, claims),
      "no expiry": hs(256, header, { ...claims, exp: undefined }),
      "a null expiry": hs(256, header, { ...claims, exp: null }),
      "an expiry in a list": hs(256, header, { ...claims, exp: [claims.exp] }),
      "an infinite expiry": hs(256, header, JSON.stringify(claims).replace(/"exp":\d+/, '"exp":1e999')),
      "a life of years": hs(256, header, { ...claims, exp: now + 1e8 }),
      "issued tomorrow": hs(256, header, { ...claims, iat: now + 86_400, exp: now + 87_000 }),
      "another issuer": hs(256, header, { ...claims, iss: "latchkey2" }),
      "another audience": hs(256, header, { ...claims, aud: "latchkey2" }),
      "a second subject": hs(256, header, JSON.stringify(claims).replace("{", '{"sub":"999",')),
      "a subject that is a number": hs(256, header, { ...claims, sub: ada.id }),
      "a subject with a sign": hs(256, header, { ...claims, sub: `+${ada.id}` }),
      "no session": hs(256, header, { ...claims, sid: undefined }),
      "an epoch of text": hs(256, header, { ...claims, epoch: "0" }),
      "a refresh token": refreshToken,
      "a refresh token inside": `${head}.${payload}.${refreshToken}`,
      "another spelling": `${head}.${payload}.${signature}=`,
      "spare bits": `${good.slice(0, -1)}${String.fromCharCode(good.charCodeAt(good.length - 1) + 1)}`,
    };
    for (const [name, token] of Object.entries(forgeries)) {
      const answer = await me(token);
      assert.equal(answer.status, 401, name);
      assert.match(answer.headers.get("www-authenticate") ?? "", /error="invalid_token"/, name);
      assert.deepEqual(Object.keys(answer.body), ["type", "title", "status", "detail", "code"], name);
    }
    const crossed = await refresh(good);
    assert.deepEqual([crossed.status, crossed.body.code], [401, "refresh_token_invalid"]);
  });

  test("no letter of a refresh token can be changed, and the damaged one does the session no harm", async () => {
    const { refresh_token: token } = await login("ada");
    const tampered = Array.from({ length: token.length }, (_, i) => {
      const other = token[i] === "A" ? "B" : "A";
      return token.slice(0, i) + other + token.slice(i + 1);
    });
    for (const text of [...tampered, `${token}=`, ` ${token}`, `${token}\n`, token.toUpperCase(), token.slice(4)]) {
      const { status, body, headers } = await refresh(text);
      // A number above every known secret's could be a newer one's: that is no verdict.
      if (status === 503) assert.ok(body.code === "secret_unknown" && headers.has("retry-after"));
      else assert.deepEqual([status, body.code], [401, "refresh_token_invalid"], text);
    }
    assert.equal((await refresh(token)).status, 200);
  });
});

describe("stolen refresh tokens", () => {
  test("of forty uses at once one is answered, and none of the tokens outlives the theft (checklist 42, 43, 50)", async () => {
    const stolen = await login("ada");
    const answers = await Promise.all(Array.from({ length: 40 }, () => refresh(stolen.refresh_token)));
    const won = answers.filter((answer) => answer.status === 200);
    assert.equal(won.length, 1);
    assert.equal(answers.filter((answer) => answer.body.code === "refresh_token_reused").length, 1);
    for (const answer of answers) if (answer.status !== 200) assert.equal(answer.status, 401);
    assert.equal((await refresh(won[0]?.body.refresh_token)).body.code, "session_ended");
    for (const token of [stolen.access_token, won[0]?.body.access_token]) {
      assert.equal((await me(token)).body.code, "session_ended");
    }
  });

  test("an attempt id excuses nobody who did not make that attempt (checklist 44)", async () => {
    const attempts = ["a".repeat(22), "b".repeat(22)] as const;
    for (const guess of [undefined, "c".repeat(22), "A".repeat(22), attempts[0].padEnd(23, "a"), attempts[1]]) {
      const { refresh_token: first } = await login("ada");
      const second = (await refresh(first, attempts[0])).body.refresh_token;
      const third = (await refresh(second, attempts[1])).body.refresh_token;
      assert.equal((await refresh(first, guess)).body.code, "refresh_token_reused", String(guess));
      assert.equal((await refresh(third)).body.code, "session_ended");
    }
  });

  test("a thief who hangs up before the verdict gets nothing, and is caught when he listens", async () => {
    const { refresh_token: first } = await login("ada");
    const second = (await refresh(first)).body.refresh_token;
    for (let i = 0; i < 12; i++)
      await send(server.url, post(REFRESH, { refresh_token: first }), { patience: i % 3, isHalfClosed: i % 2 === 0 });
    await sleep(50);
    const heard = await refresh(first);
    assert.equal(heard.status, 401);
    assert.equal((await refresh(second)).body.code, "session_ended");
  });

  test("a stolen access token can't change the password, with or without the rules' opinion (checklist 56, 76)", async () => {
    const { access_token: token } = await login("ada");
    for (const new_password of ["short", "another phrase", PASSWORD]) {
      const body = { current_password: "a guess at it", new_password };
      const answer = await ask("POST", "/v1/users/me/password", { token, body });
      assert.deepEqual([answer.status, answer.body.code, answer.body.errors], [401, "wrong_password", undefined]);
    }
  });
});

describe("ends that race", () => {
  test("a session does not survive its end, whatever was under way (checklist 48, 50)", async () => {
    const random = createRandom(20_260_102);
    for (let round = 0; round < 6; round++) {
      const { access_token: token, refresh_token: first, session_id: id } = await login("ada");
      const ends = [
        () => ask("POST", "/v1/users/me/token/revoke", { body: { refresh_token: first } }),
        () => ask("DELETE", `/v1/users/me/sessions/${id}`, { token }),
        () => ask("DELETE", "/v1/users/me/sessions", { token }),
      ];
      const [ended, refreshed] = await Promise.all([
        sleep(random() * 4).then(ends[round % ends.length] as (typeof ends)[0]),
        sleep(random() * 4).then(() => refresh(first)),
      ]);
      assert.equal(ended.status, 204);
      for (const accessToken of [token, refreshed.body.access_token ?? token]) {
        assert.equal((await me(accessToken)).status, 401);
      }
      for (const refreshToken of [first, refreshed.body.refresh_token ?? first]) {
        assert.equal((await refresh(refreshToken)).status, 401);
      }
    }
  });

  test("a login with the old password under way does not outlive a change of it (checklist 48)", async () => {
    await register("changer");
    for (let round = 0; round < 2; round++) {
      const [current_password, new_password] = [`${PASSWORD}${round || ""}`, `${PASSWORD}${round + 1}`] as const;
      const own = await login("changer", current_password);
      const other = await login("changer", current_password);
      const [changed, ...logins] = await Promise.all([
        ask("POST", "/v1/users/me/password", { token: own.access_token, body: { current_password, new_password } }),
        ...Array.from({ length: 3 }, (_, i) =>
          sleep(i * 30).then(() => ask("POST", LOGIN, { body: { username: "changer", password: current_password } })),
        ),
        refresh(other.refresh_token),
      ]);
      assert.equal(changed?.status, 204);
      assert.equal((await me(own.access_token)).status, 200);
      assert.equal((await me(other.access_token)).status, 401);
      for (const { status, body } of logins) {
        if (status !== 200) continue;
        assert.equal((await me(body.access_token)).status, 401);
        assert.equal((await refresh(body.refresh_token)).status, 401);
      }
    }
  });

  test("two hundred interleavings of refreshes and every kind of end leave nothing alive (checklist 43, 48, 50, 51)", async () => {
    const seed = Number(process.env.TEST_SEED ?? 20_260_103);
    console.log(`interleavings from TEST_SEED=${seed}`);
    const random = createRandom(seed);
    const engine = await createEngine();
    const { auth } = engine;
    const ticks = async () => {
      for (let i = Math.floor(random() * 6); i > 0; i--) await tick();
    };
    for (let round = 0; round < 200; round++) {
      const userId = await insertUser(engine, round);
      const adoption = { userId, mode: "rotating" as const, expiresAt: engine.system.now() + 86_400 };
      const first = await auth.adopt(`foreign ${round}`, adoption);
      if (random() < 0.5) engine.system.advance("21s");
      const ends = [
        () => auth.logout(first.refreshToken),
        () => auth.sessions.end(userId, first.sessionId),
        () => auth.sessions.endAll(userId),
        () => auth.users.deactivate(userId),
        () => auth.users.delete(userId),
      ];
      const end = ends[round % ends.length] as () => Promise<unknown>;
      const known: Tokens[] = [first];
      let isEnded = false;
      const refreshers = Array.from({ length: 4 }, async () => {
        for (let i = 0; i < 3; i++) {
          await ticks();
          const wasEnded = isEnded;
          const newest = known[Math.floor(random() * known.length)] as Tokens;
          const next = await auth.refresh(newest.refreshToken).catch(refusal);
          assert.ok(!(wasEnded && next), `round ${round}: answered after the end was acknowledged`);
          if (next) known.push(next);
          if (random() < 0.2) engine.system.advance("21s");
        }
      });
      await Promise.all([
        ...refreshers,
        ticks()
          .then(end)
          .then(() => {
            isEnded = true;
          }),
      ]);
      for (const { refreshToken, accessToken } of known) {
        assert.equal(await auth.refresh(refreshToken).catch(refusal), undefined, `round ${round}`);
        for (const freshness of ["feed", "live"] as const) {
          const identity = await (async () => auth.authenticate(accessToken, { freshness }))().catch(refusal);
          assert.equal(identity, undefined, `round ${round}, ${freshness}`);
        }
      }
      assert.deepEqual(await auth.sessions.list(userId), []);
    }
    await auth.close();
  });
});

/** A refusal, and nothing worse, counts as no answer. */
function refusal(error: unknown): undefined {
  assert.ok(error instanceof AuthError && error.status === 401, String(error));
}

/** A user whom nobody has to hash a password for. */
async function insertUser({ storage, system }: Engine, n: number): Promise<number> {
  const name = `user${n}`;
  const statement = queries.insertUser({
    username: name,
    usernameKey: name,
    email: name,
    emailKey: name,
    password: "!",
    firstName: "",
    lastName: "",
    now: system.now(),
  });
  return (await storage.write([statement]))?.[0]?.[0]?.id as number;
}
