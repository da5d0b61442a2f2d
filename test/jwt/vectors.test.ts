import assert from "node:assert/strict";
import { test } from "node:test";
import { createKeySet, importKey, type PrivateKey, toJwks, toThumbprint } from "../../src/jwt/index.ts";
import { materialOf } from "../../src/jwt/key.ts";
import { jwsVectors, signEncoded, withSignature } from "./support.ts";

for (const { source, alg, jwk, jws, deterministic } of jwsVectors) {
  const [header, payload, signature] = jws.split(".") as [string, string, string];

  test(`the signature of ${source} is good, and with one bit changed it is not`, () => {
    const { verifies } = materialOf(importKey(jwk, { alg }));
    const inputLength = jws.lastIndexOf(".");
    assert.ok(verifies(jws, inputLength));
    const bytes = Buffer.from(signature, "base64url");
    for (const at of [0, Math.floor(bytes.length / 2), bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ 1;
      assert.ok(!verifies(withSignature(jws, changed), inputLength), `byte ${at}`);
    }
    assert.ok(!verifies(`${header}.${payload.slice(0, -1)}x.${signature}`, inputLength));
  });

  if (jwk.d === undefined && jwk.k === undefined && jwk.priv === undefined) continue;
  test(`the key of ${source} signs${deterministic ? " as written there" : ", and what it signs verifies"}`, () => {
    const key = importKey(jwk, { alg });
    const signed = signEncoded(key, header, payload);
    if (deterministic) assert.equal(signed, jws);
    assert.ok(materialOf(key).verifies(signed, signed.lastIndexOf(".")));
  });
}

test("thumbprints are those of RFC 7638 §3.1", () => {
  const n =
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
  const key = importKey({ kty: "RSA", n, e: "AQAB", alg: "RS256" }, { alg: "RS256", type: "public" });
  assert.equal(toThumbprint(key), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  assert.equal(key.kid, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "and they are the default kid (checklist 33)");
});

for (const { source, alg, jwk, thumbprint } of jwsVectors.filter((vector) => vector.thumbprint)) {
  test(`the thumbprint of ${source} is the one published with it, for the private key too (checklist 33)`, () => {
    const { kid: _, ...unnamed } = jwk;
    const key = importKey(unnamed, { alg }) as PrivateKey;
    assert.equal(key.kid, thumbprint);
    assert.equal(toJwks(createKeySet([key])).keys[0]?.kid, thumbprint);
  });
}
