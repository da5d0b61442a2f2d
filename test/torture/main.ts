/**
 * `npm run torture`: real servers that are killed, cut off, frozen and set back, under clients that write down every answer; and a checker that goes over
 * what they wrote.
 */
import { parseArgs } from "node:util";
import { PROMISES } from "./history.ts";
import { type Report, runScenarios, type Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";

const HELP = `Tortures the server and checks what its clients were answered.

  npm run torture                       everything, some twenty minutes
  npm run torture -- --short            a little of everything, under a minute
  npm run torture -- --only killed      one scenario, or several with commas between
  npm run torture -- --only killed --amount 1000

Options
  --only NAME,…   ${Object.keys(SCENARIOS).join(", ")}
  --amount N      so many rounds, callers or seconds of each
  --short         a short form of each
  --json          the summary as JSON
  --help          this page

Exit code 1 when a promise was broken.
`;

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    amount: { type: "string" },
    short: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else await main();

async function main(): Promise<void> {
  const names = values.only === "" ? Object.keys(SCENARIOS) : values.only.split(",");
  const unknown = names.find((name) => !Object.hasOwn(SCENARIOS, name));
  const amount = values.amount === undefined ? undefined : Number(values.amount);
  if (unknown !== undefined || (amount !== undefined && !(Number.isSafeInteger(amount) && amount > 0))) {
    process.stderr.write(
      `${unknown === undefined ? "--amount is a whole number" : `There is no scenario '${unknown}'.`}\n\n${HELP}`,
    );
    process.exitCode = 2;
    return;
  }
  const isTerminal = process.stderr.isTTY;
  const reports = await runScenarios(
    names.map((name) => SCENARIOS[name] as Scenario),
    {
      isShort: values.short,
      amount,
      progress: (text) => void process.stderr.write(isTerminal ? `\r\x1b[K${text}` : `${text}\n`),
    },
  );
  if (isTerminal) process.stderr.write("\r\x1b[K");
  process.stdout.write(values.json ? toJson(reports) : toTable(reports));
  for (const [{ title }, { violations }] of reports) {
    for (const { promise, what } of violations.slice(0, 10)) {
      process.stderr.write(`${title}: not kept: ${PROMISES[promise]} (${what})\n`);
    }
    if (violations.length > 0) process.exitCode = 1;
  }
}

type Reports = ReadonlyMap<Scenario, Report & { readonly seconds: number }>;

function toJson(reports: Reports): string {
  const list = [...reports].map(([{ title, unit }, report]) => ({ title, unit, ...report }));
  return `${JSON.stringify(list, null, 1)}\n`;
}

function toTable(reports: Reports): string {
  const count = (n: number) => n.toLocaleString("en-US");
  const rows = [...reports].map(([{ title, unit }, { done, requests, granted, unanswered, violations, notes }]) => [
    title,
    `${count(done)} ${unit}${notes ? ` (${notes})` : ""}`,
    count(requests),
    count(granted),
    count(unanswered),
    violations.length === 0 ? "0" : `**${violations.length}**`,
  ]);
  const head = [
    ["scenario", "how much", "requests", "refreshed", "without a verdict", "promises broken"],
    ["---", "---", "--:", "--:", "--:", "--:"],
  ];
  return `${[...head, ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")}\n`;
}
