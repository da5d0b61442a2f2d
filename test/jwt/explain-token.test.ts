import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  createKeySet,
  createRemoteKeySet,
  createVerifier,
  explainToken,
  generateKey,
  type TokenExplanation,
  toJwks,
  type Verifier,
} from "../../src/jwt/index.ts";
import { fakeSystem } from "../support/fake-system.ts";
import { AUDIENCE, encode, ISSUER, keyFor, signatureOf, signRaw } from "./support.ts";

const system = fakeSystem();
const now = system.now();
const key = keyFor("HS256");
const verifier = createVerifier({
  keys: createKeySet([key]),
  issuer: ISSUER,
  audience: AUDIENCE,
  requiredClaims: ["role"],
  system,
});
const header = { alg: "HS256", typ: "at+jwt", kid: "HS256" };
const claims = { iss: ISSUER, aud: AUDIENCE, sub: "42", iat: now, exp: now + 60, role: "admin" };
const explain = (token: unknown) => explainToken(token, verifier);
const failures = ({ checks }: TokenExplanation) =>
  checks.filter(({ outcome }) => outcome === "failed").map(({ name }) => name);

test("a good token passes every check", () => {
  const explanation = explain(signRaw(key, header, claims));
  assert.equal(explanation.isAccepted, true);
  assert.deepEqual([explanation.code, explanation.reason], [undefined, undefined]);
  assert.deepEqual(
    explanation.checks.map(({ name }) => name),
    [
      "form",
      "header",
      "signature",
      "claims",
      "iss",
      "aud",
      "times",
      "nbf",
      "lifetime",
      "jti",
      "role",
      "sub",
      "sub",
      "exp",
    ],
  );
  assert.ok(explanation.checks.every(({ outcome }) => outcome === "passed"));
  assert.deepEqual(explanation.unverified, { header, claims });
  assert.match(explanation.text, /^The token is accepted\./);
});

test("everything that is wrong is told, not only the first thing", () => {
  const explanation = explain(
    signRaw(generateKey("HS256"), header, { ...claims, iss: "x", aud: ["y"], role: undefined, exp: now - 60 }),
  );
  assert.equal(explanation.isAccepted, false);
  assert.equal(explanation.code, "token_invalid");
  assert.deepEqual(failures(explanation), ["signature", "iss", "aud", "role", "exp"]);
  assert.match(explanation.text, /The token is refused \(token_invalid\): the signature is not one by key "HS256"\.\n/);
  assert.match(explanation.text, /\n {2}exp: it expired 60 s ago\n/);
  assert.match(explanation.text, /Its claims, which anyone may have written:\n {2}\{"iss":"x"/);
});

test("what can't be checked is not reached", () => {
  const unknown = explain(signRaw(key, { ...header, kid: "other" }, claims));
  assert.deepEqual(failures(unknown), ["header"]);
  assert.deepEqual(
    unknown.checks.find(({ name }) => name === "signature"),
    { name: "signature", outcome: "not reached" },
  );
  const garbled = explain(signRaw(key, header, "not JSON"));
  assert.deepEqual(failures(garbled), ["claims"]);
  assert.equal(garbled.checks.find(({ name }) => name === "iss")?.outcome, "not reached");
  assert.deepEqual(garbled.unverified, { header });
  for (const odd of ["", "a.b", "é", undefined, 7, "x".repeat(9000)]) {
    const explanation = explain(odd);
    assert.deepEqual([explanation.isAccepted, failures(explanation)], [false, ["form"]]);
  }
  assert.deepEqual(explain("x".repeat(9000)).unverified, {});
  assert.match(
    explain(signRaw(key, header, { ...claims, x: "x".repeat(4000) })).checks[0]?.problem as string,
    /longer than 4096/,
  );
});

test("the text shows no signature and can't draw on the terminal", () => {
  const token = signRaw(key, { ...header, x: "\u001b[2J" }, { ...claims, name: "\u202eevil\u0007" });
  const { text } = explain(token);
  assert.ok(!text.includes(signatureOf(token)));
  assert.match(text, /\\u001b\[2J/);
  assert.match(text, /^[\x20-\x7e\n]*$/);
});

test("the verdict is the verifier's own, and the first failed check is its reason", () => {
  const part = fc.constantFrom(
    "iss",
    "aud",
    "sub",
    "exp",
    "iat",
    "nbf",
    "jti",
    "role",
    "kid",
    "typ",
    "alg",
    "signature",
  );
  const value = fc.constantFrom(undefined, null, "x", "", 7, ISSUER, now, now + 1e6, now - 1e6, [AUDIENCE]);
  fc.assert(
    fc.property(fc.array(fc.tuple(part, value), { maxLength: 3 }), (changes) => {
      const signer = changes.some(([name]) => name === "signature") ? generateKey("HS256") : key;
      const token = signRaw(
        signer,
        { ...header, ...pick(changes, ["kid", "typ", "alg"]) },
        { ...claims, ...pick(changes, ["iss", "aud", "sub", "exp", "iat", "nbf", "jti", "role"]) },
      );
      const explanation = explain(token);
      const [first] = explanation.checks.filter(({ outcome }) => outcome === "failed");
      assert.equal(explanation.isAccepted, first === undefined);
      assert.equal(explanation.reason, first?.problem);
    }),
    { numRuns: 500 },
  );
});

function pick(changes: readonly [string, unknown][], names: readonly string[]): object {
  return Object.fromEntries(changes.filter(([name]) => names.includes(name)));
}

test("with fetched keys the explanation is a promise", async () => {
  const es256 = generateKey("ES256");
  const keys = createRemoteKeySet("https://auth.example.com/jwks", {
    algorithms: ["ES256"],
    fetch: (async () => new Response(JSON.stringify(toJwks(createKeySet([es256]))))) as typeof fetch,
  });
  const remote = createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, system });
  const good = await explainToken(signRaw(es256, { ...header, alg: "ES256", kid: es256.kid }, claims), remote);
  assert.deepEqual([good.isAccepted, failures(good)], [true, []]);
  const bad = await explainToken("x", remote);
  assert.deepEqual([bad.isAccepted, bad.code, failures(bad)], [false, "token_invalid", ["form"]]);
});

test("a refusal by the schema is told, and something that is no verifier is a mistake", () => {
  const strict = createVerifier({
    keys: createKeySet([key]),
    issuer: ISSUER,
    audience: AUDIENCE,
    system,
    claims: { "~standard": { version: 1, vendor: "t", validate: () => ({ issues: [] }) } },
  });
  const explanation = explainToken(signRaw(key, header, claims), strict);
  assert.deepEqual(
    [explanation.isAccepted, explanation.reason],
    [false, "the claims do not fit the schema: as a whole"],
  );
  assert.throws(() => explainToken("x", { verify: () => ({}) } as unknown as Verifier), TypeError);
  assert.ok(encode("x"));
});

test("a text that is no token is explained by its form, and what comes after is not reached", () => {
  for (const [token, problem] of [
    [7, "the token is not a text"],
    ["a.b", "the token is not three parts with dots between them"],
    ["a+b.c.d", "the token is not base64url"],
  ] as const) {
    const { checks, unverified, isAccepted } = explain(token);
    assert.equal(isAccepted, false);
    assert.deepEqual(checks[0], { name: "form", outcome: "failed", problem });
    const later = typeof token === "string" ? ["header", "signature", "claims"] : [];
    assert.deepEqual(
      checks.slice(1),
      later.map((name) => ({ name, outcome: "not reached" })),
    );
    if (token === "a+b.c.d") assert.deepEqual(unverified, {});
  }
});

test("claims at their limit are in form, and one character more is told", () => {
  const small = createVerifier({
    keys: createKeySet([key]),
    issuer: ISSUER,
    audience: AUDIENCE,
    system,
    maxClaimsLength: 200,
  });
  const formOf = (length: number) => {
    const token = signRaw(key, header, "x".repeat((length * 3) / 4));
    return explainToken(token, small).checks[0];
  };
  assert.deepEqual(formOf(200), { name: "form", outcome: "passed" });
  assert.deepEqual(formOf(204), {
    name: "form",
    outcome: "failed",
    problem: "the claims are longer than 200 characters",
  });
});

test("what a token says of itself is shown in printable ASCII, whatever it says (checklist 89)", () => {
  const { text } = explain(signRaw(key, header, { ...claims, role: "\u00e9\u202e\u001b\ud83d\ude00" }));
  assert.ok(text.includes('"role":"\\u00e9\\u202e\\u001b\\ud83d\\ude00"'), text);
  assert.ok(text.includes("Its header, which anyone may have written:\n  {"));
  assert.ok(text.includes("Its claims, which anyone may have written:\n  {"));
  assert.doesNotMatch(explain(`${encode("no json")}.${encode("nor this")}.AAAA`).text, /Its header|Its claims/);
});

test("only a verifier of ours can be asked", () => {
  assert.throws(
    () => explainToken("a.b.c", { verify: () => ({}) } as never),
    /needs a verifier that createVerifier made/,
  );
});
