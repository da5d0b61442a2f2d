import assert from "node:assert/strict";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { authenticateRequest } from "../src/adapters/node.ts";
import type { AuthError } from "../src/errors.ts";
import { realSystem } from "../src/system.ts";
import { createEngine, type Engine, PASSWORD, signIn } from "./support/engine.ts";

let engine: Engine;
before(async () => {
  engine = await createEngine();
});
after(() => engine.auth.close());

const codeOf = (signal: AbortSignal) => (signal.reason as AuthError | undefined)?.code;

test("the signal of a watched token is aborted when its session ends, and only then (checklist 48)", async () => {
  const { user, tokens } = await signIn(engine, "ada");
  const other = await engine.auth.login({ username: "ada", password: PASSWORD });
  const signal = engine.auth.watch(tokens.accessToken);
  await engine.auth.sessions.end(user.id, other.sessionId);
  assert.equal(signal.aborted, false, "somebody else's end");
  await engine.auth.logout(tokens.refreshToken);
  assert.deepEqual([signal.aborted, codeOf(signal)], [true, "session_ended"]);
});

test("a deactivated user's connections are closed, too", async () => {
  const { user, tokens } = await signIn(engine, "grace");
  const signal = engine.auth.watch(tokens.accessToken);
  await engine.auth.users.deactivate(user.id);
  assert.equal(codeOf(signal), "user_not_found");
});

test("it is aborted when the token expires", async () => {
  const real = await createEngine({ accessTtl: "1s", system: realSystem });
  const { tokens } = await signIn(real, "ada");
  const signal = real.auth.watch(tokens.accessToken);
  assert.equal(signal.aborted, false);
  for (let i = 0; i < 40 && !signal.aborted; i++) await sleep(100);
  assert.equal(codeOf(signal), "token_expired");
  await real.auth.close();
});

test("a token that is no good is told at once, and nobody is watched for who has gone", async () => {
  assert.equal(codeOf(engine.auth.watch("garbage")), "token_invalid");
  const { tokens } = await signIn(engine, "linus");
  const gone = new AbortController();
  const signal = engine.auth.watch(tokens.accessToken, { signal: gone.signal });
  gone.abort();
  await engine.auth.logout(tokens.refreshToken);
  assert.equal(signal.aborted, false);
  assert.equal(engine.auth.watch("garbage", { signal: gone.signal }).aborted, false);
});

test("who was let pass is watched as the token is, however it came", async () => {
  const { user, tokens } = await signIn(engine, "edsger");
  const who = await engine.auth.authenticate(tokens.accessToken);
  const signal = engine.auth.watch(who);
  assert.equal(signal.aborted, false);
  await engine.auth.sessions.end(user.id, tokens.sessionId);
  assert.equal(codeOf(signal), "session_ended");
  assert.equal(codeOf(engine.auth.watch(who)), "session_ended", "at once, when it is no good already");
  assert.equal(codeOf(engine.auth.watch({ ...who })), "token_invalid", "a copy is none that this engine made");
});

test("an upgrade to a WebSocket is judged without a response, and a cookie counts from our own pages alone (checklist 60)", async (t) => {
  const { tokens } = await signIn(engine, "barbara");
  const authenticate = authenticateRequest(engine.auth, { allowedOrigins: ["https://app.example.com"] });
  const server = createServer();
  server.on("upgrade", async (request, socket) => {
    const answer = await authenticate(request).then(
      ({ userId }) => `101 ${userId}`,
      ({ status, code }) => `${status} ${code}`,
    );
    socket.end(`HTTP/1.1 ${answer}\r\nConnection: close\r\n\r\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const ask = (headers: Record<string, string>) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => {
        const all = { Host: "api.example.com", Connection: "Upgrade", Upgrade: "websocket", ...headers };
        const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
        socket.write(`GET / HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
      });
      let text = "";
      socket.on("data", (part) => {
        text += part;
      });
      socket.on("end", () => resolve(text.split("\r\n")[0] ?? ""));
      socket.on("error", reject);
    });
  const Cookie = `__Host-latchkey_access=${tokens.accessToken}`;
  assert.match(await ask({ Authorization: `Bearer ${tokens.accessToken}` }), / 101 /);
  assert.match(await ask({ Cookie, Origin: "https://api.example.com" }), / 101 /);
  assert.match(await ask({ Cookie, Origin: "https://app.example.com" }), / 101 /);
  assert.match(await ask({ Cookie, Origin: "https://evil.example" }), / 403 origin_refused/);
  assert.match(await ask({ Cookie, "Sec-Fetch-Site": "cross-site" }), / 403 origin_refused/);
  assert.match(await ask({ Cookie }), / 403 origin_refused/);
  assert.match(await ask({}), / 401 credentials_missing/);
  assert.match(await ask({ Authorization: "Bearer garbage" }), / 401 token_invalid/);
});
