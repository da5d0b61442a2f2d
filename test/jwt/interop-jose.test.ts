import assert from "node:assert/strict";
import { test } from "node:test";
import * as jose from "jose";
import {
  algorithms,
  createKeySet,
  createSigner,
  createVerifier,
  exposePrivateJwk,
  importKey,
  type Jwk,
  type Key,
  type PrivateKey,
  toJwks,
  toPublicJwk,
  toThumbprint,
} from "../../src/jwt/index.ts";
import { AUDIENCE, ISSUER, keyFor } from "./support.ts";

const options = { issuer: ISSUER, audience: AUDIENCE } as const;

for (const alg of algorithms) {
  test(`${alg}: jose verifies what we sign, and we verify what jose signs (checklist 35)`, async () => {
    const key = keyFor(alg);
    const keys = createKeySet([key]);
    const privateJwk = exposePrivateJwk(key as PrivateKey) as jose.JWK;
    const isSecret = key.type === "secret";
    const publicJwk = (isSecret ? privateJwk : toPublicJwk(key as PrivateKey)) as jose.JWK;

    const ours = createSigner({ keys, ...options, ttl: "15m" }).sign({ sub: "42", jti: "j" }, { name: "Zoë 🗝" });
    const verified = await jose.jwtVerify(ours, await jose.importJWK(publicJwk, alg), {
      ...options,
      typ: "at+jwt",
      algorithms: [alg],
    });
    assert.deepEqual(
      [verified.payload.sub, verified.payload.name, verified.protectedHeader.kid],
      ["42", "Zoë 🗝", key.kid],
    );

    const theirs = await new jose.SignJWT({ name: "Zoë 🗝", roles: ["a"] })
      .setProtectedHeader({ alg, typ: "at+jwt", kid: key.kid })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject("42")
      .setIssuedAt()
      .setExpirationTime("15m")
      .sign(await jose.importJWK(privateJwk, alg));
    const claims = createVerifier({ keys, ...options }).verify(theirs);
    assert.deepEqual([claims.sub, claims.name, claims.roles], ["42", "Zoë 🗝", ["a"]]);
  });
}

test("jose computes the same thumbprints, and reads our JWKS (checklist 33, 35)", async () => {
  const pairs = algorithms
    .filter((alg) => !alg.startsWith("HS") && alg !== "Ed25519" && !/^(RS|PS)(384|512)|^PS256/.test(alg))
    .map((alg) => keyFor(alg) as PrivateKey);
  for (const key of pairs)
    assert.equal(await jose.calculateJwkThumbprint(toPublicJwk(key) as jose.JWK), toThumbprint(key), key.alg);
  const jwks = jose.createLocalJWKSet(toJwks(createKeySet<Key>(pairs)) as unknown as jose.JSONWebKeySet);
  for (const key of pairs) {
    const token = createSigner({ keys: createKeySet([key]), ...options, ttl: "15m" }).sign({ sub: key.alg });
    assert.equal((await jose.jwtVerify(token, jwks, options)).payload.sub, key.alg);
  }
});

test("keys that jose generates are taken as they are", async () => {
  for (const alg of ["RS256", "ES384", "EdDSA"] as const) {
    const { privateKey, publicKey } = await jose.generateKeyPair(alg, { extractable: true });
    const signing = importKey(await jose.exportPKCS8(privateKey), { alg });
    const checking = importKey((await jose.exportJWK(publicKey)) as Jwk, { alg, type: "public" });
    const fromPem = importKey(await jose.exportSPKI(publicKey), { alg, type: "public" });
    assert.deepEqual([checking.kid, fromPem.kid], [signing.kid, signing.kid]);
    const token = createSigner({ keys: createKeySet([signing]), ...options, ttl: "15m" }).sign({ sub: "42" });
    assert.equal(createVerifier({ keys: createKeySet([checking]), ...options }).verify(token).sub, "42");
  }
});
