/** What the tests of tokens share: keys of every algorithm, tokens with any header and claims under a good signature, and what a verifier says of them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { AuthError } from "../../src/errors.ts";
import {
  type Algorithm,
  createKeySet,
  createVerifier,
  generateKey,
  importKey,
  type Jwk,
  type Key,
  type PolicyOptions,
} from "../../src/jwt/index.ts";
import { materialOf } from "../../src/jwt/key.ts";
import { type FakeSystem, fakeSystem } from "../support/fake-system.ts";

export const ISSUER = "https://auth.example.com";
export const AUDIENCE = "https://api.example.com";

export interface JwsVector {
  readonly source: string;
  readonly alg: Algorithm;
  readonly deterministic: boolean;
  readonly thumbprint?: string;
  readonly jwk: Jwk;
  readonly jws: string;
}

export const jwsVectors: readonly JwsVector[] = JSON.parse(
  readFileSync(new URL("../vectors/jws.json", import.meta.url), "utf8"),
);

/** RFC 7520 §3.4: an RSA key is slow to make, and one serves all tests. */
const rsaJwk = (() => {
  const vector = jwsVectors.find(({ source }) => source === "RFC 7520 §4.1") as JwsVector;
  const { kid: _, use: __, ...jwk } = vector.jwk;
  return jwk;
})();

const keys = new Map<Algorithm, Key>();

/** A key that can sign, always the same for an algorithm. */
export function keyFor(alg: Algorithm): Key {
  const known = keys.get(alg);
  if (known) return known;
  const isRsa = alg.startsWith("RS") || alg.startsWith("PS");
  const key: Key = isRsa ? importKey(rsaJwk, { alg }) : generateKey(alg);
  keys.set(alg, key);
  return key;
}

export function encode(content: object | string | Uint8Array): string {
  const isRaw = typeof content === "string" || content instanceof Uint8Array;
  return Buffer.from(isRaw ? content : JSON.stringify(content)).toString("base64url");
}

/** Signs any header and any claims, given as values, as JSON text or as bytes. */
export function signRaw(key: Key, header: object | string | Uint8Array, claims: object | string | Uint8Array): string {
  return signEncoded(key, encode(header), encode(claims));
}

/** Signs two parts that are encoded already, rightly or not. */
export function signEncoded(key: Key, header: string, claims: string): string {
  const sign = materialOf(key).sign as (header: string, payload: string) => string;
  return `${header}.${claims}.${sign(`${header}.`, claims)}`;
}

/** The signature part of a token. */
export function signatureOf(token: string): string {
  return token.slice(token.lastIndexOf(".") + 1);
}

/** The same token with other bytes as its signature. */
export function withSignature(token: string, signature: Uint8Array): string {
  return `${token.slice(0, token.lastIndexOf("."))}.${encode(signature)}`;
}

export interface Setting {
  readonly system: FakeSystem;
  readonly key: Key;
  readonly header: { readonly alg: string; readonly typ: string; readonly kid: string };
  /** The claims of a good token. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** A token with these header members and claims instead of the good ones; `undefined` leaves one out. */
  token(claims?: object, header?: object): string;
  verify(token: unknown): Readonly<Record<string, unknown>>;
  /** The refusal of a token. */
  refusal(token: unknown): AuthError;
}

/** A verifier with a key and a clock of its own. */
export function setting(alg: Algorithm = "HS256", policy: Partial<PolicyOptions> = {}): Setting {
  const system = fakeSystem();
  const key = keyFor(alg);
  const now = system.now();
  const verifier = createVerifier({ keys: createKeySet([key]), issuer: ISSUER, audience: AUDIENCE, system, ...policy });
  const header = { alg: key.alg, typ: "at+jwt", kid: key.kid };
  const claims = { iss: ISSUER, aud: AUDIENCE, sub: "42", jti: "j1", iat: now, exp: now + 900 };
  const verify = (token: unknown) => verifier.verify(token as string);
  return {
    system,
    key,
    header,
    claims,
    verify,
    token: (otherClaims, otherHeader) => signRaw(key, { ...header, ...otherHeader }, { ...claims, ...otherClaims }),
    refusal: (token) => refusalOf(() => verify(token)),
  };
}

/** What a call is refused with. It must be an AuthError and nothing else. */
export function refusalOf(call: () => unknown): AuthError {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof AuthError, `expected an AuthError, not ${error}`);
    return error;
  }
  return assert.fail("expected a refusal");
}
