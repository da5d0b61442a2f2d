import assert from "node:assert/strict";
import { test } from "node:test";
import { networkOf } from "../../src/limits/network.ts";

test("an IPv4 address is itself, in whatever spelling, and an IPv6 address its /64 (checklist 72)", () => {
  const same: readonly (readonly string[])[] = [
    ["192.0.2.1", "::ffff:192.0.2.1", "::FFFF:c000:201", "192.0.2.1:443", "[::ffff:192.0.2.1]:443"],
    ["2001:db8:1:2::1", "2001:DB8:1:2:ffff:ffff:ffff:ffff", "[2001:db8:1:2::9]:80", "2001:0db8:0001:0002:0:0:0:1"],
    ["2001:db8::1", "2001:db8:0:0:1::", "2001:db8::"],
    ["::1", "::2"],
    ["fe80::1%eth0", "fe80::2"],
  ];
  const found = same.map((spellings) => new Set(spellings.map((one) => networkOf(one))));
  for (const [i, networks] of found.entries()) assert.equal(networks.size, 1, String(same[i]));
  assert.equal(new Set(found.map((networks) => [...networks][0])).size, same.length);
  assert.deepEqual([...(found[1] as Set<string>)], ["2001:db8:1:2::/64"]);
  for (const none of [undefined, "", "unknown", "1.2.3", "2001:db8::g", "a".repeat(10_000)]) {
    assert.equal(networkOf(none), undefined);
  }
});
