import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allowUnscopedTokensOf,
  combineVerifiers,
  createKeySet,
  createRemoteKeySet,
  createSigner,
  createVerifier,
  generateKey,
  type Key,
  NO_AUDIENCE,
  NO_ISSUER,
  type PrivateKey,
  toJwks,
} from "../../src/jwt/index.ts";
import { fakeSystem } from "../support/fake-system.ts";
import { AUDIENCE, ISSUER, refusalOf, signRaw } from "./support.ts";

const OTHER = "https://other.example";
const system = fakeSystem();

function issuer(name: string, key: Key) {
  const options = { keys: createKeySet([key]), issuer: name, audience: AUDIENCE, system };
  return {
    verifier: createVerifier(options),
    sign: (sub: string) => createSigner({ ...options, ttl: "15m" }).sign({ sub }),
  };
}

test("each issuer is judged with its own keys and algorithms", () => {
  const ours = issuer(ISSUER, generateKey("HS256"));
  const theirs = issuer(OTHER, generateKey("ES256"));
  const { verify } = combineVerifiers([ours.verifier, theirs.verifier]);
  assert.equal(verify(ours.sign("1")).iss, ISSUER);
  assert.equal(verify(theirs.sign("2")).iss, OTHER);
});

test("a key of one issuer can't vouch for another, even under the other's kid", () => {
  const ours = issuer(ISSUER, generateKey("ES256", { kid: "1" }));
  const evil = generateKey("ES256", { kid: "1" });
  const theirs = issuer(OTHER, evil);
  const { verify } = combineVerifiers([ours.verifier, theirs.verifier]);
  const now = system.now();
  const forged = signRaw(
    evil,
    { alg: "ES256", typ: "at+jwt", kid: "1" },
    { iss: ISSUER, aud: AUDIENCE, sub: "1", iat: now, exp: now + 60 },
  );
  assert.match(refusalOf(() => verify(forged)).reason, /signature/);
  const stranger = signRaw(
    evil,
    { alg: "ES256", typ: "at+jwt", kid: "1" },
    { iss: "https://third.example", aud: AUDIENCE, sub: "1", iat: now, exp: now + 60 },
  );
  assert.match(
    refusalOf(() => verify(stranger)).reason,
    /iss is "https:\/\/third.example", which is no trusted issuer/,
  );
});

test("whatever can't be read is refused with an AuthError, before any verifier is asked", () => {
  const key = generateKey("HS256");
  const { verify } = combineVerifiers([issuer(ISSUER, key).verifier]);
  const header = { alg: "HS256", typ: "at+jwt", kid: "HS256" };
  const bad: unknown[] = [
    undefined,
    7,
    {},
    "",
    "a.b",
    "a.b.c",
    "é.b.c",
    "x".repeat(9000),
    signRaw(key, header, "not JSON"),
    signRaw(key, header, "[]"),
    signRaw(key, header, "null"),
    signRaw(key, header, '{"iss":7}'),
    signRaw(key, header, '{"iss":null}'),
    signRaw(key, header, '{"iss":"a","iss":"b"}'),
    signRaw(key, header, "{}"),
  ];
  for (const token of bad) assert.equal(refusalOf(() => verify(token as string)).code, "token_invalid", String(token));
  assert.match(refusalOf(() => verify(signRaw(key, header, "{}"))).reason, /iss is missing/);
});

test("tokens that name no issuer go to the verifier for such tokens, if there is one", () => {
  const key = generateKey("HS256");
  const ours = issuer(ISSUER, generateKey("HS256"));
  const old = createVerifier({ keys: createKeySet([key]), ...allowUnscopedTokensOf.drfRecipe("access"), system });
  const { verify } = combineVerifiers([ours.verifier, old]);
  const now = system.now();
  assert.equal(
    verify(signRaw(key, { alg: "HS256", typ: "JWT" }, { sub: "7", type: "access", iat: now, exp: now + 60 })).sub,
    "7",
  );
  assert.equal(verify(ours.sign("8")).sub, "8");
});

test("one that fetches keys makes the combination asynchronous", async () => {
  const key: PrivateKey = generateKey("ES256");
  const ours = issuer(ISSUER, generateKey("HS256"));
  const theirs = issuer(OTHER, key);
  const remote = createRemoteKeySet("https://other.example/jwks", {
    algorithms: ["ES256"],
    fetch: (async () => new Response(JSON.stringify(toJwks(createKeySet([key]))))) as typeof fetch,
    system,
  });
  const { verify } = combineVerifiers([
    ours.verifier,
    createVerifier({ keys: remote, issuer: OTHER, audience: AUDIENCE, system }),
  ]);
  assert.ok(verify(ours.sign("1")) instanceof Promise);
  assert.equal((await verify(theirs.sign("2"))).sub, "2");
  await assert.rejects(verify("x"), { code: "token_invalid" });
});

test("two verifiers for one issuer, or none at all, are a mistake", () => {
  const { verifier } = issuer(ISSUER, generateKey("HS256"));
  assert.throws(() => combineVerifiers([]), TypeError);
  assert.throws(
    () => combineVerifiers([verifier, verifier]),
    /two verifiers are for the issuer https:\/\/auth.example.com/,
  );
  const open = createVerifier({ keys: createKeySet([generateKey("HS256")]), issuer: NO_ISSUER, audience: NO_AUDIENCE });
  assert.throws(() => combineVerifiers([open, open]), /two verifiers/);
});

test("a token that no issuer can be read from is refused for what is wrong with it", () => {
  const key = generateKey("HS256");
  const verifier = combineVerifiers([
    createVerifier({ keys: createKeySet([key]), issuer: ISSUER, audience: AUDIENCE, system }),
  ]);
  const reasonOf = (token: unknown) => refusalOf(() => verifier.verify(token as string)).reason;
  const withClaims = (claims: string | object) => signRaw(key, { alg: "HS256", typ: "at+jwt" }, claims);
  assert.equal(reasonOf(7), "the token is not a text");
  assert.equal(reasonOf("a.b"), "the token is not three parts with dots between them");
  assert.equal(reasonOf("YQ.YR.YQ"), "the claims are not canonical base64url");
  assert.equal(reasonOf(withClaims("{")), "the text of the claims is not JSON");
  assert.equal(reasonOf(withClaims(`{"iss":"a","iss":"b"}`)), "the text of the claims names a member twice");
  assert.match(reasonOf(withClaims("[".repeat(17) + "]".repeat(17))), /nests more than 16 levels/);
  assert.equal(reasonOf(withClaims("7")), "the claims are not a JSON object");
  assert.equal(reasonOf(withClaims("null")), "the claims are not a JSON object");
  assert.equal(reasonOf(withClaims({ iss: 7 })), "iss is 7, not a text");
  assert.equal(reasonOf(withClaims({ sub: "1" })), "iss is missing");
  assert.match(reasonOf(withClaims({ iss: "https://evil.example" })), /which is no trusted issuer/);
});
