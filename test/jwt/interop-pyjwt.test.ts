import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import {
  createKeySet,
  createSigner,
  createVerifier,
  exposePrivateJwk,
  exposePrivatePem,
  NO_AUDIENCE,
  type PairAlgorithm,
  type PrivateKey,
  type SecretAlgorithm,
  toPublicPem,
  UNTYPED,
} from "../../src/jwt/index.ts";
import { AUDIENCE, ISSUER, keyFor } from "./support.ts";

/** Reads {cases: [{alg, private, public, token, claims}], audience} and answers with what PyJWT made of each, and a token of its own. */
const PYTHON_PROGRAM = `
import base64, json, sys
import jwt
request = json.load(sys.stdin)
answers = []
for case in request["cases"]:
    private, public = case["private"], case["public"]
    if case["alg"].startswith("HS"):
        private = public = base64.urlsafe_b64decode(private + "==")
    claims = jwt.decode(case["token"], public, algorithms=[case["alg"]], audience=request["audience"], issuer=request["issuer"])
    bare = jwt.decode(case["bare"], public, algorithms=[case["alg"]])
    signed = jwt.encode(case["claims"], private, algorithm=case["alg"], headers={"kid": case["kid"], "typ": "at+jwt"})
    plain = jwt.encode({k: v for k, v in case["claims"].items() if k != "aud"}, private, algorithm=case["alg"])
    answers.append({"claims": claims, "bare": bare, "signed": signed, "plain": plain})
json.dump({"version": jwt.__version__, "answers": answers}, sys.stdout)
`;

const SECRETS = ["HS256", "HS384", "HS512"] as const satisfies SecretAlgorithm[];
const PAIRS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const satisfies PairAlgorithm[];

const python = ["python3", "/usr/bin/python3"].find(
  (path) => spawnSync(path, ["-c", "import jwt, cryptography"]).status === 0,
);
const skip =
  python === undefined && "no python3 with PyJWT and cryptography here (Debian: python3-jwt and python3-cryptography)";

test("PyJWT verifies what we sign and we verify what it signs, in every algorithm that it knows (checklist 35)", {
  skip,
}, () => {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: ISSUER, aud: AUDIENCE, sub: "42", iat, exp: iat + 900, name: "Zoë 🗝", roles: ["a", "b"] };
  const cases = [...SECRETS, ...PAIRS].map((alg) => {
    const key = keyFor(alg);
    const keys = createKeySet([key]);
    const isSecret = key.type === "secret";
    const options = { keys, issuer: ISSUER, ttl: "15m" } as const;
    const application = { name: claims.name, roles: claims.roles };
    return {
      alg,
      kid: key.kid,
      private: isSecret ? exposePrivateJwk(key as never).k : exposePrivatePem(key as PrivateKey),
      public: isSecret ? "" : toPublicPem(key as PrivateKey),
      token: createSigner({ ...options, audience: AUDIENCE }).sign({ sub: "42", iat }, application),
      bare: createSigner({ ...options, audience: NO_AUDIENCE }).sign({ sub: "42", iat }, application),
      claims,
    };
  });
  const { stdout, stderr, status } = spawnSync(python as string, ["-c", PYTHON_PROGRAM], {
    input: JSON.stringify({ cases, audience: AUDIENCE, issuer: ISSUER }),
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  const { answers } = JSON.parse(stdout) as {
    answers: Record<"claims" | "bare", Record<string, unknown>>[] & Record<"signed" | "plain", string>[];
  };
  for (const [index, { alg }] of cases.entries()) {
    const answer = answers[index] as unknown as {
      claims: Record<string, unknown>;
      bare: Record<string, unknown>;
      signed: string;
      plain: string;
    };
    const { jti: _, ...theirView } = answer.claims;
    assert.deepEqual(theirView, claims, alg);
    assert.equal(answer.bare.aud, undefined, "a token without aud is taken by a PyJWT caller that names no audience");
    const keys = createKeySet([keyFor(alg)]);
    assert.deepEqual(
      { ...createVerifier({ keys, issuer: ISSUER, audience: AUDIENCE }).verify(answer.signed) },
      claims,
      alg,
    );
    const plain = createVerifier({ keys, issuer: ISSUER, audience: NO_AUDIENCE, typ: UNTYPED }).verify(answer.plain);
    assert.equal(plain.sub, "42", alg);
  }
});
