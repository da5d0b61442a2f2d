import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { test } from "node:test";
import { NodeHead } from "../../src/adapters/node-request.ts";

function incoming(rawHeaders: readonly string[], headers: Record<string, string>): NodeHead {
  const message = new IncomingMessage(new Socket());
  Object.assign(message, { rawHeaders, headers });
  return new NodeHead(message);
}

test("two Authorization headers are both seen, in whatever case their names are", () => {
  for (const name of ["authorization", "Authorization", "AUTHORIZATION", "aUTHORIZATION"]) {
    const head = incoming(["Host", "a", name, "Basic b", "Authorization", "Bearer c"], { authorization: "Basic b" });
    assert.equal(head.header("authorization"), "Basic b, Bearer c", name);
  }
});

test("a request that was made by hand, as in tests and functions, has headers and nothing raw", () => {
  assert.equal(incoming([], { authorization: "Bearer a" }).header("authorization"), "Bearer a");
});

test("a header that the application has taken away does not count", () => {
  assert.equal(incoming(["Authorization", "Bearer a"], {}).header("authorization"), undefined);
});

test("a header that the application has set anew is the one that counts, and one without a value hides no other", () => {
  assert.equal(
    incoming(["Authorization", "Bearer a"], { authorization: "Bearer b" }).header("authorization"),
    "Bearer b",
  );
  assert.equal(incoming(["Authorization", "Bearer a"], { authorization: "" }).header("authorization"), "");
  const both = incoming(["Authorization", "", "Authorization", "Bearer a"], { authorization: "" });
  assert.equal(both.header("authorization"), ", Bearer a");
});

test("over HTTP/2 the host is the authority", () => {
  assert.equal(incoming([], { ":authority": "api.example.com" }).host, "api.example.com");
});
