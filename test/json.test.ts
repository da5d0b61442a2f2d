import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isPlainJson, jsonProblem, readJson } from "../src/json.ts";

test("what JSON.stringify writes is read as it was, whatever it is", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      if (JSON.stringify(value).includes("__proto__")) return;
      assert.deepEqual(readJson(JSON.stringify(value)).value, JSON.parse(JSON.stringify(value)));
      assert.equal(jsonProblem(JSON.stringify(value)), undefined);
      assert.equal(jsonProblem(JSON.stringify(value, undefined, "\t")), undefined);
      assert.deepEqual(readJson(JSON.stringify(value, undefined, " ")).value, JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 500 },
  );
});

test("the scanner takes exactly what JSON.parse takes, but for what is named", () => {
  const piece = fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"a"',
    '"b"',
    '"\\u0061"',
    '"\\x"',
    '"',
    "1",
    "-",
    "0",
    "01",
    "1.5",
    ".5",
    "1e9",
    "1e",
    "+1",
    "true",
    "nul",
    "null",
    "false",
    " ",
    "\n",
    "\v",
    "\u00a0",
    "\ufeff",
    "\t",
    "\\",
    "'",
    "NaN",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
      const text = pieces.join("");
      const problem = jsonProblem(text);
      const isJson = parses(text);
      assert.equal(readJson(text).problem, problem, text);
      if (problem === undefined) assert.ok(isJson, text);
      if (isJson && problem !== undefined) assert.match(problem, /twice|too large/, text);
    }),
    { numRuns: 20_000 },
  );
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

test("two members of one name are refused, however they are written and however deep", () => {
  for (const text of [
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{ "a" : 1 , "b" : 2 , "a" : 3 }',
    '[{"x":{"a":1,"a":null}}]',
    '{"é":1,"\\u00e9":2}',
    '{"":1,"":2}',
  ]) {
    assert.deepEqual(readJson(text), { problem: "names a member twice" }, text);
  }
  assert.deepEqual(readJson('{"a":{"a":1},"b":{"a":1}}').value, { a: { a: 1 }, b: { a: 1 } });
});

test("a member __proto__ is refused, also when it is escaped", () => {
  assert.deepEqual(readJson('{"__proto__":{"admin":true}}'), { problem: "names a member __proto__" });
  assert.deepEqual(readJson('{"a":{"\\u005f_proto__":1}}'), { problem: "names a member __proto__" });
  assert.deepEqual(readJson('{"a":"__proto__"}').value, { a: "__proto__" });
});

test("numbers that can't be held are refused, and no others", () => {
  for (const text of ["1e999", "-1e400", '{"exp":1e309}', `1${"0".repeat(400)}`]) {
    assert.deepEqual(readJson(text), { problem: "holds a number that is too large" }, text);
  }
  assert.equal(readJson("1.0").value, 1);
  assert.equal(readJson("1e3").value, 1000);
  assert.equal(readJson("-0").value, -0);
  assert.equal(readJson("1e-999").value, 0);
});

test("depth is bounded, and the bound itself is taken", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  assert.equal(readJson(nested(16)).problem, undefined);
  assert.deepEqual(readJson(nested(17)), { problem: "nests more than 16 levels deep" });
  assert.deepEqual(readJson(`{"a":${nested(3)}}`, { maxDepth: 3 }), { problem: "nests more than 3 levels deep" });
  assert.deepEqual(readJson(`{"a":{"b":{"c":{}}}}`, { maxDepth: 3 }), { problem: "nests more than 3 levels deep" });
  assert.equal(readJson(`{"a":{"b":{}}}`, { maxDepth: 3 }).problem, undefined);
  assert.ok(readJson(nested(200_000)).problem, "a very deep text neither overflows the stack nor passes");
  assert.ok(readJson("[".repeat(200_000)).problem);
});

test("bytes must be UTF-8, and a byte order mark is a character that JSON does not begin with", () => {
  const bytes = (...parts: (string | number[])[]) => Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  assert.deepEqual(readJson(bytes('{"a":"Zoë 🗝"}')).value, { a: "Zoë 🗝" });
  for (const invalid of [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
    assert.deepEqual(readJson(bytes('"', invalid, '"')), { problem: "is not valid UTF-8" });
  }
  assert.deepEqual(readJson(bytes([0xef, 0xbb, 0xbf], "{}")), { problem: "is not JSON" });
  assert.deepEqual(readJson("\ufeff{}"), { problem: "is not JSON" });
});

test("a problem never quotes the text", () => {
  for (const text of ["secret", '{"a":secret}', '{"secret":1,"secret":2}', '"secret']) {
    assert.doesNotMatch(readJson(text).problem as string, /secret/);
  }
});

test("strings are taken apart at escapes, and control characters must be escaped", () => {
  for (const text of [
    '"\n"',
    '"\0"',
    '"\x1f"',
    '"\\"',
    '"\\u12"',
    '"\\u123g"',
    '"\\a"',
    '"a',
    '"a\\',
    '{"a"',
    '{"a":',
    '{"a":1',
    "{,}",
    '{"a":1,}',
    "[1,]",
    "[,]",
    "",
    " ",
    "tru",
    "1 2",
    "{1:2}",
    "{'a':1}",
  ]) {
    assert.deepEqual(readJson(text), { problem: "is not JSON" }, JSON.stringify(text));
    assert.equal(jsonProblem(text), "is not JSON", JSON.stringify(text));
  }
  assert.equal(readJson('"\\u0041\\n\\"\\\\\\/\\b\\f\\r\\t\x7f"').value, 'A\n"\\/\b\f\r\t\x7f');
  assert.equal(jsonProblem('"\\u0041\\n\\"\\\\\\/\\b\\f\\r\\t\x7f"'), undefined);
});

test("a text is plain when it is what JSON.stringify would write, and no deeper than allowed", () => {
  const isPlain = (text: string, maxDepth = 16) => isPlainJson(text, JSON.parse(text), maxDepth);
  for (const text of ['{"a":1}', "[1,2]", '"{["', '{"a":{"b":[1]}}', '["{"]', "7", "null"])
    assert.equal(isPlain(text), true, text);
  for (const text of ['{"a": 1}', '{"a":1,"a":1}', '{"a":1.0}', '"\\u0041"', '{"x":"__proto__"}', " 1"])
    assert.equal(isPlain(text), false, text);
  assert.equal(isPlain('{"a":{"b":1}}', 2), true);
  assert.equal(isPlain('{"a":{"b":1}}', 1), false);
  assert.equal(isPlain("[[1]]", 2), true);
  assert.equal(isPlain("[[1]]", 1), false);
  assert.equal(isPlain("[null,[1],2]", 1), false, "also behind a member that is not deep");
});

test("a text that is no JSON, or too deep, is told as that and not as something else", () => {
  const told: readonly [text: string, maxDepth: number, problem: string | undefined][] = [
    ["[[1]]", 2, undefined],
    ["[[1]]", 1, "nests more than 1 levels deep"],
    ['{"a":{}}', 1, "nests more than 1 levels deep"],
    ["", 4, "is not JSON"],
    ["{", 4, "is not JSON"],
    ['{"a"', 4, "is not JSON"],
    ['{"a":1', 4, "is not JSON"],
    ["{1:2}", 4, "is not JSON"],
    ["[1,]", 4, "is not JSON"],
    ['"abc', 4, "is not JSON"],
    ['"\\', 4, "is not JSON"],
    ['"\\x"', 4, "is not JSON"],
    ['"\\u00g0"', 4, "is not JSON"],
    ['"\\u00"', 4, "is not JSON"],
    ['"\\u0022"', 4, undefined],
    ['"\t"', 4, "is not JSON"],
    ["tru", 4, "is not JSON"],
    ["nul", 4, "is not JSON"],
    ["falsy", 4, "is not JSON"],
    ["1 2", 4, "is not JSON"],
    [" \t\n\r1 \t\n\r", 4, undefined],
    ["\v1", 4, "is not JSON"],
    ["\u000e1", 4, "is not JSON"],
    ['{"a":1,"\\u0061":2}', 4, "names a member twice"],
    ["-", 4, "is not JSON"],
    ["1e999", 4, "holds a number that is too large"],
  ];
  for (const [text, maxDepth, problem] of told)
    assert.equal(jsonProblem(text, maxDepth), problem, JSON.stringify(text));
  assert.deepEqual(readJson("{"), { problem: "is not JSON" });
});
