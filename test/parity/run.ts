/**
 * `npm run parity`: the Django services and our dialects side by side, request by request.
 * Every difference is mended or listed with its reason in docs/django.md; an unlisted one fails, and so does a listed one that is none any more.
 */
import { compare, startSides } from "./compare.ts";
import { CROSSINGS } from "./crossing.ts";
import { missingDjango } from "./django.ts";
import { judge, readListed } from "./listed.ts";

const MOST_SHOWN = 60;
const print = (line: string) => void process.stdout.write(`${line}\n`);

const missing = missingDjango();
if (missing) {
  process.stderr.write(`The Django side is not there: ${missing}.\n`);
  process.exit(2);
}

const sides = await startSides();
try {
  let failures = 0;
  for (const [name, cross] of Object.entries(CROSSINGS)) {
    try {
      await cross(sides);
      print(`ok    ${name}`);
    } catch (error) {
      failures++;
      print(`FAIL  ${name}\n      ${(error as Error).message}`);
    }
  }
  const { versions, caseCount, differences } = await compare(sides, () => true);
  const { unlisted, stale } = judge(differences, readListed());
  for (const { name, aspect, django, ours } of unlisted.slice(0, MOST_SHOWN)) {
    print(`DIFF  ${name}\n      ${aspect} by Django:   ${django}\n      ${aspect} by Latchkey: ${ours}`);
  }
  for (const line of stale) print(`STALE ${line}`);
  print(
    `${caseCount} requests to each side (${Object.entries(versions)
      .map((pair) => pair.join(" "))
      .join(", ")}): ` +
      `${differences.length} differences, ${unlisted.length} of them unlisted; ${stale.length} listed that are none.`,
  );
  if (failures + unlisted.length + stale.length > 0) process.exitCode = 1;
} finally {
  await sides.ours.stop();
  await sides.django.stop();
}
