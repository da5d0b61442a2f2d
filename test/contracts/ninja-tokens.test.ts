import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createEngine, type Engine, signIn } from "../support/engine.ts";
import { signAsDjango } from "./django-support.ts";

/** An access token of the django-ninja service. */
const ninjas = ({ system }: Engine, claims: object = {}) => {
  const now = system.now();
  return signAsDjango({ sub: "1", exp: now + 900, iat: now, typ: "at+jwt", ...claims });
};

describe("access tokens of the django-ninja service", () => {
  test("are refused where nobody said otherwise", async () => {
    const engine = await createEngine();
    await signIn(engine);
    const { status, body } = await engine.call("GET", "/v1/users/me", { token: ninjas(engine) });
    assert.deepEqual([status, body.code], [401, "token_invalid"]);
  });

  test("are taken with allowTokensIssuedByDjango, as long as their user is in service (checklist 51)", async () => {
    const engine = await createEngine({ allowTokensIssuedByDjango: true });
    const { tokens } = await signIn(engine);
    const token = ninjas(engine);
    const me = await engine.call("GET", "/v1/users/me", { token });
    assert.deepEqual([me.status, me.body.username], [200, "ada"]);
    assert.equal((await engine.call("GET", "/v1/users/me", { token: tokens.accessToken })).status, 200);
    const { body } = await engine.call("GET", "/v1/users/me/sessions", { token });
    assert.equal(
      body.sessions.some((session: { current: boolean }) => session.current),
      false,
    );
    const all = await engine.call("DELETE", "/v1/users/me/sessions?except=current", { token });
    assert.equal(all.status, 204);
    assert.deepEqual(await engine.auth.sessions.list(1), []);
    await engine.auth.users.deactivate(1);
    const gone = await engine.call("GET", "/v1/users/me", { token });
    assert.deepEqual([gone.status, gone.body.detail], [401, "User not found"]);
  });

  test("are judged as strictly as ours, in that service's words", async () => {
    const engine = await createEngine({ allowTokensIssuedByDjango: true });
    await signIn(engine);
    const now = engine.system.now();
    const cases: [object, string][] = [
      [{ iat: now - 900, exp: now - 60 }, "Token has expired"],
      [{ sub: "99" }, "User not found"],
      [{ sub: undefined }, "Token payload missing 'sub' field"],
      [{ sub: "one" }, "Invalid token"],
      [{ typ: "refresh" }, "Invalid token"],
      [{ typ: undefined }, "Invalid token"],
      [{ exp: undefined }, "Invalid token"],
      [{ exp: null }, "Invalid token"],
      [{ exp: now + 7200 }, "Invalid token"],
      [{ aud: "latchkey" }, "Invalid token"],
      [{ iss: "latchkey" }, "Invalid token"],
    ];
    for (const [claims, detail] of cases) {
      const { status, body } = await engine.call("GET", "/v1/users/me", { token: ninjas(engine, claims) });
      assert.deepEqual([status, body.detail], [401, detail], JSON.stringify(claims));
    }
    const forged = signAsDjango({ sub: "1", exp: now + 900, iat: now, typ: "at+jwt" }, { secret: "z".repeat(40) });
    assert.equal((await engine.call("GET", "/v1/users/me", { token: forged })).body.detail, "Invalid token");
  });
});
