/** Rows for people: what a token says and why it is refused; keys and their rotation for staff. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createEngine, type Engine, signIn } from "../support/engine.ts";

let engine: Engine;
let token: string;
let staff: string;

before(async () => {
  engine = await createEngine({ algorithm: "EdDSA" });
  token = (await signIn(engine)).tokens.accessToken;
  const grace = await signIn(engine, "grace");
  await engine.auth.users.setRoles(grace.user.id, { isStaff: true });
  staff = grace.tokens.accessToken;
});
after(() => engine?.auth.close());

const explain = (text: unknown, as = token) =>
  engine.call("POST", "/v1/tokens/explain", { token: as, body: { token: text } });

test("my token is shown with its claims and without its signature, also to who holds it in a cookie", async () => {
  const answer = await engine.call("GET", "/v1/users/me/token", { token });
  assert.equal(answer.status, 200);
  const { header, claims, checks, accepted, judged_at } = answer.body;
  assert.deepEqual([accepted, header.alg, claims.sub, claims.exp - judged_at], [true, "EdDSA", "1", 900]);
  assert.ok(checks.every(({ outcome }: { outcome: string }) => outcome === "passed"));
  const [, , signature] = token.split(".") as [string, string, string];
  assert.equal(JSON.stringify(answer.body).includes(signature), false);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  const cookie = `__Host-latchkey_access=${token}`;
  const same = await engine.call("GET", "/v1/users/me/token", { headers: { cookie } });
  assert.deepEqual(same.body.claims, claims);
  assert.equal((await engine.call("GET", "/v1/users/me/token")).status, 401);
});

test("a pasted token is told which check it fails; its signature comes back to nobody", async () => {
  const [header, claims, signature] = token.split(".") as [string, string, string];
  const forged = await explain(`${header}.${claims}.${"A".repeat(signature.length)}`);
  assert.deepEqual([forged.status, forged.body.accepted, forged.body.code], [200, false, "token_invalid"]);
  const failed = forged.body.checks.filter(({ outcome }: { outcome: string }) => outcome === "failed");
  assert.deepEqual(
    failed.map(({ name }: { name: string }) => name),
    ["signature"],
  );
  const other = await explain(staff);
  assert.equal(other.body.accepted, true);
  assert.equal(JSON.stringify(other.body).includes(staff.split(".")[2] as string), false);
  for (const garbage of ["x", "lkr_1.2.3", "..", "<script>", "\u202e", "eyJhbGciOiJub25lIn0.e30.", "a".repeat(8192)]) {
    const { status, body } = await explain(garbage);
    assert.deepEqual([status, body.accepted], [200, false], garbage.slice(0, 40));
  }
});

test("a token is explained to who is signed in, and as long as tokens may be", async () => {
  assert.equal((await engine.call("POST", "/v1/tokens/explain", { body: { token } })).status, 401);
  for (const wrong of ["a".repeat(8193), "", 1, null, ["x"], undefined])
    assert.equal((await explain(wrong)).status, 422);
  const elsewhere = { cookie: `__Host-latchkey_access=${token}`, origin: "https://evil.example" };
  const answer = await engine.call("POST", "/v1/tokens/explain", { headers: elsewhere, body: { token } });
  assert.deepEqual([answer.status, answer.body.code], [403, "origin_refused"]);
});

test("staff see the keys without their material, and rotate; two at once rotate once", async () => {
  const list = async () => (await engine.call("GET", "/v1/keys", { token: staff })).body.keys;
  const before = await list();
  const active = before.find(({ state }: { state: string }) => state === "active");
  assert.ok(active);
  assert.doesNotMatch(JSON.stringify(before), /"(?:d|k|x|sealed)":/);
  engine.system.advance("20m");
  const fresh = (await engine.auth.login({ username: "grace", password: "correct horse battery" })).accessToken;
  const rotate = (from: unknown) => engine.call("POST", "/v1/keys/rotate", { token: fresh, body: { from } });
  let first = await rotate(active.kid);
  for (let i = 0; i < 50 && first.status === 503; i++) {
    engine.system.advance("1m");
    await new Promise((resolve) => setTimeout(resolve, 20));
    first = await rotate(active.kid);
  }
  assert.deepEqual([first.status, first.body.state], [200, "active"], JSON.stringify(first.body));
  assert.notEqual(first.body.kid, active.kid);
  const second = await rotate(active.kid);
  assert.deepEqual([second.status, second.body.kid], [200, first.body.kid]);
  assert.equal((await rotate(undefined)).status, 422);
  assert.equal(
    (await engine.call("GET", "/v1/keys", { token: fresh })).body.keys.find(
      ({ kid }: { kid: string }) => kid === active.kid,
    ).state,
    "retiring",
  );
});
