/**
 * `npm run bench`: measures latchkey side by side with its peers and writes results/.
 * One part at a time; each part lives in a folder of its name.
 */
import { parseArgs } from "node:util";
import { runJwt, SECTIONS, type Section, toTerminal } from "./jwt/run.ts";

const HELP = `Measures latchkey side by side with its peers.

  npm run bench                    everything, some fifteen minutes; writes bench/results/
  npm run bench -- jwt --quick     under a minute, a wide spread; writes nothing

Parts
  jwt                   signing and verifying tokens with every algorithm, heap, hostile tokens, import

Options
  --quick               few short rounds: a hint, no result; writes nothing unless --write is given
  --write               writes bench/results/ (the default without --quick and without a selection)
  --no-write            writes nothing
  --alg HS256,ES256     only these algorithms
  --section heap,…      only these of: ${SECTIONS.join(", ")}
  --source              measures src/ as it is instead of the packed package (no import figure)
  --package FILE        measures a package that npm packed earlier instead of packing the checkout
  --json                prints the results as JSON instead of tables
  --help                this page
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    write: { type: "boolean" },
    "no-write": { type: "boolean", default: false },
    alg: { type: "string", default: "" },
    section: { type: "string", default: "" },
    source: { type: "boolean", default: false },
    package: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) {
  process.stdout.write(HELP);
} else {
  await main();
}

async function main(): Promise<void> {
  const unknown = positionals.filter((part) => part !== "jwt");
  if (unknown.length > 0) return refuse(`There is no part '${unknown[0]}'.`);
  const sections = list(values.section);
  const wrong = sections.find((section) => !SECTIONS.includes(section as Section));
  if (wrong) return refuse(`There is no section '${wrong}'.`);

  const algs = list(values.alg);
  const isWhole = !values.quick && !values.source && algs.length === 0 && sections.length === 0;
  const isWritten = !values["no-write"] && (values.write ?? isWhole);
  const started = performance.now();
  const run = await runJwt({
    isQuick: values.quick,
    isSource: values.source,
    tarball: values.package,
    algs,
    sections: sections.length > 0 ? (sections as Section[]) : SECTIONS,
    resultsFolder: isWritten ? new URL("results/", import.meta.url) : undefined,
    progress: (text) => showProgress(text, started),
  });
  clearProgress();
  process.stdout.write(
    values.json ? `${JSON.stringify({ ...run.results, verdicts: run.verdicts })}\n` : toTerminal(run, isWritten),
  );
}

/** One line that rewrites itself in a terminal, a line each in a log. */
function showProgress(text: string, started: number): void {
  const seconds = String(Math.round((performance.now() - started) / 1000)).padStart(4);
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${seconds} s  ${text}` : `${seconds} s  ${text}\n`);
}

function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
}

function refuse(message: string): void {
  process.stderr.write(`${message}\n\n${HELP}`);
  process.exitCode = 2;
}

function list(text: string): string[] {
  return text.split(",").filter((item) => item !== "");
}
