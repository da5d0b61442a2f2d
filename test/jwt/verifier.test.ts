import assert from "node:assert/strict";
import { test } from "node:test";
import {
  algorithms,
  createKeySet,
  createVerifier,
  generateKey,
  NO_AUDIENCE,
  NO_ISSUER,
  type PolicyOptions,
  UNTYPED,
} from "../../src/jwt/index.ts";
import { AUDIENCE, encode, ISSUER, keyFor, refusalOf, setting, signEncoded, signRaw } from "./support.ts";

for (const alg of algorithms) {
  test(`a good ${alg} token is taken, a token with another alg in its header is not (checklist 1)`, () => {
    const { token, verify, refusal, claims } = setting(alg);
    assert.deepEqual({ ...verify(token()) }, claims);
    for (const other of [...algorithms.filter((name) => name !== alg), "none", "", alg.toLowerCase(), `${alg} `]) {
      const { code, reason } = refusal(token({}, { alg: other }));
      assert.equal(code, "token_invalid");
      assert.match(reason, new RegExp(`is for ${alg}`));
    }
  });
}

test("alg none is refused in every spelling, with and without a signature (checklist 2)", () => {
  const { token, refusal } = setting();
  for (const alg of [
    "none",
    "None",
    "NONE",
    "nOnE",
    " none",
    "none ",
    "none\n",
    "no\u200bne",
    "",
    null,
    [],
    ["HS256"],
    { a: 1 },
    0,
    true,
  ]) {
    const signed = token({}, { alg });
    assert.equal(refusal(signed).code, "token_invalid");
    assert.equal(refusal(`${signed.slice(0, signed.lastIndexOf("."))}.`).code, "token_invalid");
    assert.equal(refusal(signed.slice(0, signed.lastIndexOf("."))).code, "token_invalid");
  }
  assert.match(refusal(token({}, { alg: undefined })).reason, /no alg/);
});

test("algorithm confusion: an HMAC made with the public key's text does not pass for its signature (checklist 3)", async () => {
  const { createHmac } = await import("node:crypto");
  const { toPublicPem } = await import("../../src/jwt/index.ts");
  const { key, claims, refusal } = setting("RS256");
  for (const alg of ["HS256", "RS256"]) {
    const input = `${encode({ alg, typ: "at+jwt", kid: key.kid })}.${encode(claims)}`;
    const code = createHmac("sha256", toPublicPem(key as never))
      .update(input)
      .digest("base64url");
    assert.equal(refusal(`${input}.${code}`).code, "token_invalid");
  }
});

test("key material and addresses in the header are never used (checklist 10)", () => {
  const stranger = generateKey("HS256", { kid: "HS256" });
  const { header, claims, refusal, token, verify } = setting();
  const members = {
    jku: "https://evil.example",
    x5u: "https://evil.example",
    jwk: { kty: "oct", k: "A".repeat(43) },
    x5c: ["MIIB"],
  };
  const before = globalThis.fetch;
  globalThis.fetch = () => assert.fail("something was fetched");
  try {
    assert.match(refusal(signRaw(stranger, { ...header, ...members }, claims)).reason, /signature/);
    assert.equal(verify(token({}, members)).sub, "42");
  } finally {
    globalThis.fetch = before;
  }
});

test("kid is a bounded text that names one of our keys, and nothing that objects inherit (checklist 11)", () => {
  const { token, refusal, verify, header } = setting();
  for (const kid of [
    "other",
    "__proto__",
    "constructor",
    "toString",
    "../../etc/passwd",
    "' or 1=1 --",
    "HS256\0",
    "hs256",
  ]) {
    assert.match(refusal(token({}, { kid })).reason, /kid ".*" is unknown/);
  }
  for (const kid of ["", "x".repeat(257), 7, null, {}, ["HS256"], true]) {
    assert.match(refusal(token({}, { kid })).reason, /has a kid that is not a text of 1 to 256 characters/);
  }
  assert.match(refusal(token({}, { kid: "x".repeat(256) })).reason, /is unknown/);
  assert.equal(verify(token({}, { kid: header.kid })).sub, "42");
});

test("a token without kid is for the only key, for the one that the set names, or refused", () => {
  const [one, two] = [generateKey("HS256", { kid: "1" }), generateKey("HS256", { kid: "2" })];
  const { system, claims } = setting();
  const verifier = (keys: ReturnType<typeof createKeySet>) =>
    createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, system });
  const token = signRaw(two, { alg: "HS256", typ: "at+jwt" }, claims);
  assert.equal(verifier(createKeySet([two])).verify(token).sub, "42");
  assert.match(refusalOf(() => verifier(createKeySet([one, two])).verify(token)).reason, /kid is missing/);
  assert.equal(verifier(createKeySet([one, two], { withoutKid: "2" })).verify(token).sub, "42");
  assert.match(
    refusalOf(() => verifier(createKeySet([one, two], { withoutKid: "1" })).verify(token)).reason,
    /signature/,
  );
});

test("any crit is refused, and so are b64, zip and enc (checklist 12, 30)", () => {
  const { token, refusal } = setting();
  for (const crit of [["exp"], ["b64"], ["alg"], [], ["x", "x"], "exp", null, 7, {}, [7], ["http://example.com/x"]]) {
    assert.match(refusal(token({}, { crit, exp: 1, b64: true })).reason, /has crit/, JSON.stringify(crit));
  }
  for (const member of [{ b64: true }, { b64: false }, { zip: "DEF" }, { enc: "A128GCM" }, { b64: null }]) {
    assert.match(refusal(token({}, member)).reason, /unencoded, compressed or encrypted/);
  }
});

test("a token is three parts that are not empty: JSON serializations and JWE fail like any other text (checklist 13)", () => {
  const { token, refusal } = setting();
  const good = token();
  const [header, claims, signature] = good.split(".") as [string, string, string];
  const wrong = [
    "",
    ".",
    "..",
    "...",
    "....",
    "a",
    "a.b",
    "a.b.",
    ".b.c",
    "a..c",
    "a.b.c.d",
    `${header}.${claims}`,
    `${header}.${claims}.`,
    `${header}..${signature}`,
    `.${claims}.${signature}`,
    `${header}.`,
    `${header}..`,
    `${header}.${claims}..`,
    `${good}.`,
    `.${good}`,
    `${good}.${good}`,
    `${header}.${claims}.${signature}.x.y`,
    `${header}.a.b.c.d`,
    JSON.stringify({ payload: claims, protected: header, signature }),
    JSON.stringify({ payload: claims, signatures: [{ protected: header, signature }] }),
  ];
  for (const text of wrong) assert.equal(refusal(text).code, "token_invalid", text);
});

test("a token has one spelling: padding, spaces, the other alphabet and stray bits are refused (checklist 14)", () => {
  const { token, refusal, header, claims, key } = setting();
  const good = token();
  const [head, body, signature] = good.split(".") as [string, string, string];
  const spellings = [
    ` ${good}`,
    `${good} `,
    `${good}\n`,
    `${good}=`,
    `${head}=.${body}.${signature}`,
    `${head}.${body}=.${signature}`,
    `${head} .${body}.${signature}`,
    `${head}.${body}.\n${signature}`,
    `${head}.${body}.${signature.slice(0, -1)}`,
    `${head}.${body}.${signature}A`,
    `${head}.${body}.${signature.slice(0, 9)}.${signature.slice(9)}`,
    `${good}\0`,
    `\ufeff${good}`,
    good.replace(".", "%2E"),
  ];
  for (const text of spellings) assert.equal(refusal(text).code, "token_invalid", JSON.stringify(text));
  // The same, but the signature is over the other spelling: whoever holds the key writes it one way, too.
  const padded = encode(JSON.stringify({ ...claims, pad: "" }));
  const encodedHeader = encode(header);
  for (const bad of [
    `${padded}=`,
    `${padded}==`,
    ` ${padded}`,
    `${padded.slice(0, 8)}\n${padded.slice(8)}`,
    `${padded}A`.slice(0, padded.length + 1),
    `${padded.slice(0, -1)}+`,
    `${padded.slice(0, -1)}/`,
  ]) {
    assert.equal(refusal(signEncoded(key, encodedHeader, bad)).code, "token_invalid", bad.slice(-6));
  }
  for (const bad of [
    `${encodedHeader}=`,
    ` ${encodedHeader}`,
    `${encodedHeader.slice(0, 8)}\n${encodedHeader.slice(8)}`,
  ]) {
    assert.equal(refusal(signEncoded(key, bad, body)).code, "token_invalid");
  }
});

test("each last character with stray bits is refused in every part, though Node's decoder ignores them (checklist 14)", () => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const { claims, header, key, verify, refusal } = setting();
  for (const pad of ["", "x", "xx"]) {
    const body = encode({ ...claims, pad });
    for (const last of alphabet) {
      const spelled = body.slice(0, -1) + last;
      const token = signEncoded(key, encode(header), spelled);
      if (spelled === body) assert.equal(verify(token).pad, pad);
      else assert.equal(refusal(token).code, "token_invalid");
    }
  }
  const good = signRaw(key, header, claims);
  for (const last of alphabet) {
    const spelled = good.slice(0, -1) + last;
    if (spelled !== good) assert.match(refusal(spelled).reason, /signature/);
  }
});

test("a character above 0x7F is refused before the token is touched, also one whose low byte would fit (checklist 14)", () => {
  const { token, refusal } = setting();
  const good = token();
  for (const at of [0, 10, good.indexOf(".") - 1, good.indexOf(".") + 5, good.length - 1]) {
    for (const offset of [0x100, 0x400, 0x2000]) {
      const lookalike = String.fromCharCode(good.charCodeAt(at) + offset);
      assert.match(refusal(good.slice(0, at) + lookalike + good.slice(at + 1)).reason, /not ASCII/);
    }
    assert.match(refusal(`${good.slice(0, at)}é${good.slice(at + 1)}`).reason, /not ASCII/);
    assert.match(refusal(`${good.slice(0, at)}\ud800${good.slice(at + 1)}`).reason, /not ASCII/);
  }
});

test("header and claims are JSON objects in UTF-8 without byte order mark or duplicate names (checklist 15)", () => {
  const { claims, header, key, refusal } = setting();
  const texts: readonly (string | Uint8Array)[] = [
    "",
    "null",
    "7",
    '"text"',
    "true",
    "[]",
    "[{}]",
    "{",
    "{}x",
    "{'a':1}",
    '{"a":1,}',
    "NaN",
    "\ufeff{}",
    Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(JSON.stringify(claims))]),
    Buffer.from(JSON.stringify({ ...claims, name: "é" }), "latin1"),
    Buffer.concat([
      Buffer.from(JSON.stringify(claims).slice(0, -1)),
      Buffer.from(',"x":"'),
      Buffer.from([0xff]),
      Buffer.from('"}'),
    ]),
    Buffer.from(JSON.stringify(claims), "utf16le"),
    `${JSON.stringify(claims).slice(0, -1)},"sub":"43"}`,
    `${JSON.stringify(claims).slice(0, -1)},"\\u0073ub":"43"}`,
    `${JSON.stringify(claims).slice(0, -1)},"x":{"a":1,"a":1}}`,
    `${JSON.stringify(claims).slice(0, -1)},"x":1e999}`,
    `${JSON.stringify(claims).slice(0, -1)},"__proto__":{"admin":true}}`,
    `${JSON.stringify(claims).slice(0, -1)},"x":"\n"}`,
  ];
  for (const text of texts) {
    assert.equal(refusal(signEncoded(key, encode(header), encode(text) || "AA")).code, "token_invalid", String(text));
  }
  const headers: readonly (string | Uint8Array)[] = [
    "{}",
    "null",
    "[]",
    '"HS256"',
    "7",
    "{",
    "\ufeff{}",
    `${JSON.stringify(header).slice(0, -1)},"alg":"HS256"}`,
    `${JSON.stringify(header).slice(0, -1)},"\\u0061lg":"HS256"}`,
    `${JSON.stringify(header).slice(0, -1)},"__proto__":{"crit":1}}`,
    Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(JSON.stringify(header))]),
    Buffer.concat([Buffer.from('{"x":"'), Buffer.from([0xc3]), Buffer.from(`",${JSON.stringify(header).slice(1)}`)]),
    `{"__proto__":${JSON.stringify(header)}}`,
  ];
  for (const text of headers) assert.equal(refusal(signRaw(key, text, claims)).code, "token_invalid", String(text));
});

test("spaces, escapes and another order in JSON are taken, because they have one meaning", () => {
  const { claims, header, key, verify } = setting();
  const escaped = JSON.stringify({ ...claims, name: "Zoë" })
    .replace("ë", "\\u00eb")
    .replaceAll("/", "\\/");
  assert.equal(verify(signRaw(key, header, escaped)).name, "Zoë");
  assert.equal(
    verify(signRaw(key, JSON.stringify(header, undefined, 1), JSON.stringify(claims, undefined, "\t"))).sub,
    "42",
  );
  assert.equal(verify(signRaw(key, header, { 10: "ten", ...claims, 2: "two" }))[10], "ten");
  assert.equal(verify(signRaw(key, header, { ...claims, replacement: "\ufffd" })).replacement, "\ufffd");
});

test("the lengths of token, header and claims and the depth of JSON are bounded before they are read (checklist 16)", () => {
  const { token, refusal, verify } = setting();
  const filler = (length: number) => ({ x: "x".repeat(length) });
  assert.equal((verify(token(filler(2900))).x as string).length, 2900);
  assert.match(refusal(token(filler(3000))).reason, /claims are longer than 4096 characters/);
  assert.match(refusal("a".repeat(8193)).reason, /longer than 8192/);
  assert.doesNotMatch(refusal("a".repeat(8192)).reason, /longer/);
  assert.match(refusal(token({}, { x: "x".repeat(800) })).reason, /header is longer than 1024/);
  assert.equal(verify(token({}, { x: "x".repeat(600) })).sub, "42");
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
  assert.equal(verify(token({ x: nested(15) })).sub, "42");
  assert.match(refusal(token({ x: nested(16) })).reason, /nests more than 16/);
  assert.match(refusal(token({}, { x: nested(16) })).reason, /header nests more than 16/);
  const large = setting("HS256", { maxClaimsLength: 8192 });
  assert.equal(large.verify(large.token(filler(5500))).sub, "42");
});

test("the signature is checked before the claims are looked at (checklist 17)", () => {
  const { header, refusal, claims } = setting();
  const stranger = generateKey("HS256");
  for (const body of ["not JSON", "", JSON.stringify({ ...claims, exp: 1 }), "[".repeat(100)]) {
    assert.match(refusal(signEncoded(stranger, encode(header), encode(body) || "AA")).reason, /signature/);
  }
});

test("exp is required, finite, and in the future; the tolerance is explicit and at most 60 s (checklist 18)", () => {
  const { token, refusal, verify, system } = setting();
  const now = system.now();
  for (const exp of [undefined, null, "", "1900000000", [1900000000], {}, true, false]) {
    assert.equal(refusal(token({ exp })).code, "token_invalid");
    assert.match(refusal(token({ exp })).reason, /^exp is/);
  }
  for (const exp of ["1e999", "-1e999"]) {
    const { claims, header, key } = setting();
    const text = JSON.stringify(claims).replace(/"exp":\d+/, `"exp":${exp}`);
    assert.equal(refusal(signRaw(key, header, text)).code, "token_invalid");
  }
  assert.equal(verify(token({ iat: now - 10, exp: now - 4 })).exp, now - 4);
  const expired = refusal(token({ iat: now - 10, exp: now - 5 }));
  assert.equal(expired.code, "token_expired");
  assert.equal(expired.message, "Token has expired");
  assert.equal(refusal(token({ iat: -5, exp: 0 })).code, "token_expired");
  assert.equal(refusal(token({ iat: -5, exp: -1 })).code, "token_expired");
  assert.equal(verify(token({ iat: now, exp: now + 0.5 })).exp, now + 0.5);
  const keys = createKeySet([keyFor("HS256")]);
  for (const tolerance of [61, "2m", -1, 0.5, Number.NaN, "60", ""] as PolicyOptions["tolerance"][]) {
    assert.throws(
      () => createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, tolerance: tolerance as number }),
      TypeError,
    );
  }
  const lenient = setting("HS256", { tolerance: "60s" });
  assert.equal(lenient.verify(lenient.token({ iat: now - 100, exp: now - 59 })).sub, "42");
  assert.equal(lenient.refusal(lenient.token({ iat: now - 100, exp: now - 60 })).code, "token_expired");
});

test("nbf is honoured; iat is required, finite and not in the future (checklist 19)", () => {
  const { token, refusal, verify, system } = setting();
  const now = system.now();
  for (const value of [null, "1", [], {}, true, ""]) {
    assert.match(refusal(token({ iat: value })).reason, /^iat is/);
    assert.match(refusal(token({ nbf: value })).reason, /^nbf is/);
  }
  assert.match(refusal(token({ iat: undefined })).reason, /iat is missing/);
  assert.equal(verify(token({ nbf: now + 5 })).nbf, now + 5);
  assert.equal(verify(token({ iat: now + 5 })).iat, now + 5);
  for (const claims of [{ nbf: now + 6 }, { iat: now + 6 }]) {
    const { code, reason } = refusal(token(claims));
    assert.equal(code, "token_invalid");
    assert.match(reason, /is 6 s in the future/);
  }
  assert.equal(verify(token({ nbf: -1 })).nbf, -1);
});

test("the lifetime is bounded by the verifier, whatever the issuer wrote (checklist 20)", () => {
  const { token, refusal, verify, system } = setting();
  const now = system.now();
  assert.equal(verify(token({ exp: now + 3600 })).sub, "42");
  assert.match(refusal(token({ exp: now + 3601 })).reason, /lives 3601 s, longer than maxLifetime, 3600 s/);
  assert.match(refusal(token({ iat: now - 1e9 })).reason, /longer than maxLifetime/);
  assert.match(refusal(token({ exp: 4102444800 })).reason, /longer than maxLifetime/);
  const week = setting("HS256", { maxLifetime: "7d" });
  assert.equal(week.verify(week.token({ exp: now + 7 * 86400 })).sub, "42");
  const keys = createKeySet([keyFor("HS256")]);
  assert.throws(() => createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, maxLifetime: 0 }), TypeError);
});

test("iss is required and exactly ours (checklist 21)", () => {
  const { token, refusal } = setting();
  for (const iss of [
    undefined,
    null,
    "",
    `${ISSUER}/`,
    ISSUER.toUpperCase(),
    ` ${ISSUER}`,
    [ISSUER],
    { a: ISSUER },
    7,
    "https://evil.example",
  ]) {
    assert.match(refusal(token({ iss })).reason, /^iss is/, String(iss));
  }
  const open = setting("HS256", { issuer: NO_ISSUER });
  assert.equal(open.verify(open.token({ iss: undefined })).sub, "42");
  assert.match(open.refusal(open.token()).reason, /iss is present/);
  assert.match(open.refusal(open.token({ iss: null })).reason, /iss is present/);
});

test("aud is required: ours, or an array of texts that holds ours (checklist 22)", () => {
  const { token, refusal, verify } = setting();
  for (const aud of [
    undefined,
    null,
    "",
    `${AUDIENCE}/`,
    AUDIENCE.slice(0, -1),
    [],
    ["https://other.example"],
    [AUDIENCE, 7],
    [[AUDIENCE]],
    { 0: AUDIENCE },
    [null, AUDIENCE],
    7,
    true,
  ]) {
    assert.match(refusal(token({ aud })).reason, /^aud/, JSON.stringify(aud));
  }
  assert.deepEqual(verify(token({ aud: [AUDIENCE] })).aud, [AUDIENCE]);
  assert.deepEqual(verify(token({ aud: ["https://other.example", AUDIENCE] })).aud, [
    "https://other.example",
    AUDIENCE,
  ]);
  const two = setting("HS256", { audience: ["a", "b"] });
  assert.equal(two.verify(two.token({ aud: "b" })).aud, "b");
  assert.deepEqual(two.verify(two.token({ aud: ["c", "a"] })).aud, ["c", "a"]);
  assert.match(two.refusal(two.token({ aud: "c" })).reason, /"c", which is not ours/);
  assert.match(two.refusal(two.token({ aud: ["c", "d"] })).reason, /2 audiences, none of them ours/);
  const none = setting("HS256", { audience: NO_AUDIENCE });
  assert.equal(none.verify(none.token({ aud: undefined })).sub, "42");
  for (const aud of [AUDIENCE, [], null, ""]) assert.match(none.refusal(none.token({ aud })).reason, /aud is present/);
});

test("sub is a text that is not empty, and missing has a code of its own (checklist 23)", () => {
  const { token, refusal } = setting();
  for (const sub of [undefined, ""]) {
    const { code, message } = refusal(token({ sub }));
    assert.equal(code, "token_subject_missing");
    assert.equal(message, "Token payload missing 'sub' field");
  }
  for (const sub of [null, 42, ["42"], {}, true, 4.2]) {
    assert.equal(refusal(token({ sub })).code, "token_invalid");
    assert.match(refusal(token({ sub })).reason, /"sub" is .*, not a text/);
  }
  for (const jti of ["", null, 7, [], {}]) assert.match(refusal(token({ jti })).reason, /jti is/);
});

test("only the time being wrong is token_expired; whatever else is wrong comes first (checklist 18)", () => {
  const { token, refusal, system } = setting();
  const old = { iat: system.now() - 900, exp: system.now() - 60 };
  assert.equal(refusal(token(old)).code, "token_expired");
  assert.equal(refusal(token({ ...old, iss: "x" })).code, "token_invalid");
  assert.equal(refusal(token({ ...old, aud: "x" })).code, "token_invalid");
  assert.equal(refusal(token({ ...old, sub: 42 })).code, "token_invalid");
  assert.equal(refusal(token({ ...old, sub: undefined })).code, "token_subject_missing");
  assert.equal(refusal(token({ ...old, jti: 1 })).code, "token_invalid");
  assert.equal(refusal(token({ ...old, nbf: system.now() + 60 })).code, "token_invalid");
  assert.equal(refusal(token(old, { typ: "JWT" })).code, "token_invalid");
});

test("typ is checked exactly: refresh, e-mail and reset tokens never pass as access tokens (checklist 24, 57)", () => {
  const { token, refusal, verify } = setting();
  for (const typ of [
    undefined,
    "",
    "JWT",
    "jwt",
    "rt+jwt",
    "refresh+jwt",
    "id_token",
    "AT+JWT",
    "at+jwt ",
    "at+jwt;x",
    "application/JWT",
    "application/application/at+jwt",
    "text/at+jwt",
    null,
    7,
    ["at+jwt"],
  ]) {
    assert.match(refusal(token({}, { typ })).reason, /typ/, String(typ));
  }
  assert.equal(verify(token({}, { typ: "application/at+jwt" })).sub, "42", "RFC 9068 §4 names both forms");
  const reset = setting("HS256", { typ: "reset+jwt" });
  assert.match(reset.refusal(reset.token()).reason, /typ is "at\+jwt", not "reset\+jwt"/);
  assert.equal(reset.verify(reset.token({}, { typ: "reset+jwt" })).sub, "42");
  const untyped = setting("HS256", { typ: UNTYPED });
  assert.equal(untyped.verify(untyped.token({}, { typ: "JWT" })).sub, "42");
  assert.equal(untyped.verify(untyped.token({}, { typ: undefined })).sub, "42");
  for (const typ of ["at+jwt", "jwt", "rt+jwt", ""])
    assert.match(untyped.refusal(untyped.token({}, { typ })).reason, /typ is/);
});

test("claims that RFC 9068 asks for can be required, and others pinned to a value (checklist 25)", () => {
  const { token, refusal, verify } = setting("HS256", {
    requiredClaims: ["client_id", "jti"],
    claimValues: { typ: "at+jwt", tenant: 7, beta: true },
  });
  const good = { client_id: "app", typ: "at+jwt", tenant: 7, beta: true };
  assert.equal(verify(token(good)).client_id, "app");
  for (const client_id of [undefined, null, ""])
    assert.match(refusal(token({ ...good, client_id })).reason, /"client_id" is required and missing/);
  assert.match(refusal(token({ ...good, jti: undefined })).reason, /"jti" is required/);
  for (const other of [
    { typ: "rt+jwt" },
    { typ: undefined },
    { tenant: "7" },
    { tenant: 8 },
    { beta: 1 },
    { beta: false },
  ]) {
    assert.match(refusal(token({ ...good, ...other })).reason, /, not (?:"at\+jwt"|7|true)/);
  }
});

test("claims inherit nothing, and what is on Object.prototype is no claim (checklist 26)", () => {
  const { token, refusal, verify } = setting("HS256", { requiredClaims: ["role"] });
  const prototype = Object.prototype as unknown as Record<string, unknown>;
  const names = ["sub", "iss", "aud", "exp", "iat", "role", "kid", "typ", "crit"] as const;
  try {
    for (const [name, value] of Object.entries({
      sub: "1",
      iss: ISSUER,
      aud: AUDIENCE,
      exp: 4e9,
      iat: 1,
      role: "admin",
      kid: "HS256",
    })) {
      Object.defineProperty(prototype, name, { value, configurable: true, enumerable: false });
    }
    for (const name of ["sub", "iss", "aud", "exp", "iat"] as const) {
      assert.notEqual(refusal(token({ role: "user", [name]: undefined })).code, "token_expired", name);
    }
    assert.match(refusal(token()).reason, /"role" is required/);
    const claims = verify(token({ role: "user" }));
    assert.equal(claims.role, "user");
    assert.equal(claims.kid, undefined);
  } finally {
    for (const name of names) delete prototype[name];
  }
  const claims = verify(token({ role: "user" }));
  for (const inherited of ["toString", "constructor", "hasOwnProperty", "__proto__", "valueOf", "__defineGetter__"]) {
    assert.equal(claims[inherited], undefined, inherited);
    assert.ok(!(inherited in claims), inherited);
  }
});

test("whatever is given to verify, the answer is an AuthError with a reason that holds no token (checklist 28)", () => {
  const { refusal, token, verify } = setting();
  const odd = [
    undefined,
    null,
    0,
    1n,
    true,
    {},
    [],
    () => token(),
    Symbol("token"),
    new String(token()),
    Buffer.from(token()),
    { toString: token },
    [token()],
    Number.NaN,
    new Date(),
    new Map(),
  ];
  for (const value of odd) {
    const error = refusal(value);
    assert.equal(error.code, "token_invalid");
    assert.equal(error.message, "Invalid token");
    assert.equal(error.reason, "the token is not a text");
    assert.doesNotMatch(String(error.stack), /at /, "and no stack");
  }
  const secretive = token({ iss: "line\nbreak\u2028\u001b[31m and a very long text indeed, which goes on and on" });
  const { reason } = refusal(secretive);
  assert.match(reason, /^iss is "line\\nbreak\\u2028\\u001b\[31m and a very long text in\.\.\.", not/);
  assert.doesNotMatch(reason, /[^\x20-\x7e]/);
  assert.equal(verify(token()).sub, "42");
});

test("the same token is answered the same the ten-thousandth time, good or bad (checklist 29)", () => {
  const { token, verify, refusal } = setting();
  const good = token();
  const bad = token({ sub: 42 });
  const reason = refusal(bad).reason;
  const first = JSON.stringify(verify(good));
  for (let i = 0; i < 10_000; i++) {
    assert.equal(JSON.stringify(verify(good)), first);
    if (i % 10 === 0) assert.equal(refusal(bad).reason, reason);
  }
});

test("a verifier is not made of a policy that is missing something or means nothing", () => {
  const keys = createKeySet([keyFor("HS256")]);
  const good = { keys, issuer: ISSUER, audience: AUDIENCE };
  const wrong: Record<string, unknown>[] = [
    { issuer: undefined },
    { issuer: "" },
    { issuer: null },
    { issuer: [ISSUER] },
    { issuer: NO_AUDIENCE },
    { audience: undefined },
    { audience: "" },
    { audience: [] },
    { audience: [""] },
    { audience: [7] },
    { audience: null },
    { audience: NO_ISSUER },
    { audience: false },
    { typ: "" },
    { typ: 7 },
    { typ: null },
    { requiredClaims: [""] },
    { requiredClaims: [7] },
    { subjectClaim: "" },
    { cache: -1 },
    { cache: 1.5 },
    { cache: 1e9 },
    { cache: true },
    { cache: "10" },
    { maxClaimsLength: 0 },
    { maxClaimsLength: 8193 },
    { maxClaimsLength: 1.5 },
    { maxClaimsLength: "10" },
    { claims: {} },
    { claims: "schema" },
    { claims: { "~standard": {} } },
    { keys: undefined },
    { keys: [] },
    { keys: {} },
    { keys: keyFor("HS256") },
  ];
  for (const options of wrong) {
    assert.throws(
      () => createVerifier({ ...good, ...options } as never),
      (error) => error instanceof TypeError && error.message.length > 10,
      Object.keys(options)[0],
    );
  }
  assert.ok(createVerifier({ ...good, audience: ["a", "b"], maxClaimsLength: 8192, cache: 1_000_000 }));
});
