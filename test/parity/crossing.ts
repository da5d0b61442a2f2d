/** Tokens that cross over: each side's, brought to the other. Every check is a name and what went wrong, or nothing. */
import assert from "node:assert/strict";
import { allowUnscopedTokensOf, createKeySet, createVerifier, importKey } from "../../src/jwt/index.ts";
import { PASSWORD } from "./cases.ts";
import { SECRET, type Sides } from "./compare.ts";
import type { DjangoUser } from "./django.ts";
import { send } from "./exchange.ts";
import { startOurs } from "./ours.ts";

const JSON_TYPE = { "content-type": "application/json" };

async function post(url: string, path: string, body: object) {
  const answer = await send(url, { method: "POST", path, headers: JSON_TYPE, body: JSON.stringify(body) });
  return { status: answer.status, body: JSON.parse(answer.text) };
}

async function get(url: string, path: string, token: string) {
  const answer = await send(url, { method: "GET", path, headers: { authorization: `Bearer ${token}` } });
  return { status: answer.status, body: JSON.parse(answer.text) };
}

const RECIPE = { email: "ada@example.com", password: PASSWORD };
const SIMPLE = { username: "ada", password: PASSWORD };

/** By what crosses where. Each rejects when it does not. */
export const CROSSINGS: Readonly<Record<string, (sides: Sides) => Promise<void>>> = {
  async "our drf access token is taken by the recipe's guard"({ django, ours }) {
    const { body } = await post(ours.url, "/api/auth/login/", RECIPE);
    assert.deepEqual(await get(django.url, "/api/me/", body.access), { status: 200, body: { id: 1 } });
  },

  async "our simplejwt access token is taken by simplejwt's guard, and both kinds by its verify"({ django, ours }) {
    const { body } = await post(ours.url, "/api/token/", SIMPLE);
    assert.deepEqual(await get(django.url, "/api/simple/me/", body.access), { status: 200, body: { id: 1 } });
    assert.equal((await post(django.url, "/api/token/verify/", { token: body.access })).status, 200);
    // Under a derived key: Django can't go on with what we may have ended.
    assert.equal((await post(django.url, "/api/token/verify/", { token: body.refresh })).status, 401);
  },

  async "our own access token, without aud, is read by PyJWT as decode_token calls it"({ django, ours }) {
    const { body } = await post(ours.url, "/v1/users/me/token", SIMPLE);
    const { status, body: claims } = await get(django.url, "/decoded/", body.access_token);
    assert.deepEqual([status, claims.sub, claims.typ], [200, "1", "at+jwt"]);
    assert.equal(claims.exp - claims.iat, 900);
  },

  async "the recipe's tokens are taken by us: access at the guard, refresh adopted"({ django, ours }) {
    const { body } = await post(django.url, "/api/auth/login/", RECIPE);
    assert.deepEqual(await get(ours.url, "/api/me/", body.access), { status: 200, body: { id: 1 } });
    for (let i = 0; i < 2; i++) {
      const refreshed = await post(ours.url, "/api/auth/refresh/", { refresh: body.refresh });
      assert.equal(refreshed.status, 200);
      assert.equal((await get(django.url, "/api/me/", refreshed.body.access)).status, 200);
    }
  },

  async "simplejwt's tokens are taken by us, its number for a user included"({ django, ours }) {
    const { body } = await post(django.url, "/api/token/", SIMPLE);
    assert.deepEqual(await get(ours.url, "/api/simple/me/", body.access), { status: 200, body: { id: 1 } });
    const refreshed = await post(ours.url, "/api/token/refresh/", { refresh: body.refresh });
    assert.equal(refreshed.status, 200);
    assert.equal((await get(django.url, "/api/simple/me/", refreshed.body.access)).status, 200);
    assert.equal((await post(ours.url, "/api/token/blacklist/", { refresh: body.refresh })).status, 200);
    assert.equal((await post(ours.url, "/api/token/refresh/", { refresh: body.refresh })).status, 401);
  },

  async "the token of the service with `typ` is taken by a verifier with its policy"({ django }) {
    const { access_token } = JSON.parse((await send(django.url, { method: "GET", path: "/issued/" })).text);
    const keys = createKeySet([importKey(SECRET, { alg: "HS256" })]);
    const claims = createVerifier({ keys, ...allowUnscopedTokensOf.ninjaService() }).verify(access_token);
    assert.equal(claims.sub, "1");
  },

  async "with the shared refresh key Django goes on with our refresh tokens: the way back"({ django }) {
    const users = django.users as readonly DjangoUser[];
    const shared = { refreshKey: "shared" } as const;
    const ours = await startOurs(SECRET, users, { drf: shared, simplejwt: shared });
    try {
      const recipe = await post(ours.url, "/api/auth/login/", RECIPE);
      assert.equal((await post(django.url, "/api/auth/refresh/", { refresh: recipe.body.refresh })).status, 200);
      const simple = await post(ours.url, "/api/token/", SIMPLE);
      assert.equal((await post(django.url, "/api/token/refresh/", { refresh: simple.body.refresh })).status, 200);
    } finally {
      await ours.stop();
    }
  },
};
