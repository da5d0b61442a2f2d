import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { compare, type Sides, startSides } from "./compare.ts";
import { CROSSINGS } from "./crossing.ts";
import { missingDjango } from "./django.ts";
import { judge, readListed } from "./listed.ts";

const missing = missingDjango();

test("the table of differences judges: what it lists is allowed, what it does not is found, what is none any more is stale", () => {
  const page = (row: string) => `<!-- differences: npm run parity -->\n${row}\n<!-- /differences -->`;
  const listed = readListed(page('| `drf …` | body, status | `{"a":…}`, `4…` | `x` | because |'));
  const difference = { name: "drf login: x", aspect: "body", django: '{"a":1}', ours: "x" } as const;
  assert.deepEqual(judge([difference], listed), { unlisted: [], stale: [] });
  const others = [
    { ...difference, name: "simplejwt token: x" },
    { ...difference, aspect: "allow" as const },
    { ...difference, django: "" },
    { ...difference, ours: "xx" },
  ];
  assert.deepEqual(judge(others, listed).unlisted, others);
  assert.equal(judge(others, listed).stale.length, 1);
  assert.throws(() => readListed(page("| `drf …` | body | `a` | `b` | |")), /without a reason/);
});

describe("beside a real Django", { skip: missing ?? false }, () => {
  let sides: Sides;
  before(async () => {
    sides = await startSides();
  });
  after(async () => {
    await sides.ours.stop();
    await sides.django.stop();
  });

  for (const [name, cross] of Object.entries(CROSSINGS)) test(`${name} (checklist 35)`, () => cross(sides));

  test("every third request of `npm run parity` is answered the same, but for what docs/django.md lists", async () => {
    const { caseCount, differences } = await compare(sides, (index) => index % 3 === 0);
    assert.ok(caseCount > 200);
    assert.deepEqual(judge(differences, readListed()).unlisted, []);
  });
});
