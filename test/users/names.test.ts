import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { emailProblem, personNameProblem, toKey, usernameProblem } from "../../src/users/names.ts";

test("folding a name twice is folding it once, for every character and for generated names (checklist 78)", () => {
  for (let point = 0; point <= 0x10ffff; point++) {
    if (point >= 0xd800 && point <= 0xdfff) continue;
    const character = String.fromCodePoint(point);
    const key = toKey(character);
    if (toKey(key) !== key) assert.fail(`U+${point.toString(16)}`);
  }
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (name) => assert.equal(toKey(toKey(name)), toKey(name))),
    { numRuns: 2000 },
  );
});

test("names that look alike share a key: case, width, composition, ligatures (checklist 78)", () => {
  for (const [one, other] of [
    ["Ada", "ADA"],
    ["Zoë", "Zoe\u0308"],
    ["ａｄａ", "ada"],
    ["ﬁn", "FIN"],
    ["Straße", "STRASSE"],
    ["Straße", "STRAẞE"],
    ["ΣΊΣΥΦΟΣ", "σίσυφος"],
    ["①", "1"],
    ["K", "k"],
  ]) {
    assert.equal(toKey(one as string), toKey(other as string));
  }
  assert.notEqual(toKey("ada"), toKey("adа"), "a Cyrillic letter is another letter");
});

test("a new username is letters, digits and . _ + - of any script", () => {
  for (const name of ["a", "ada.lovelace", "a+b_c-d", "李雷", "עדה", "पूजा", "user01", "u".repeat(150), "Zoe\u0308"])
    assert.equal(usernameProblem(name), undefined, name);
  for (const name of [
    "",
    " ",
    "a b",
    "a@b",
    "a\u0000",
    "a\n",
    "\ud800",
    "🗝",
    "<b>",
    "a/b",
    "a\u202eb",
    "a\u200bb",
    "\u0301a",
    "u".repeat(151),
    "ﷺ".repeat(20),
  ]) {
    assert.match(usernameProblem(name) ?? "accepted", /^(?:must|may) /, JSON.stringify(name));
  }
});

test("characters that can't be seen make no second account (checklist 78)", () => {
  for (const hidden of ["\uFE0F", "\u034F", "\u3164", "\u17B4", "\u180B", "\u{E0100}", "\u200D", "\u00AD"]) {
    assert.match(usernameProblem(`ada${hidden}`) ?? "accepted", /^(?:must|may) /);
    assert.match(emailProblem(`ada${hidden}@example.com`) ?? "accepted", /^must /);
    assert.match(emailProblem(`ada@exa${hidden}mple.com`) ?? "accepted", /^must /);
  }
});

test("an email address has the shape of one; a quick answer to a hostile one", () => {
  for (const email of [
    "a@b.cd",
    "ada+tag@mail.example.com",
    "ünïcode@exämple.de",
    "o'brien@example.ie",
    "x@xn--exmple-cua.de",
  ])
    assert.equal(emailProblem(email), undefined, email);
  for (const email of [
    "",
    "a",
    "@b.cd",
    "a@",
    "a@b",
    "a b@c.de",
    "a@b@c.de",
    "a@b..de",
    ".a@b.de",
    "a.@b.de",
    "a..b@c.de",
    "a@-b.de",
    "a@b.d",
    "a@b.de\n",
    "<a@b.de>",
    "a@[127.0.0.1]",
    "\ud800@b.de",
    `${"a".repeat(65)}@b.de`,
    `a@${"b".repeat(250)}.de`,
    "a\u0000@b.de",
  ]) {
    assert.match(emailProblem(email) ?? "accepted", /^must /, JSON.stringify(email));
  }
  // Would not come back if the pattern backtracked.
  emailProblem(`${"a.".repeat(30)}@${"a.".repeat(90)}`);
  emailProblem(`a@${"a-".repeat(120)}`);
});

test("a person's name may be markup, right-to-left and emoji, but no control character", () => {
  for (const name of ["", "Ada", "<b>Ada</b>", "עדה לאבלייס", "👩‍💻", "x".repeat(150)])
    assert.equal(personNameProblem(name), undefined);
  for (const name of ["a\u0000", "a\u001b[31m", "\udfff", "x".repeat(151)])
    assert.match(personNameProblem(name) ?? "accepted", /^must /);
});
