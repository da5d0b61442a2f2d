/** Requests that were damaged, by the hundred thousand. What is in them, secrets among it, is looked for in the log. */
import { createMutations } from "../../support/mutations.ts";
import { post, request, send } from "../../support/raw-http.ts";
import { createWire, type Tokens } from "../client.ts";
import type { Violation } from "../history.ts";
import { PASSWORD, type Scenario } from "../scenario.ts";
import { SECRET, startServer } from "../server-process.ts";

const LANES = 32;
/** Milliseconds for what is no whole request, and so is not answered. */
const PATIENCE = 300;
/** So much of a secret is one still. */
const PIECE = 16;
const LOGIN = "/v1/users/me/token";
const METRICS_TOKEN = "bm9ib2R5IGJ1dCB0aGUgc2NyYXBlciBoYXMgdGhpcw";

export const mutatedRequests: Scenario = {
  title: "mutated requests, with secrets in them",
  unit: "requests",
  full: 200_000,
  short: 1_000,
  async run(context) {
    const violations: Violation[] = [];
    let secrets: readonly string[] = [SECRET];
    let rest = "";
    let logged = 0;
    const server = await startServer({
      env: { LATCHKEY_DATA_DIR: context.folder(), NODE_ENV: "production", LATCHKEY_METRICS_TOKENS: METRICS_TOKEN },
      hear(text) {
        logged += text.length;
        // A secret may come in two pieces.
        const heard = rest + text;
        const found = secrets.find((secret) => heard.includes(secret));
        if (found !== undefined && violations.length < 10)
          violations.push({ promise: "silent", what: heard.slice(-300) });
        rest = heard.slice(-100);
      },
    });
    context.onEnd(() => server.kill());
    const wire = createWire(4);
    context.onEnd(() => wire.close());
    const credentials = { username: "ada", password: PASSWORD };
    await wire.send("POST", `${server.url}/v1/users`, { body: { ...credentials, email: "ada@example.com" } });
    const { body } = await wire.send("POST", server.url + LOGIN, { body: credentials });
    const tokens = body as Tokens;
    secrets = [SECRET, PASSWORD, tokens.access_token, tokens.refresh_token, METRICS_TOKEN].flatMap(toPieces);

    const seed = Number(process.env.TEST_SEED ?? 20_260_101);
    const mutations = createMutations(corpusOf(tokens), seed);
    let [asked, answered] = [0, 0];

    async function lane(): Promise<void> {
      while (asked < context.amount && server.isUp) {
        asked++;
        const bytes = mutations.next();
        try {
          // Closed behind it, mostly: what is not whole is then answered at once.
          const { answers } = await send(server.url, bytes, { patience: PATIENCE, isHalfClosed: asked % 20 > 0 });
          answered += answers.length;
          const wrong = answers.find(({ status }) => status >= 500);
          if (wrong)
            violations.push({ promise: "sane", what: `${wrong.status} for ${JSON.stringify(bytes).slice(0, 300)}` });
        } catch (error) {
          violations.push({
            promise: "sane",
            what: `${(error as Error).message} for ${JSON.stringify(bytes).slice(0, 300)}`,
          });
        }
        if (asked % 5_000 === 0 && asked < context.amount) context.progress(`${asked} of ${context.amount}`);
      }
    }

    await Promise.all(Array.from({ length: LANES }, lane));
    if (!server.isUp) violations.push({ promise: "sane", what: `it is gone: ${server.output()}` });
    const after = await wire
      .send("GET", `${server.url}/v1/users/me`, { token: tokens.access_token })
      .catch(() => undefined);
    // Her own sign-out may have been among them.
    if (after?.status !== 200 && after?.status !== 401)
      violations.push({ promise: "sane", what: `after it: ${after?.status}` });
    const notes = `${answered.toLocaleString("en-US")} answers, ${Math.round(logged / 1024).toLocaleString("en-US")} KiB of log, seed ${seed}`;
    return {
      done: asked,
      requests: asked,
      granted: 0,
      unanswered: asked - Math.min(answered, asked),
      violations,
      notes,
    };
  },
};

/** Every stretch of a secret that nothing else has. */
function toPieces(secret: string): string[] {
  const pieces: string[] = [];
  // The head of an access token is the same for all, and no secret.
  const own = secret.startsWith("eyJ") ? secret.slice(secret.indexOf(".") + 1) : secret;
  for (let at = 0; at + PIECE <= own.length; at += 4) pieces.push(own.slice(at, at + PIECE));
  return pieces;
}

function corpusOf({ access_token, refresh_token }: Tokens): readonly string[] {
  const bearer = `Authorization: Bearer ${access_token}`;
  const cookies = `Cookie: __Host-latchkey_access=${access_token}; __Secure-latchkey_refresh=${refresh_token}`;
  const json = "Content-Type: application/json";
  const login = JSON.stringify({ username: "ada", email: "ada@example.com", password: PASSWORD });
  const chunk = `${login.length.toString(16)}\r\n${login}\r\n0\r\n\r\n`;
  return [
    request("GET /v1/health"),
    request("GET /livez"),
    request("GET /readyz"),
    request("GET /metrics", [`Authorization: Bearer ${METRICS_TOKEN}`]),
    request("GET /v1/users/me", [bearer, "Accept: */*"]),
    request("GET /v1/users/me", [cookies, "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"]),
    request(`GET /v1/users/me?access_token=${access_token}&password=${encodeURIComponent(PASSWORD)}`),
    request(`GET /v1/users/me/sessions/${refresh_token}`, [bearer]),
    request(`DELETE /v1/users/me/sessions/${access_token}`, [bearer]),
    request("GET /v1/users/me/sessions?x=%20", [
      bearer,
      `X-Forwarded-For: ${refresh_token}`,
      `User-Agent: ${access_token}`,
    ]),
    request("GET /v1/revocations?since=a.1&wait=0", [`Authorization: Bearer ${refresh_token}`]),
    request("GET /v1/users?search=a&limit=5", [bearer]),
    request("GET /.well-known/jwks.json", [`If-None-Match: "${access_token}"`]),
    post("/v1/users", { username: PASSWORD, email: "é@example.com", password: "short", first_name: null }),
    post("/v1/users/me/token/refresh", { refresh_token: `x${refresh_token}`, attempt: "a".repeat(22) }, [cookies]),
    post("/v1/users/me/token/refresh", { refresh_token: access_token, attempt: PASSWORD }),
    post("/v1/users/me/token/revoke", { refresh_token: `${refresh_token}x` }),
    post("/v1/users/me/password", { current_password: PASSWORD, new_password: "b" }, ["Authorization: Bearer a.b.c"]),
    post(LOGIN, { username: "ada", email: "ada@example.com", password: PASSWORD }),
    post(LOGIN, { username: PASSWORD, password: "" }),
    request(`POST ${LOGIN}`, [json, "Transfer-Encoding: chunked"], chunk),
  ];
}
