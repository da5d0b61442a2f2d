import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createVerifiedCache } from "../../src/jwt/verified-cache.ts";
import { encode, refusalOf, setting, signRaw, withSignature } from "./support.ts";

test("a token that was verified before is the same object again, deeply frozen (checklist 27)", () => {
  const { token, verify } = setting("ES256", { cache: 10 });
  const good = token({ roles: ["admin"], profile: { name: { first: "Alice" } } });
  const claims = verify(good) as { roles: string[]; profile: { name: { first: string } } };
  assert.equal(verify(good), claims as unknown);
  assert.throws(() => claims.roles.push("root"), TypeError);
  assert.throws(() => Object.assign(claims, { sub: "1" }), TypeError);
  assert.throws(() => Object.assign(claims.profile.name, { first: "Eve" }), TypeError);
});

test("claims that can't be frozen, as a schema may make them, are made anew for each caller (checklist 27)", () => {
  const schema = {
    "~standard": {
      version: 1 as const,
      vendor: "by hand",
      validate: (value: unknown) => {
        const claims = value as { sub: string };
        const circle: { self?: object } = {};
        circle.self = circle;
        return { value: { sub: claims.sub, scopes: new Set(["read"]), list: Object.freeze([["a"]]), circle } };
      },
    },
  };
  const { token, verify } = setting("ES256", { cache: 10, claims: schema });
  const good = token();
  const first = verify(good) as unknown as { scopes: Set<string>; list: string[][] };
  first.scopes.add("write");
  assert.deepEqual([...(verify(good) as unknown as typeof first).scopes], ["read"]);
  assert.throws(() => first.list[0]?.push("b"), TypeError, "below what was frozen as well");
});

test("without a cache the claims belong to the caller", () => {
  const { token, verify } = setting();
  const good = token({ roles: ["user"] });
  const claims = verify(good) as { roles: string[] };
  claims.roles.push("admin");
  assert.deepEqual(verify(good).roles, ["user"]);
});

test("cache confusion: the signature of a cached token does not carry other claims or another header (checklist 27)", () => {
  const { token, verify, refusal } = setting("HS256", { cache: 10 });
  const good = token();
  verify(good);
  const [header, , signature] = good.split(".") as [string, string, string];
  assert.match(refusal(`${header}.${encode({ sub: "1" })}.${signature}`).reason, /signature/);
  assert.equal(refusal(`${encode({ alg: "none" })}.${good.split(".")[1]}.${signature}`).code, "token_invalid");
  assert.equal(refusal(`${good}.${signature}`).code, "token_invalid");
  assert.equal(refusal(` ${good}`).code, "token_invalid");
  assert.equal(verify(good).sub, "42");
});

test("a hit is judged by the clock again: not after exp, and not before iat or nbf when the clock is set back (checklist 27)", () => {
  const { token, verify, refusal, system } = setting("HS256", { cache: 10 });
  const now = system.now();
  const good = token({ nbf: now, exp: now + 60 });
  verify(good);
  system.jump(64);
  assert.equal(verify(good).sub, "42", "within the tolerance");
  system.jump(1);
  assert.equal(refusal(good).code, "token_expired");
  system.jump(-65 - 5);
  assert.equal(verify(good).sub, "42");
  system.jump(-1);
  assert.match(refusal(good).reason, /in the future/);
});

test("the later of iat and nbf counts, whichever it is, and nbf may be absent (checklist 27)", () => {
  for (const times of [{ iat: -100, nbf: 0 }, { iat: 0, nbf: -100 }, { iat: 0 }]) {
    const { token, verify, refusal, system } = setting("HS256", { cache: 10 });
    const now = system.now();
    const good = token({
      ...Object.fromEntries(Object.entries(times).map(([name, at]) => [name, now + at])),
      exp: now + 60,
    });
    const claims = verify(good);
    system.jump(-5);
    assert.equal(verify(good), claims, "a hit, within the tolerance");
    system.jump(-1);
    assert.match(refusal(good).reason, times.iat === 0 ? /in the future/ : /^nbf is/);
  }
});

test("a refused token is never kept, and an ECDSA signature in another form is another token (checklist 27)", () => {
  const { token, verify, refusal } = setting("ES256", { cache: 10 });
  const good = token();
  const bad = withSignature(good, Buffer.alloc(64, 1));
  for (let i = 0; i < 3; i++) assert.match(refusal(bad).reason, /signature/);
  verify(good);
  assert.match(refusal(bad).reason, /signature/);
});

test("caches of two verifiers with two policies know nothing of each other (checklist 27)", () => {
  const open = setting("HS256", { cache: 10 });
  const strict = setting("HS256", { cache: 10, requiredClaims: ["role"] });
  const token = open.token();
  open.verify(token);
  assert.match(strict.refusal(token).reason, /"role" is required/);
});

/** A signature of 43 characters, as of HS256. */
const tokenOf = (number: number) => `h.c.${String(number).padEnd(43, "s")}`;

test("it never holds more than its capacity, and drops the oldest half", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.array(fc.nat(30), { maxLength: 60 }), (capacity, sequence) => {
      const cache = createVerifiedCache<number>({ capacity, tolerance: 0, keys: { version: 1 } });
      for (const number of sequence) {
        const token = tokenOf(number);
        const found = cache.find(token, 5);
        assert.ok(found === undefined || found === number);
        if (found === undefined) cache.keep(token, number, { iat: 0, exp: 10 }, 1);
        assert.equal(cache.find(token, 5), number, "what was just used is there");
        assert.ok(cache.size <= capacity + 1);
      }
    }),
  );
  const cache = createVerifiedCache<number>({ capacity: 4, tolerance: 0, keys: { version: 1 } });
  for (let number = 0; number < 5; number++) cache.keep(tokenOf(number), number, { iat: 0, exp: 10 }, 1);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((number) => cache.find(tokenOf(number), 5)),
    [undefined, undefined, 2, 3, 4],
  );
});

test("everything is dropped when the keys change, also what was judged while they did (checklist 27)", () => {
  const keys = { version: 1 };
  const cache = createVerifiedCache<string>({ capacity: 10, tolerance: 0, keys });
  cache.keep("h.c.s", "old", { iat: 0, exp: 10 }, 1);
  assert.equal(cache.find("h.c.s", 5), "old");
  keys.version = 2;
  assert.equal(cache.find("h.c.s", 5), undefined);
  cache.keep("h.c.s", "judged under version 1", { iat: 0, exp: 10 }, 1);
  assert.equal(cache.find("h.c.s", 5), undefined);
  cache.keep("h.c.s", "new", { iat: 0, exp: 10 }, 2);
  assert.equal(cache.find("h.c.s", 5), "new");
});

test("signatures that begin alike are told apart by the whole token", () => {
  const cache = createVerifiedCache<string>({ capacity: 10, tolerance: 0, keys: { version: 1 } });
  const start = `h.c.${"s".repeat(43)}`;
  cache.keep(`${start}1`, "one", { iat: 0, exp: 10 }, 1);
  assert.equal(cache.find(`${start}2`, 5), undefined);
  assert.equal(cache.find(`${start}1`, 5), "one");
  cache.keep(`${start}2`, "two", { iat: 0, exp: 10 }, 1);
  assert.equal(cache.find(`${start}1`, 5), undefined, "one label, one entry");
  assert.equal(cache.find(`${start}2`, 5), "two");
  for (const odd of [undefined, 7, "", ".", "x".repeat(9000)]) assert.equal(cache.find(odd, 5), undefined);
});

test("tokens of every algorithm have labels of their own", () => {
  for (const alg of ["HS256", "HS512", "ES256", "EdDSA", "ML-DSA-65"] as const) {
    const { token, verify } = setting(alg, { cache: 200 });
    const tokens = Array.from({ length: 60 }, (_, i) => token({ jti: `token ${i}` }));
    const seen = tokens.map((text) => verify(text));
    const known = tokens.filter((text, i) => verify(text) === seen[i]);
    // Two may share a label by chance, once in ten thousand such runs.
    assert.ok(known.length >= 58, `${alg}: ${known.length} of 60`);
  }
});

test("with a cache, what is not a token is refused as without", () => {
  const { verify, refusal, key, header, claims } = setting("HS256", { cache: 10 });
  verify(signRaw(key, header, claims));
  for (const odd of [undefined, null, 7, {}, [], Symbol("x")])
    assert.equal(refusal(odd).reason, "the token is not a text");
  for (const odd of ["", "....", "x".repeat(9000), "é"])
    assert.equal(refusalOf(() => verify(odd)).code, "token_invalid");
});
