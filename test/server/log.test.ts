/** Secrets in every place of a request, right and wrong ones; then both logs are searched. (checklist 89) */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { redactTokens } from "../../src/http/redact-tokens.ts";
import { readConfig } from "../../src/server/config.ts";
import { createJsonLogger, createTextLogger, type Logger } from "../../src/server/logger.ts";
import { redactReason } from "../../src/server/redaction.ts";
import { type RunningServer, startServer } from "../../src/server/server.ts";
import { PASSWORD, TEST_SECRET } from "../support/engine.ts";
import { post, type RawAnswer, request, send } from "../support/raw-http.ts";

const METRICS_TOKEN = "bm9ib2R5IGJ1dCB0aGUgc2NyYXBlciBoYXMgdGhpcw";
const LOGIN = "/v1/users/me/token";

let server: RunningServer;
let log = "";

before(async () => {
  const write = (line: string) => {
    log += `${line}\n`;
  };
  const [text, json] = [createTextLogger(write), await createJsonLogger({ write })];
  const both: Logger = {
    request(one) {
      text.request(one);
      json.request(one);
    },
    event(one) {
      text.event(one);
      json.event(one);
    },
    info(message) {
      text.info(message);
      json.info(message);
    },
  };
  const env = {
    PORT: "0",
    JWT_SECRET_KEY: TEST_SECRET,
    DATABASE_URL: ":memory:",
    LATCHKEY_METRICS_TOKENS: METRICS_TOKEN,
  };
  server = await startServer(readConfig(env), both);
});
after(() => server.close());

async function one(bytes: string): Promise<RawAnswer> {
  const [answer] = (await send(server.url, bytes, { patience: 30_000 })).answers;
  assert.ok(answer, `no answer to ${bytes.slice(0, 100)}`);
  return answer;
}

test("no secret is in the log, whatever place of a request it came in (checklist 31, 89)", async () => {
  const ada = { username: "ada", email: "ada@example.com", password: PASSWORD };
  await one(post("/v1/users", ada));
  const { access_token, refresh_token } = (await one(post(LOGIN, { username: "ada", password: PASSWORD }))).body;
  const forged = [
    Buffer.from(JSON.stringify({ alg: "HS256", kid: refresh_token, typ: PASSWORD })).toString("base64url"),
    ...access_token.split(".").slice(1),
  ].join(".");

  for (const secret of [PASSWORD, access_token, refresh_token, METRICS_TOKEN, forged]) {
    const inPath = encodeURIComponent(secret);
    const bearer = `Authorization: Bearer ${access_token}`;
    const size = Buffer.byteLength(JSON.stringify(secret));
    for (const bytes of [
      // The path and the query.
      request(`GET /${inPath}`),
      request(`GET /v1/users/me/sessions/${inPath}`, [bearer]),
      request(`DELETE /v1/users/me/sessions/${inPath}`, [bearer]),
      request(`GET /v1/users/me?access_token=${inPath}&${inPath}=1`),
      request(`GET /v1/users?after=${inPath}`, [bearer]),
      request(`GET http://${inPath}@localhost/v1/health`),
      request(`GET /v1/health#${inPath}`),
      // Headers, by value and by name.
      request("GET /v1/users/me", [`Authorization: Bearer ${secret}`]),
      request("GET /v1/users/me", [`Authorization: Basic ${secret}`]),
      request("GET /v1/users/me", [`Authorization: Bearer ${secret}`, `Authorization: Bearer ${secret}`]),
      request("GET /v1/users/me", [`Cookie: __Host-latchkey_access=${secret}`]),
      request("GET /v1/users/me", [`Cookie: __Host-latchkey_access=${secret}; __Host-latchkey_access=${secret}`]),
      request("GET /v1/revocations", [`Authorization: Bearer ${secret}`]),
      request("GET /metrics", [`Authorization: Bearer ${secret}`]),
      request("GET /v1/users/me", [bearer, `User-Agent: ${secret}`, `X-Forwarded-For: ${secret}`, `Origin: ${secret}`]),
      request("GET /v1/health", [`${secret.replace(/[^\w-]/g, "-")}: 1`]),
      request(`POST ${LOGIN}`, [`Content-Type: ${secret}`, "Content-Length: 2"], "{}"),
      request(
        `POST ${LOGIN}`,
        ["Content-Type: application/json", `Content-Encoding: ${secret}`, "Content-Length: 2"],
        "{}",
      ),
      request("GET /v1/health", [`Expect: ${secret}`]),
      request("GET /v1/health", [`Transfer-Encoding: ${secret}`]),
      // The body: values, names, and where it is no JSON.
      post(LOGIN, { username: secret, password: secret }),
      post(LOGIN, { username: "ada", email: secret, password: [secret] }),
      post("/v1/users", { ...ada, username: secret, email: secret }),
      post("/v1/users", { username: "b", email: "b@example.com", password: secret, first_name: { a: secret } }),
      post("/v1/users/me/token/refresh", { refresh_token: secret, attempt: secret }),
      post("/v1/users/me/token/refresh", { refresh_token: `${secret}x` }),
      post("/v1/users/me/token/revoke", { refresh_token: [secret] }),
      post("/v1/users/me/password", { current_password: secret, new_password: secret }, [bearer]),
      post(LOGIN, { [secret]: secret }),
      post(LOGIN, `{"${secret}":1,"${secret}":2}`),
      post(LOGIN, `${secret}{`),
      request(`POST ${LOGIN}`, ["Content-Type: application/json", `Content-Length: ${size}`], JSON.stringify(secret)),
      request(
        `PATCH /v1/users/1`,
        [bearer, "Content-Type: application/json", `Content-Length: ${size + 4}`],
        `{${JSON.stringify(secret)}:1}`,
      ),
      // What is no HTTP.
      `${secret}\r\n\r\n`,
      `GET /v1/health HTTP/1.1\r\n${secret}\r\n\r\n`,
    ]) {
      const answer = await one(bytes);
      assert.ok(answer.status < 500, `${answer.status} for ${bytes.slice(0, 100)}`);
    }
  }
  assert.ok(log.split("\n").length > 200, "there is a log to be searched");
  const secrets = [
    TEST_SECRET,
    PASSWORD,
    encodeURIComponent(PASSWORD),
    METRICS_TOKEN,
    access_token,
    refresh_token,
    forged,
  ];
  for (const secret of secrets) {
    const own = secret.startsWith("eyJ") ? secret.slice(secret.indexOf(".")) : secret;
    for (let at = 0; at + 16 <= own.length; at++) {
      const piece = own.slice(at, at + 16);
      assert.ok(!log.includes(piece), log.split("\n").find((line) => line.includes(piece)) ?? piece);
    }
  }
});

test("what a reason quotes is cut short, and credentials are struck out of what nobody foresaw", () => {
  assert.equal(redactReason('kid "short" is unknown'), 'kid "short" is unknown');
  assert.equal(redactReason('iss is "https://issuer.example", not "latchkey"'), 'iss is "https:…", not "latchkey"');
  assert.equal(redactReason(`x ${"A1".repeat(20)} y`), "x […] y");
  assert.equal(redactReason('it said "a\\"bcdefghijklmnop"'), 'it said "a\\"bcd…"');
  assert.equal(redactTokens("at eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln and lkr_AQIDBAUG"), "at [token] and [token]");
});
