import assert from "node:assert/strict";
import { once } from "node:events";
import { request as send } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { after, before, test } from "node:test";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { readAuthorizationHeader } from "../../src/adapters/hono-on-node.ts";

const app = new Hono();
/** What the adapter reads, and what the request's own headers say. */
app.get("/plain", (c) => c.json(readAuthorizationHeader(c.req.raw) ?? null));
app.get("/own", (c) => c.json(c.req.raw.headers.get("authorization")));
app.get("/deleted", (c) => {
  c.req.raw.headers.delete("authorization");
  return c.json(readAuthorizationHeader(c.req.raw) ?? null);
});
app.get("/changed", (c) => {
  c.req.raw.headers.set("authorization", "Bearer another");
  return c.json(readAuthorizationHeader(c.req.raw) ?? null);
});
app.get("/replaced", (c) => {
  c.req.raw = new Request(c.req.raw, { headers: { authorization: "Bearer another" } });
  return c.json(readAuthorizationHeader(c.req.raw) ?? null);
});
app.get("/over", (c) => {
  const headers = { value: new Headers({ authorization: "Bearer another" }) };
  return c.json(readAuthorizationHeader(Object.create(c.req.raw, { headers })) ?? null);
});
// One application asks another on behalf of somebody else, and hands its environment on.
app.get("/inner", (c) => {
  const request = new Request("http://inner.example/plain", { headers: { authorization: "Bearer another" } });
  return app.fetch(request, c.env);
});
app.get("/inner-nobody", (c) => app.fetch(new Request("http://inner.example/plain"), c.env));

let server: Server;
before(async () => {
  server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server;
  if (!server.listening) await once(server, "listening");
});
after(() => server.close());

function ask(path: string, headers: string[] = []): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    const outgoing = send({ port, path, agent: false, headers: ["Host", "a", ...headers] }, async (incoming) => {
      let text = "";
      for await (const part of incoming) text += part;
      resolve(JSON.parse(text));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

test("it reads what the request's own headers say, from the first request on", async () => {
  for (const headers of [
    [],
    ["Authorization", "Bearer a"],
    ["authorization", "Bearer a"],
    ["AUTHORIZATION", "Bearer a", "Authorization", "Basic b"],
    ["Authorization", ""],
    ["X-Authorization", "Bearer a"],
  ]) {
    for (let round = 0; round < 3; round++) {
      const own = await ask("/own", headers);
      // A header without a value and none at all are the same to a guard.
      assert.equal((await ask("/plain", headers)) || null, own || null, headers.join(" "));
    }
  }
});

test("what the application has made of the headers counts, not what came", async () => {
  const mine = ["Authorization", "Bearer mine"];
  assert.equal(await ask("/plain", mine), "Bearer mine");
  assert.equal(await ask("/deleted", mine), null);
  assert.equal(await ask("/changed", mine), "Bearer another");
  assert.equal(await ask("/replaced", mine), "Bearer another");
});

test("a request that is asked within another is itself, and not the one that came", async () => {
  const mine = ["Authorization", "Bearer mine"];
  assert.equal(await ask("/plain", mine), "Bearer mine");
  assert.equal(await ask("/inner", mine), "Bearer another");
  assert.equal(await ask("/inner-nobody", mine), null);
});

test("without node it is the request's own headers", async () => {
  const answer = await app.request("/plain", { headers: { authorization: "Bearer a" } });
  assert.equal(await answer.json(), "Bearer a");
});

test("a request with headers of its own over another's is not that other", async () => {
  assert.equal(await ask("/over", ["Authorization", "Bearer mine"]), "Bearer another");
});
