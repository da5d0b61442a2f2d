import assert from "node:assert/strict";
import { test } from "node:test";
import { clientAddress } from "../../src/http/client-address.ts";

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
