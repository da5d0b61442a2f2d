/** What the console says: plain words for every code, devices by their names, passwords by how long they would last. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dictionary } from "@zxcvbn-ts/language-common";
import { toDevice } from "../../console/device.ts";
import { strengthOf } from "../../console/strength.ts";
import { fieldProblems, say, sayDuration, sentence, WORDS } from "../../console/words.ts";
import { refusals } from "../../src/errors.ts";

test("every public code has a sentence of its own, and so have the client's", () => {
  for (const code of [...Object.keys(refusals), "unreachable", "unexpected_answer"]) {
    assert.match(WORDS[code] ?? "", /^[A-Z].{10,}\.$/, code);
  }
});

test("what has no code is owned up to, and a limit says how long it lasts", () => {
  assert.match(say(new Error("x is not a function")), /went wrong in this page/);
  assert.match(say({ code: "rate_limited", retryAfter: 300 }), /in 5 minutes\.$/);
  assert.match(say({ code: "rate_limited", retryAfter: 0 }), /Wait a little/);
  assert.deepEqual(fieldProblems({ errors: [{ field: "email", message: "is required" }] }), { email: "is required" });
  assert.deepEqual([1, 60, 119, 7200, 172_800].map(sayDuration), [
    "1 second",
    "60 seconds",
    "119 seconds",
    "2 hours",
    "2 days",
  ]);
  assert.equal(sentence("email is required"), "Email is required.");
});

test("a device is named by what its User-Agent says, whatever that is", () => {
  const mozilla = "Mozilla/5.0 (X11; Linux x86_64)";
  const names: Readonly<Record<string, string>> = {
    [`${mozilla} AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36`]: "Chrome on Linux",
    [`${mozilla} AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0`]: "Edge on Linux",
    "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Windows",
    "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) Version/18.0 Safari/604.1": "Safari on iPad",
    "Mozilla/5.0 (Linux; Android 16) Chrome/140.0 Mobile Safari/537.36": "Chrome on Android",
    "curl/8.5.0": "curl 8.5",
    "my-tool build 7": "my-tool",
    "": "Unknown device",
    "   ": "Unknown device",
    "🦊": "🦊",
  };
  for (const [userAgent, name] of Object.entries(names)) assert.equal(toDevice(userAgent), name);
  assert.equal(toDevice(null), "Unknown device");
  assert.equal([...toDevice("<".repeat(500))].length, 41);
});

test("a password's strength: known pieces count for little, several words for much", () => {
  const common = dictionary["passwords-common"] as readonly string[];
  Object.assign(globalThis, { COMMON_PASSWORDS: common.slice(0, 2000).join("\n") });
  const level = (password: string) => strengthOf(password, ["ada", "ada.lovelace@example.com"]).level;
  for (const weak of [
    "",
    "tiger",
    "password",
    "Password1!",
    "aaaaaaaaaaaa",
    "12345678901234",
    "qwertyuiop",
    "lovelace1",
  ])
    assert.equal(level(weak), 0, weak);
  for (const fair of ["blue tiger", "x7Kp2mQz"]) assert.ok([1, 2].includes(level(fair)), `${fair} ${level(fair)}`);
  for (const good of ["correct horse battery staple", "x7Kp2mQz!vB9rT4w"]) assert.equal(level(good), 4, good);
  assert.match(strengthOf("short").words, /3 more/);
});

test("a long password is judged at once", () => {
  const start = performance.now();
  for (let i = 0; i < 100; i++) strengthOf("a1!Ω".repeat(256));
  assert.ok(performance.now() - start < 20_000);
});
