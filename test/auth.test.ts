/** What tokens say and what of them is kept, over the whole engine. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sql } from "../src/storage/storage.ts";
import { createEngine, type Engine, PASSWORD, signIn } from "./support/engine.ts";

let engine: Engine;
before(async () => {
  engine = await createEngine();
});
after(() => engine.auth.close());

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());

test("an access token says nothing of its user but a number (checklist 31)", async () => {
  const { tokens } = await signIn(engine, "ada");
  const claims = claimsOf(tokens.accessToken);
  assert.deepEqual(Object.keys(claims).sort(), ["aud", "epoch", "exp", "iat", "iss", "jti", "sid", "sub", "typ"]);
  assert.match(claims.sub, /^\d+$/);
  assert.doesNotMatch(JSON.stringify(claims), /ada/);
});

test("a refresh token in the place of an access token, and a scheme before one, are refused for what they are", async () => {
  const { tokens } = await signIn(engine, "joan");
  const refused = async (token: string) => {
    const { status } = await engine.call("GET", "/v1/users/me", { token });
    assert.equal(status, 401);
    return assert.throws(() => engine.auth.authenticate(token), {
      code: "token_invalid",
      reason: token.startsWith("lkr_")
        ? "it is a refresh token: the access token is wanted here"
        : 'the token begins with "Bearer": take the scheme off',
    });
  };
  await refused(tokens.refreshToken);
  await refused(`Bearer ${tokens.accessToken}`);
});

test("each use of a refresh token gives another, of the same session and no other (checklist 41, 46)", async () => {
  const { user, tokens } = await signIn(engine, "grace");
  let newest = tokens;
  const seen = new Set([tokens.refreshToken]);
  for (let i = 0; i < 3; i++) {
    newest = await engine.auth.refresh(newest.refreshToken);
    seen.add(newest.refreshToken);
    assert.equal(newest.sessionId, tokens.sessionId);
    assert.equal(claimsOf(newest.accessToken).sub, String(user.id));
    engine.system.advance("21s");
  }
  assert.equal(seen.size, 4);
});

test("no refresh token is stored, nor anything that one could be made of without the secret (checklist 45)", async () => {
  const { tokens } = await signIn(engine, "linus");
  const other = await engine.auth.login({ username: "linus", password: PASSWORD });
  const rows = await engine.storage.read(sql`select * from latchkey_sessions`);
  const stored = JSON.stringify(rows);
  const handleOf = (token: string) => Buffer.from(token.slice("lkr_".length), "base64url").subarray(14, 30);
  for (const { refreshToken } of [tokens, other]) {
    const handle = handleOf(refreshToken);
    assert.equal(handle.length * 8, 128);
    for (const form of ["base64url", "base64", "hex"] as const)
      assert.ok(!stored.includes(handle.toString(form)), form);
    assert.ok(!stored.includes(refreshToken.slice(44)), "the MAC");
  }
  assert.notDeepEqual(handleOf(tokens.refreshToken), handleOf(other.refreshToken));
});

test("a login begins a session of its own, whatever the client brings (checklist 53)", async () => {
  const { tokens } = await signIn(engine, "edsger");
  const again = await engine.call("POST", "/v1/users/me/token", {
    token: tokens.accessToken,
    body: { username: "edsger", password: PASSWORD, session_id: tokens.sessionId },
  });
  assert.equal(again.status, 200);
  assert.notEqual(again.body.session_id, tokens.sessionId);
  assert.equal(again.body.generation, 0);
});

test("no password grows old: a login after years asks for nothing but it (checklist 77)", async () => {
  await signIn(engine, "barbara");
  engine.system.advance("3650d");
  assert.equal((await engine.auth.login({ username: "barbara", password: PASSWORD })).generation, 0);
});

test("of concurrent adoptions of one foreign token all meet in one session (checklist 58)", async () => {
  const { user } = await signIn(engine, "alan");
  const expiresAt = engine.system.now() + 3600;
  const adopted = await Promise.all(
    Array.from({ length: 20 }, () => engine.auth.adopt("foreign.token", { userId: user.id, expiresAt })),
  );
  assert.equal(new Set(adopted.map(({ sessionId }) => sessionId)).size, 1);
});

test("a token that comes again is the same identity, frozen, and is judged again by the clock and by what was taken back", async (t) => {
  const engine = await createEngine();
  t.after(() => engine.auth.close());
  const { user, tokens } = await signIn(engine, "barbara");
  const first = await engine.auth.authenticate(tokens.accessToken);
  assert.equal(engine.auth.authenticate(tokens.accessToken), first);
  assert.throws(() => Object.assign(first, { userId: 1 }), TypeError);
  await engine.auth.sessions.end(user.id, tokens.sessionId);
  assert.throws(() => engine.auth.authenticate(tokens.accessToken), { code: "session_ended" });
  const { accessToken } = await engine.auth.login({ username: "barbara", password: PASSWORD });
  const second = await engine.auth.authenticate(accessToken);
  assert.equal((await second.user())?.username, "barbara");
  engine.system.advance("16m");
  assert.throws(() => engine.auth.authenticate(accessToken), { code: "token_expired" });
});
