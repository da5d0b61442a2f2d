/**
 * The libraries that people use today, each as its documentation says and in its best configuration as well:
 * prepared keys wherever a library takes them, the algorithm, issuer and audience pinned, `exp` checked.
 * Where a library has a quicker way that most code does not use, or a common way that is slow, both have a row.
 */
import { createSigner, createVerifier } from "fast-jwt";
import { sign as honoSign, verify as honoVerify } from "hono/utils/jwt/jwt";
import { jwtVerify as joseVerify, SignJWT } from "jose";
import jsonwebtoken from "jsonwebtoken";
import type { Algorithm, KeyForms } from "./algorithms.ts";
import { AUDIENCE, ISSUER, type OwnClaims, TTL, wholeClaims } from "./claims.ts";
import { type Contender, type Operation, POOL_SIZE } from "./contender.ts";

/** How many promises are kept open where a library is asynchronous: a server under load, not one request after another. */
const IN_FLIGHT = 32;

/** Every peer that has the algorithm. @param typ the header's `typ`, for those that refuse what they do not expect. */
export function peersFor(algorithm: Algorithm, key: KeyForms, claims: readonly OwnClaims[], typ: string): Contender[] {
  return [
    ...(algorithm.family === "ML-DSA" ? [] : fastJwt(algorithm, key, claims, typ)),
    ...(algorithm.family === "ML-DSA" || algorithm.family === "EdDSA" ? [] : jwtDotIo(algorithm, key, claims, typ)),
    ...jose(algorithm, key, claims, typ),
    ...(algorithm.family === "ML-DSA" ? [] : hono(algorithm, key, claims, typ)),
  ];
}

function fastJwt({ alg }: Algorithm, key: KeyForms, claims: readonly OwnClaims[], typ: string): Contender[] {
  const algorithms = [alg as "HS256"];
  const checks = { key: key.publicText, algorithms, allowedIss: ISSUER, allowedAud: AUDIENCE };
  const sign = createSigner({
    key: key.privateText,
    algorithm: alg as "HS256",
    iss: ISSUER,
    aud: AUDIENCE,
    expiresIn: TTL * 1000,
    header: { alg, typ },
  });
  const verify = createVerifier(checks);
  const cache = POOL_SIZE * 2;
  const verifyCached = createVerifier({ ...checks, cache });
  const verifyCachedByToken = createVerifier({ ...checks, cache, cacheKeyBuilder: (token) => token });
  return [
    {
      name: "fast-jwt",
      sign: { call: (_, index) => sign(claims[index]!) },
      verify: { call: (token) => verify(token) },
    },
    { name: "fast-jwt, its cache", verify: { isCached: true, call: (token) => verifyCached(token) } },
    {
      name: "fast-jwt, its cache keyed by the whole token",
      verify: { isCached: true, call: (token) => verifyCachedByToken(token) },
    },
  ];
}

function jwtDotIo({ alg }: Algorithm, key: KeyForms, claims: readonly OwnClaims[], typ: string): Contender[] {
  const algorithm = alg as "HS256";
  const signing = { algorithm, issuer: ISSUER, audience: AUDIENCE, expiresIn: TTL, header: { alg, typ } };
  const checks = { algorithms: [algorithm], issuer: ISSUER, audience: AUDIENCE };
  return [
    {
      name: "jsonwebtoken, KeyObject",
      sign: { call: (_, index) => jsonwebtoken.sign(claims[index]!, key.privateKey, signing) },
      verify: { call: (token) => jsonwebtoken.verify(token, key.publicKey, checks) },
    },
    {
      name: "jsonwebtoken, string",
      sign: { call: (_, index) => jsonwebtoken.sign(claims[index]!, key.privateText, signing) },
      verify: { call: (token) => jsonwebtoken.verify(token, key.publicText, checks) },
    },
  ];
}

function jose({ alg }: Algorithm, key: KeyForms, claims: readonly OwnClaims[], typ: string): Contender[] {
  const checks = { algorithms: [alg], issuer: ISSUER, audience: AUDIENCE };
  const sign: Operation = {
    inFlight: 1,
    call: (_, index) =>
      new SignJWT({ ...claims[index]! })
        .setProtectedHeader({ alg, typ })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt()
        .setExpirationTime("1h")
        .sign(key.privateCryptoKey),
  };
  const verify: Operation = { inFlight: 1, call: (token) => joseVerify(token, key.publicCryptoKey, checks) };
  return sequentialAndInFlight("jose", sign, verify);
}

/** hono/jwt has no PS or EdDSA trouble of its own, but its `sign` writes `typ: JWT` and can't be told otherwise. */
function hono({ alg }: Algorithm, key: KeyForms, claims: readonly OwnClaims[], typ: string): Contender[] {
  const checks = { alg: alg as "HS256", iss: ISSUER, aud: AUDIENCE, typ };
  const honoAlg = alg as "HS256";
  const sign: Operation = {
    inFlight: 1,
    call: (_, index) => honoSign(wholeClaims(claims[index]!), key.privateCryptoKey, honoAlg),
  };
  const verify: Operation = { inFlight: 1, call: (token) => honoVerify(token, key.publicCryptoKey, checks) };
  return [
    {
      name: "hono/jwt, string",
      sign: {
        inFlight: 1,
        call: (_, index) => honoSign(wholeClaims(claims[index]!), key.privateText, honoAlg),
      },
      verify: { inFlight: 1, call: (token) => honoVerify(token, key.publicText, checks) },
    },
    ...sequentialAndInFlight("hono/jwt, CryptoKey", sign, verify),
  ];
}

function sequentialAndInFlight(name: string, sign: Operation, verify: Operation): Contender[] {
  return [
    { name, sign, verify },
    {
      name: `${name}, ${IN_FLIGHT} in flight`,
      sign: { ...sign, inFlight: IN_FLIGHT },
      verify: { ...verify, inFlight: IN_FLIGHT },
    },
  ];
}
