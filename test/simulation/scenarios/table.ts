/** The scenarios under every rule, as a markdown table, and its place in docs/sessions.md. */
import { latchkey } from "./latchkey.ts";
import { oryGrace } from "./ory-grace.ts";
import type { RefreshRule } from "./rule.ts";
import { sameChild } from "./same-child.ts";
import { HONEST_SCENARIOS, THEFT_SCENARIOS } from "./scenarios.ts";
import { strictRotation } from "./strict-rotation.ts";
import { supabase } from "./supabase.ts";
import { superTokens } from "./supertokens.ts";

export const RULES: readonly RefreshRule[] = [strictRotation, oryGrace, superTokens, supabase, sameChild, latchkey];

/** @returns the table, one row a scenario, one column a rule. */
export async function createScenarioTable(): Promise<string> {
  const rows: string[][] = [["", ...RULES.map(({ name }) => name)], Array(RULES.length + 1).fill("---")];
  for (const scenario of [...HONEST_SCENARIOS, ...THEFT_SCENARIOS]) {
    const row = [scenario.title];
    for (const rule of RULES) row.push(await scenario.play(rule));
    rows.push(row);
  }
  return `${rows.map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`;
}

const PLACE = /(?<=<!-- scenarios: npm run simulate -- --table --write -->\n)[\s\S]*(?=<!-- \/scenarios -->)/;

/** @param page the text of docs/sessions.md. @throws TypeError when the markers are gone. */
export function putIntoPage(page: string, table: string): string {
  if (!PLACE.test(page)) throw new TypeError("the page has no place for the table");
  return page.replace(PLACE, table);
}
