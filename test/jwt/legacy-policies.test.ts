import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  type Algorithm,
  allowUnscopedTokensOf,
  createKeySet,
  createVerifier,
  importKey,
  NO_AUDIENCE,
  NO_ISSUER,
  type PolicyOptions,
  type SecretAlgorithm,
  UNTYPED,
} from "../../src/jwt/index.ts";
import { fakeSystem } from "../support/fake-system.ts";
import { keyFor, refusalOf, setting, signRaw } from "./support.ts";

interface Vectors {
  readonly secret_utf8: string;
  readonly tokens: readonly {
    readonly name: string;
    readonly alg: SecretAlgorithm;
    readonly claims: Record<string, unknown>;
    readonly token: string;
  }[];
}

const vectors: Vectors = JSON.parse(readFileSync(new URL("../vectors/pyjwt-vectors.json", import.meta.url), "utf8"));

/** The vectors live for 76 years, so that they can be checked at any time. */
const LONG = { maxLifetime: 80 * 366 * 86400 } as const;

function verifierFor(alg: SecretAlgorithm, policy: PolicyOptions) {
  const keys = createKeySet([importKey(vectors.secret_utf8, { alg })]);
  return createVerifier({ keys, ...policy, ...LONG, system: fakeSystem(1_700_000_100) });
}

for (const { name, alg, claims, token } of vectors.tokens) {
  test(`PyJWT's token "${name}" is read as it was written (checklist 35)`, () => {
    const open = verifierFor(alg, { issuer: NO_ISSUER, audience: NO_AUDIENCE, typ: UNTYPED });
    const answer = () => open.verify(token);
    if (name === "other key") return assert.match(refusalOf(answer).reason, /signature/);
    if (name === "no exp") return assert.match(refusalOf(answer).reason, /exp is missing/);
    if (name === "no sub") return assert.equal(refusalOf(answer).code, "token_subject_missing");
    if (name === "expired")
      assert.equal(refusalOf(() => createVerifierAt(1_700_001_000, alg).verify(token)).code, "token_expired");
    assert.deepEqual({ ...answer() }, claims);
    return undefined;
  });
}

function createVerifierAt(now: number, alg: SecretAlgorithm) {
  const keys = createKeySet([importKey(vectors.secret_utf8, { alg })]);
  return createVerifier({ keys, issuer: NO_ISSUER, audience: NO_AUDIENCE, typ: UNTYPED, system: fakeSystem(now) });
}

test("the policy for each old service takes its own kind of token and no other (checklist 24, 57)", () => {
  const policies = {
    "seed 1 access": allowUnscopedTokensOf.drfRecipe("access"),
    "seed 1 refresh": allowUnscopedTokensOf.drfRecipe("refresh"),
    "seed 2 access": allowUnscopedTokensOf.ninjaService(),
  };
  for (const [kind, policy] of Object.entries(policies)) {
    for (const { name, alg, token } of vectors.tokens.filter((vector) => /^seed/.test(vector.name))) {
      const verify = () => verifierFor(alg, policy).verify(token).sub;
      if (name.startsWith(kind)) assert.equal(verify(), "42", name);
      else assert.equal(refusalOf(verify).code, "token_invalid", `${name} by ${kind}`);
    }
  }
});

test("old policies bound the lifetime as documented, and refuse tokens of ours", () => {
  const kinds: [PolicyOptions, object, number][] = [
    [allowUnscopedTokensOf.drfRecipe("access"), { type: "access" }, 1800],
    [allowUnscopedTokensOf.drfRecipe("refresh"), { type: "refresh" }, 7 * 86400],
    [allowUnscopedTokensOf.ninjaService(), { typ: "at+jwt" }, 3600],
    [allowUnscopedTokensOf.simplejwt("access"), { token_type: "access", user_id: "42" }, 300],
    [allowUnscopedTokensOf.simplejwt("refresh"), { token_type: "refresh", user_id: "42" }, 86400],
  ];
  for (const [policy, marks, lifetime] of kinds) {
    const old = setting("HS256", policy);
    const make = (claims: object, header: object = {}) =>
      old.token(
        { iss: undefined, aud: undefined, exp: old.system.now() + lifetime, ...marks, ...claims },
        { typ: "JWT", kid: undefined, ...header },
      );
    assert.equal(old.verify(make({})).sub, "42");
    assert.match(old.refusal(make({ exp: old.system.now() + lifetime + 1 })).reason, /maxLifetime/);
    assert.match(old.refusal(make({ iss: "x" })).reason, /iss is present/);
    assert.match(old.refusal(make({ aud: "x" })).reason, /aud is present/);
    assert.match(old.refusal(make({}, { typ: "at+jwt" })).reason, /typ is/);
    assert.equal(old.refusal(setting().token()).code, "token_invalid");
    assert.match(setting().refusal(make({})).reason, /typ is "JWT"/);
  }
});

test("simplejwt's user_id becomes sub, as text, whether it was text or number", () => {
  const old = setting("HS256", allowUnscopedTokensOf.simplejwt("access"));
  const base = { iss: undefined, aud: undefined, sub: undefined, exp: old.system.now() + 300, token_type: "access" };
  const make = (claims: object) => old.token({ ...base, ...claims }, { typ: "JWT", kid: undefined });
  assert.deepEqual(
    [old.verify(make({ user_id: "42" })).sub, old.verify(make({ user_id: "42" })).user_id],
    ["42", "42"],
  );
  assert.deepEqual([old.verify(make({ user_id: 42 })).sub, old.verify(make({ user_id: 42 })).user_id], ["42", 42]);
  assert.equal(old.verify(make({ user_id: 0 })).sub, "0");
  assert.equal(old.verify(make({ user_id: 42, sub: "42" })).sub, "42");
  for (const user_id of [undefined, ""]) assert.equal(old.refusal(make({ user_id })).code, "token_subject_missing");
  for (const user_id of [null, 4.2, 1e21, [], {}, true])
    assert.equal(old.refusal(make({ user_id })).code, "token_invalid");
  assert.match(old.refusal(make({ user_id: 42, sub: "43" })).reason, /sub and "user_id" name different subjects/);
  assert.match(old.refusal(make({ user_id: 42, sub: 42 })).reason, /different subjects/);
  assert.match(old.refusal(make({ user_id: 42, jti: undefined })).reason, /"jti" is required/);
  assert.match(
    old.refusal(make({ user_id: 42, token_type: "refresh" })).reason,
    /"token_type" is "refresh", not "access"/,
  );
});

test("a numeric sub is taken only where it was allowed", () => {
  const strict = setting();
  assert.equal(strict.refusal(strict.token({ sub: 42 })).code, "token_invalid");
  const lenient = setting("HS256", { allowNumericSubject: true });
  assert.equal(lenient.verify(lenient.token({ sub: 42 })).sub, "42");
  assert.equal(lenient.verify(lenient.token({ sub: "42" })).sub, "42");
  const truthy = setting("HS256", { allowNumericSubject: "yes" as unknown as boolean });
  assert.equal(truthy.refusal(truthy.token({ sub: 42 })).code, "token_invalid");
});

test("what we sign with PyJWT's secret has PyJWT's bytes (checklist 35)", () => {
  for (const { alg, claims, token } of vectors.tokens.filter(({ name }) => name.startsWith("seed"))) {
    const key = importKey(vectors.secret_utf8, { alg });
    assert.equal(signRaw(key, { alg, typ: "JWT" }, claims), token);
  }
  assert.ok(keyFor("HS256" satisfies Algorithm));
});
