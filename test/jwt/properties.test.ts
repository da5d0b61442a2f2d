import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { AuthError } from "../../src/errors.ts";
import { readHeader } from "../../src/jwt/header.ts";
import {
  type Algorithm,
  algorithms,
  createKeySet,
  createSigner,
  createVerifier,
  UNTYPED,
} from "../../src/jwt/index.ts";
import { fakeSystem } from "../support/fake-system.ts";
import { AUDIENCE, ISSUER, keyFor, refusalOf, setting, signEncoded } from "./support.ts";

const CODES = new Set(["token_invalid", "token_expired", "token_subject_missing"]);

/** Algorithms by what a signature costs, so that the properties run often without taking long. */
const RUNS: Partial<Record<Algorithm, number>> = {
  HS256: 400,
  HS384: 200,
  HS512: 200,
  ES256: 60,
  EdDSA: 60,
  Ed25519: 20,
};

const claimName = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .filter(
    (name) =>
      name !== "__proto__" &&
      !["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "toJSON"].includes(name) &&
      name.isWellFormed(),
  );

for (const alg of algorithms) {
  test(`${alg}: what is signed verifies, and comes back as it was (checklist 103)`, () => {
    const system = fakeSystem();
    const keys = createKeySet([keyFor(alg)]);
    const signer = createSigner({ keys, issuer: ISSUER, audience: AUDIENCE, ttl: "15m", system });
    const verifiers = [0, 50].map((cache) =>
      createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE, cache, system }),
    );
    const application = fc.dictionary(claimName, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 4, noNullPrototype: true });
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }), application, (sub, claims) => {
        const json = JSON.stringify(claims);
        fc.pre(json.length < 1500 && !json.includes("__proto__"));
        const token = signer.sign({ sub }, claims);
        for (const verifier of [...verifiers, ...verifiers]) {
          const { iss, aud, sub: subject, jti, iat, exp, ...rest } = verifier.verify(token);
          assert.deepEqual(
            [iss, aud, subject, iat, exp],
            [ISSUER, AUDIENCE, sub.toWellFormed() === sub ? sub : subject, system.now(), system.now() + 900],
          );
          assert.equal(typeof jti, "string");
          assert.deepEqual({ ...rest }, JSON.parse(json));
        }
      }),
      { numRuns: RUNS[alg] ?? 6 },
    );
  });

  test(`${alg}: a token with any one bit changed is refused (checklist 103)`, () => {
    const { token, refusal, verify } = setting(alg);
    const good = token({ name: "Zoë", roles: ["a"] });
    verify(good);
    const bits = good.length * 8;
    const isExhaustive = alg.startsWith("HS");
    const flip = (bit: number) => {
      const at = bit >> 3;
      const changed = String.fromCharCode(good.charCodeAt(at) ^ (1 << (bit & 7)));
      assert.ok(CODES.has(refusal(good.slice(0, at) + changed + good.slice(at + 1)).code));
    };
    if (isExhaustive) for (let bit = 0; bit < bits; bit++) flip(bit);
    else fc.assert(fc.property(fc.nat(bits - 1), flip), { numRuns: alg.startsWith("ML") ? 40 : 150 });
  });
}

test("two tokens cut and joined anywhere are refused, unless they make a token that was signed (checklist 103)", () => {
  const { token, verify } = setting();
  const tokens = [token(), token({ sub: "43" }), token({}, { x: 1 })];
  fc.assert(
    fc.property(
      fc.constantFrom(...tokens),
      fc.constantFrom(...tokens),
      fc.nat(500),
      fc.nat(500),
      (one, other, cut, resume) => {
        const joined = one.slice(0, cut) + other.slice(resume);
        if (tokens.includes(joined)) return;
        assert.ok(CODES.has(refusalOf(() => verify(joined)).code));
      },
    ),
    { numRuns: 2000 },
  );
});

test("no text and no value makes a verifier throw anything but an AuthError with a code for tokens (checklist 28, 103)", () => {
  const { verify } = setting();
  const untyped = setting("HS256", { typ: UNTYPED, cache: 4 });
  const part = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.base64String({ maxLength: 60 }),
    fc.json({ maxDepth: 3 }).map((json) => Buffer.from(json).toString("base64url")),
  );
  const anything = fc.oneof(
    part,
    fc.array(part, { maxLength: 5 }).map((parts) => parts.join(".")),
    fc.anything(),
  );
  fc.assert(
    fc.property(anything, (value) => {
      for (const check of [verify, untyped.verify]) assert.ok(CODES.has(refusalOf(() => check(value)).code));
    }),
    { numRuns: 5000 },
  );
});

test("claims of any bytes under a good signature are read, or refused with an AuthError (checklist 28, 103)", () => {
  const { verify, key, header } = setting();
  const encodedHeader = Buffer.from(JSON.stringify(header)).toString("base64url");
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 60 }),
    fc.json({ maxDepth: 3 }).map((json) => Buffer.from(json)),
    fc
      .dictionary(fc.constantFrom("iss", "aud", "sub", "exp", "iat", "nbf", "jti"), fc.anything(), { maxKeys: 7 })
      .map((claims) => Buffer.from(safeJson(claims))),
  );
  fc.assert(
    fc.property(bytes, (payload) => {
      const token = signEncoded(key, encodedHeader, Buffer.from(payload).toString("base64url"));
      assert.ok(CODES.has(refusalOf(() => verify(token)).code));
    }),
    { numRuns: 3000 },
  );
});

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_, member) => (typeof member === "bigint" ? String(member) : member)) ?? "{}";
  } catch {
    return "{}";
  }
}

test("headers of any text are read, or refused with a reason, and nothing is thrown (checklist 28)", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary", maxLength: 80 }),
        fc.json({ maxDepth: 4 }).map((json) => Buffer.from(json).toString("base64url")),
      ),
      (encoded) => {
        const header = readHeader(encoded);
        assert.equal(typeof (header.problem ?? (header as { alg: unknown }).alg), "string");
      },
    ),
    { numRuns: 3000 },
  );
});

test("a refusal leaves the limit of stack traces as it was, and where Error is frozen it is an AuthError all the same", () => {
  const { refusal } = setting();
  const before = Error.stackTraceLimit;
  assert.ok(refusal("x") instanceof AuthError);
  assert.equal(Error.stackTraceLimit, before);
  const program = `
    import { AuthError } from ${JSON.stringify(new URL("../../src/errors.ts", import.meta.url).href)};
    Object.freeze(Error);
    const error = new AuthError("token_invalid", { reason: "because" });
    if (error.reason !== "because" || !(error instanceof Error)) process.exit(1);
  `;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
});
