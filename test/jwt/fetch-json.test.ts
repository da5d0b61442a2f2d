import assert from "node:assert/strict";
import { test } from "node:test";
import { REGISTERED_NAMES } from "../../src/jwt/claims.ts";
import { fetchJson, readLocation } from "../../src/jwt/fetch-json.ts";

const at = new URL("https://auth.example/keys");

test("a document is asked for as JSON, without following a redirect, and its size is counted", async () => {
  const asked: RequestInit[] = [];
  const answering = (body: string, status = 200) =>
    (async (_: unknown, init: RequestInit) => {
      asked.push(init);
      return new Response(body, { status });
    }) as typeof globalThis.fetch;
  const get = (body: string, maxSize = 7, status = 200) =>
    fetchJson(at, { fetch: answering(body, status), timeout: 1000, maxSize, headers: { "x-own": "1" } });
  assert.deepEqual(await get('{"a":1}'), { a: 1 }, "as long as allowed");
  assert.deepEqual([new Headers(asked[0]?.headers).get("accept"), asked[0]?.redirect], ["application/json", "error"]);
  assert.equal(new Headers(asked[0]?.headers).get("x-own"), "1");
  await assert.rejects(get('{"a":12}'), /the answer has more than 7 bytes/);
  await assert.rejects(get("{"), /the answer is not JSON/);
  await assert.rejects(get('{"a":1}', 7, 204 + 300), /status 504/);
});

test("it is given up when its time is over, or when nobody wants it any more", async () => {
  const hanging = ((_: unknown, init: RequestInit) =>
    new Promise((_resolve, reject) => {
      init.signal?.addEventListener("abort", () => reject(init.signal?.reason));
    })) as typeof globalThis.fetch;
  await assert.rejects(fetchJson(at, { fetch: hanging, timeout: 20, maxSize: 10 }), { name: "TimeoutError" });
  const closing = new AbortController();
  const asked = fetchJson(at, { fetch: hanging, timeout: 20, maxSize: 10, signal: closing.signal });
  await assert.rejects(asked, { name: "TimeoutError" }, "also where there is a signal");
  const closed = fetchJson(at, { fetch: hanging, timeout: 60_000, maxSize: 10, signal: closing.signal });
  closing.abort(new Error("closed"));
  await assert.rejects(closed, /closed/);
});

test("a place is named when it can't be asked", () => {
  assert.throws(() => readLocation("no URL", "a thing", false), /the URL of a thing is not a URL/);
  assert.throws(
    () => readLocation("http://a.example", "a thing", false),
    /a thing must be https.*allowInsecureHttp: true/,
  );
  assert.throws(() => readLocation("ftp://a.example", "a thing", true), /must be https/);
  for (const url of ["https://user@a.example", "https://:pass@a.example"]) {
    assert.throws(() => readLocation(url, "a thing", false), /holds no credentials/);
  }
  assert.equal(readLocation("http://a.example/x", "a thing", true).href, "http://a.example/x");
});

test("the registered names are those of RFC 7519 §4.1", () => {
  assert.deepEqual([...REGISTERED_NAMES].sort(), ["aud", "exp", "iat", "iss", "jti", "nbf", "sub"]);
});
