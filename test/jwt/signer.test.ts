import assert from "node:assert/strict";
import { test } from "node:test";
import { createKeySet, createSigner, createVerifier, generateKey, NO_AUDIENCE } from "../../src/jwt/index.ts";
import { fakeSystem } from "../support/fake-system.ts";

const ISSUER = "https://auth.example.com";
const AUDIENCE = "https://api.example.com";

for (const alg of ["HS256", "HS384", "HS512"] as const) {
  test(`a token signed with ${alg} verifies, and its claims come back`, () => {
    const system = fakeSystem();
    const keys = createKeySet([generateKey(alg)]);
    const signer = createSigner({ keys, issuer: ISSUER, audience: AUDIENCE, ttl: "15m", system });
    const verifier = createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, system });
    const iat = system.now();
    const token = signer.sign(
      { sub: "42", sid: "s1", epoch: 1, jti: "j1", iat, exp: iat + 60, typ: "at+jwt" },
      { role: "admin" },
    );
    assert.deepEqual(
      { ...verifier.verify(token) },
      {
        iss: ISSUER,
        aud: AUDIENCE,
        sub: "42",
        sid: "s1",
        epoch: 1,
        jti: "j1",
        iat,
        exp: iat + 60,
        typ: "at+jwt",
        role: "admin",
      },
    );
    assert.equal(
      Buffer.from(token.split(".")[0] as string, "base64url").toString(),
      `{"alg":"${alg}","typ":"at+jwt","kid":"${alg}"}`,
    );
  });
}

test("the lifetime comes from ttl when the call gives none, and a token dies at its exp", () => {
  const system = fakeSystem();
  const keys = createKeySet([generateKey("HS256")]);
  const signer = createSigner({ keys, issuer: ISSUER, audience: AUDIENCE, ttl: "15m", system });
  const verifier = createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, tolerance: 0, system });
  const token = signer.sign({ sub: "42" });
  system.advance(15 * 60 - 1);
  assert.equal(verifier.verify(token).exp, system.now() + 1);
  system.advance("1s");
  assert.throws(() => verifier.verify(token), { name: "AuthError", code: "token_expired" });
});

test("the application can't set a registered claim, nor one that the issuer has set", () => {
  const keys = createKeySet([generateKey("HS256")]);
  const signer = createSigner({ keys, issuer: ISSUER, audience: NO_AUDIENCE, ttl: "15m" });
  for (const name of ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "sid"]) {
    assert.throws(() => signer.sign({ sub: "42", sid: "s1" }, { [name]: "x" }), TypeError);
  }
  assert.throws(() => signer.sign({ sub: "42", iss: "me" }), TypeError);
  assert.throws(() => signer.sign({ sub: "42", aud: "you" }), TypeError);
});
