import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createHandler } from "../../src/handler.ts";
import { clientAddress } from "../../src/http/client-address.ts";
import { createEngine, PASSWORD } from "../support/engine.ts";

test("an address has one spelling, so that a limit counts it once (checklist 72)", () => {
  for (const spelling of [
    "203.0.113.9",
    "203.0.113.9:443",
    "::ffff:203.0.113.9",
    "::FFFF:cb00:7109",
    "0:0:0:0:0:ffff:203.0.113.9",
    "[::ffff:203.0.113.9]:443",
    " 203.0.113.9 ",
  ]) {
    assert.equal(clientAddress(spelling, null, 0), "203.0.113.9", spelling);
  }
  for (const spelling of ["2001:db8::1", "2001:DB8:0:0:0:0:0:1", "[2001:db8::0:1]:443", "2001:db8::1%eth0"]) {
    assert.equal(clientAddress(spelling, null, 0), "2001:db8::1", spelling);
  }
  for (const text of ["", "unknown", "localhost", "1.2.3", "01.2.3.4", "1.2.3.4.5", "[::1", "::1]x", "1.2.3.4\r\n5"]) {
    assert.equal(clientAddress(text, null, 0), undefined, text);
  }
});

test("X-Forwarded-For counts from the right, as far as our own proxies wrote it (checklist 92)", () => {
  const peer = "127.0.0.1";
  assert.equal(clientAddress(peer, "203.0.113.66", 0), peer, "no proxy of ours, no say");
  assert.equal(
    clientAddress(peer, "203.0.113.66, 198.51.100.1", 1),
    "198.51.100.1",
    "what the client wrote before is passed over",
  );
  assert.equal(clientAddress(peer, "203.0.113.66, 198.51.100.1, 10.0.0.1", 2), "198.51.100.1");
  for (const nothing of [null, "", "unknown", "203.0.113.66,", "203.0.113.66, <script>"]) {
    assert.equal(clientAddress(peer, nothing, 1), peer, String(nothing));
  }
});

describe("a handler that no connection tells the client's address", () => {
  const login = (body: object, headers: Record<string, string> = {}) =>
    new Request("http://latchkey.test/v1/users/me/token", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });

  test("says so once, and takes what the application knows of it", async (t) => {
    const { auth } = await createEngine();
    t.after(() => auth.close());
    const { id } = await auth.register({ username: "ada", email: "ada@example.com", password: PASSWORD });
    const told: { message: string; code?: string }[] = [];
    t.mock.method(process, "emitWarning", (message: string, options: { code: string }) =>
      told.push({ message, code: options.code }),
    );
    const credentials = { username: "ada", password: PASSWORD };
    const handle = createHandler(auth);
    for (let round = 0; round < 2; round++) assert.equal((await handle(login(credentials))).status, 200);
    assert.equal(told.length, 1);
    assert.equal(told[0]?.code, "LATCHKEY_NO_ADDRESS");
    assert.match(told[0]?.message ?? "", /clientAddress/);

    const atTheEdge = createHandler(auth, { clientAddress: ({ headers }) => headers.get("cf-connecting-ip") });
    await atTheEdge(login(credentials, { "cf-connecting-ip": "203.0.113.9", "x-forwarded-for": "192.0.2.1" }));
    const both = createHandler(auth, { clientAddress: () => "203.0.113.10", proxyCount: 1 });
    await both(login(credentials, { "x-forwarded-for": "192.0.2.1" }), { ip: "192.0.2.2" });
    const behind = createHandler(auth, { proxyCount: 1 });
    await behind(login(credentials, { "x-forwarded-for": "192.0.2.1, 198.51.100.7" }));
    await handle(login(credentials), { ip: "203.0.113.5" });
    assert.equal(told.length, 1);
    const ips = (await auth.sessions.list(id)).map(({ ip }) => ip);
    assert.deepEqual(
      ips.sort(),
      ["198.51.100.7", "203.0.113.10", "203.0.113.5", "203.0.113.9", undefined, undefined].sort(),
    );
  });

  test("counts guesses by the network that it is told (checklist 72)", async (t) => {
    const { auth } = await createEngine({ limits: { failuresPerAddress: 3 } });
    t.after(() => auth.close());
    const handle = createHandler(auth, { clientAddress: ({ headers }) => headers.get("x-real-ip") });
    const statuses: number[] = [];
    for (let guess = 0; guess < 5; guess++) {
      const request = login({ username: `user${guess}`, password: "a wrong one" }, { "x-real-ip": "203.0.113.9" });
      statuses.push((await handle(request)).status);
    }
    assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
    const elsewhere = login({ username: "user9", password: "a wrong one" }, { "x-real-ip": "198.51.100.1" });
    assert.equal((await handle(elsewhere)).status, 401);
  });
});
