import assert from "node:assert/strict";
import { test } from "node:test";
import { drfContract } from "../../src/contracts/drf.ts";
import { simplejwtContract } from "../../src/contracts/simplejwt.ts";
import { AuthError } from "../../src/index.ts";
import { createHandler } from "../support/documented.ts";
import { createEngine, PASSWORD } from "../support/engine.ts";
import { createMutations } from "../support/mutations.ts";
import { signAsDjango } from "./django-support.ts";

const TYPES = [
  "application/json",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "text/plain",
  "",
];
const COUNT = 1500;

test("mutated bodies, tokens and headers get no 5xx from the Django dialects, and the guard throws nothing but refusals (checklist 28)", async () => {
  const engine = await createEngine({ allowTokensIssuedByDjango: true });
  await engine.auth.register({ username: "ada", email: "ada@example.com", password: PASSWORD });
  const options = { allowTokensIssuedByDjango: true };
  const contracts = [
    drfContract(engine.auth, options),
    simplejwtContract(engine.auth, { ...options, checkRevokeToken: true }),
  ];
  const handle = createHandler(engine.auth, { contracts });
  const now = engine.system.now();
  const tokens = ["access", "refresh"].flatMap((kind) => [
    signAsDjango({ sub: "1", type: kind, iat: now, exp: now + 200 }),
    signAsDjango({ user_id: "1", token_type: kind, jti: "a".repeat(32), iat: now, exp: now + 200 }),
  ]);
  const paths = [
    "/api/auth/login/",
    "/api/auth/refresh/",
    "/api/token/refresh/",
    "/api/token/verify/",
    "/api/token/blacklist/",
  ];
  const bodies = createMutations(
    [
      '{"email":"ada@example.com"}',
      "email=ada%40example.com&email=x",
      '--x\r\nContent-Disposition: form-data; name="refresh"\r\n\r\nabc\r\n--x--\r\n',
      ...tokens.flatMap((token) => [`{"refresh":"${token}","token":"${token}"}`, `refresh=${token}&token=${token}`]),
    ],
    7,
  );
  const headers = createMutations(
    tokens.map((token) => `Bearer ${token}`),
    11,
  );
  const seen = new Set<number>();
  for (let i = 0; i < COUNT; i++) {
    const response = await handle(
      new Request(`http://latchkey.test${paths[i % paths.length]}`, {
        method: "POST",
        headers: { "content-type": TYPES[i % TYPES.length] as string },
        body: Buffer.from(bodies.next(), "latin1"),
      }),
    );
    seen.add(response.status);
    assert.ok(response.status < 500, await response.text());
    for (const contract of contracts) {
      try {
        await contract.authenticate({ headers: { authorization: headers.next() } });
      } catch (error) {
        assert.ok(error instanceof AuthError && error.code !== "internal", String(error));
        const answer = contract.refuse(error);
        assert.ok(answer.status === 401 && JSON.stringify(answer.body).length > 10);
      }
    }
  }
  assert.deepEqual(
    [200, 400, 401, 415].filter((status) => !seen.has(status)),
    [],
  );
  await engine.auth.close();
});
