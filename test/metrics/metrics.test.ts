import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Registry } from "prom-client";
import { createMetrics } from "../../src/metrics/metrics.ts";
import { registerMetrics, toPrometheus } from "../../src/metrics/prometheus.ts";
import { createTally } from "../../src/metrics/tally.ts";
import { createEngine, type Engine, PASSWORD, signIn } from "../support/engine.ts";

/** The value of a sample, or `undefined` where there is none. */
function measured({ auth }: Engine, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const samples = auth.metrics.read().flatMap((metric) => metric.samples.map((one) => ({ name: metric.name, ...one })));
  return samples.find(
    (one) => (one.metricName ?? one.name) === name && Object.entries(labels).every(([k, v]) => one.labels[k] === v),
  )?.value;
}

describe("an engine counts", () => {
  test("refreshes by what became of them: a benign replay is one, a theft that was caught another (checklist 42)", async () => {
    const engine = await createEngine();
    const { auth, system } = engine;
    const { tokens } = await signIn(engine);
    const attempt = "a".repeat(22);
    await auth.refresh(tokens.refreshToken, { attempt });
    await auth.refresh(tokens.refreshToken, { attempt });
    system.advance(60);
    await assert.rejects(auth.refresh(tokens.refreshToken), { code: "refresh_token_reused" });
    await assert.rejects(auth.refresh(`${tokens.refreshToken}x`), { code: "refresh_token_invalid" });
    assert.equal(measured(engine, "latchkey_events_total", { type: "reuse" }), 1);
    const count = (outcome: string) => measured(engine, "latchkey_refreshes_total", { outcome });
    assert.deepEqual(["rotated", "repeated", "refresh_token_reused", "refresh_token_invalid"].map(count), [1, 1, 1, 1]);
    await auth.close();
  });

  test("tokens at guards by outcome and reason, sign-ins and registrations by outcome", async () => {
    const engine = await createEngine();
    const { auth } = engine;
    const { tokens } = await signIn(engine);
    await auth.authenticate(tokens.accessToken);
    await auth.authenticate(tokens.accessToken);
    for (const token of ["x", tokens.refreshToken]) assert.throws(() => auth.authenticate(token));
    await auth.logout(tokens.refreshToken);
    assert.throws(() => auth.authenticate(tokens.accessToken), { code: "session_ended" });
    await assert.rejects(auth.login({ username: "ada", password: "wrong" }));
    await assert.rejects(auth.register({ username: "ada", email: "b@example.com", password: PASSWORD }));
    const verified = (outcome: string) => measured(engine, "latchkey_verifications_total", { outcome });
    assert.equal(verified("accepted"), 2);
    assert.equal(verified("session_ended"), 1);
    assert.ok((verified("token_invalid") ?? 0) >= 1);
    assert.equal(measured(engine, "latchkey_logins_total", { outcome: "granted" }), 1);
    assert.equal(measured(engine, "latchkey_logins_total", { outcome: "invalid_credentials" }), 1);
    assert.equal(measured(engine, "latchkey_registrations_total", { outcome: "username_taken" }), 1);
    assert.equal(measured(engine, "latchkey_hash_seconds_count", { operation: "make" }), 1);
    assert.equal(measured(engine, "latchkey_feed_fresh"), 1);
    assert.equal(measured(engine, "latchkey_hash_waiting"), 0);
    assert.ok((measured(engine, "latchkey_store_seconds_count", { operation: "write" }) ?? 0) > 0);
    await auth.close();
  });

  test("requests by the route's template, and never by what the client wrote (checklist 89)", async () => {
    const engine = await createEngine();
    await engine.call("GET", "/v1/users/me/sessions?token=h1dden", { token: "h1dden.h1dden.h1dden" });
    await engine.call("DELETE", "/v1/users/me/sessions/h1dden", { token: "h1dden" });
    await engine.call("GET", "/h1dden");
    const count = (labels: Record<string, string>) => measured(engine, "latchkey_http_requests_total", labels);
    assert.equal(count({ route: "/v1/users/me/sessions", method: "GET", status: "4xx" }), 1);
    assert.equal(count({ route: "/v1/users/me/sessions/:id", method: "DELETE" }), 1);
    assert.equal(count({ route: "none", status: "4xx" }), 1);
    const { text } = await toPrometheus(engine.auth.metrics);
    assert.doesNotMatch(text, /h1dden/);
    await engine.auth.close();
  });
});

test("Prometheus is given well-formed text, and an application's own registry takes the metrics too", async () => {
  const engine = await createEngine();
  await engine.call("GET", "/v1/health");
  const { contentType, text } = await toPrometheus(engine.auth.metrics);
  assert.match(contentType, /^text\/plain; version=0\.0\.4/);
  assert.match(text, /^# TYPE latchkey_http_request_seconds histogram$/m);
  assert.match(text, /^latchkey_http_request_seconds_bucket\{le="\+Inf",route="\/v1\/health"\} 1$/m);
  assert.match(text, /^latchkey_feed_fresh 1$/m);
  for (const line of text.split("\n")) {
    assert.match(line, /^(?:|# (?:HELP|TYPE) \w+ .+|[a-z_]+(?:\{(?:\w+="(?:[^"\\\n]|\\.)*",?)*\})? [-+.\de]+)$/);
  }
  const registry = new Registry();
  registerMetrics(registry, engine.auth.metrics);
  assert.match(await registry.metrics(), /^latchkey_feed_fresh 1$/m);
  await engine.auth.close();
});

test("nobody fills memory with labels: beyond a bound the rest is counted together", () => {
  const tally = createTally("t", "t", ["one", "two"], 3);
  for (let i = 0; i < 100; i++) tally.add(String(i), "x");
  const samples = tally.read();
  assert.equal(samples.length, 4);
  assert.equal(samples.find(({ labels }) => labels.one === "other")?.value, 97);
  const { metrics } = createMetrics();
  assert.throws(() => metrics.add(tally, tally), TypeError);
});

test("staff read the counts as JSON; others do not", async () => {
  const engine = await createEngine();
  const { tokens, user } = await signIn(engine);
  assert.equal((await engine.call("GET", "/v1/staff/metrics")).status, 401);
  assert.equal((await engine.call("GET", "/v1/staff/metrics", { token: tokens.accessToken })).status, 403);
  await engine.auth.users.setRoles(user.id, { isStaff: true });
  const { accessToken } = await engine.auth.login({ username: "ada", password: PASSWORD });
  const { status, body } = await engine.call("GET", "/v1/staff/metrics", { token: accessToken });
  assert.equal(status, 200);
  assert.match(body.instance, /^[\da-f]{12}$/);
  const logins = body.metrics.find(({ name }: { name: string }) => name === "latchkey_logins_total");
  assert.deepEqual(logins.samples, [{ name: "latchkey_logins_total", labels: { outcome: "granted" }, value: 2 }]);
  await engine.auth.close();
});
