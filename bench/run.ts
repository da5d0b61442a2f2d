/**
 * `npm run bench`: measures latchkey side by side with its peers and writes results/.
 * One part at a time; each part lives in a folder of its name.
 */
import { parseArgs } from "node:util";
import { missingPackages } from "./django/django-service.ts";
import { type DjangoOptions, djangoToPage, runDjango } from "./django/run.ts";
import { FRAMEWORKS, type Framework, type HttpOptions, httpToTerminal, runHttp } from "./http/run.ts";
import { type JwtOptions, runJwt, SECTIONS, type Section, toTerminal } from "./jwt/run.ts";
import {
  runSessions,
  SESSIONS_SECTIONS,
  type SessionsOptions,
  type SessionsSection,
  sessionsToTerminal,
} from "./sessions/run.ts";

type Part = "jwt" | "sessions" | "http" | "django";
const PARTS: readonly Part[] = ["jwt", "sessions", "http", "django"];
const SECTIONS_OF: Readonly<Record<Part, readonly string[]>> = {
  jwt: SECTIONS,
  sessions: SESSIONS_SECTIONS,
  // Its parts are frameworks, which have an option of their own.
  http: [],
  django: [],
};

const HELP = `Measures latchkey side by side with its peers.

  npm run bench                         everything, some three quarters of an hour; writes bench/results/
  npm run bench -- jwt --quick          under a minute, a wide spread; writes nothing
  npm run bench -- sessions --quick     under a minute and a half
  npm run bench -- http --quick         under two minutes
  npm run bench -- django --quick       under a minute

Parts
  jwt                   signing and verifying tokens with every algorithm, heap, hostile tokens, import
  sessions              refreshes on SQLite and PostgreSQL, CPU of a request, ends seen from another process, memory
  django                the recipe's service on Django beside its dialect of ours; wants Debian's Django packages and gunicorn
  http                  guarded routes: CPU, rate and allocation in every framework, beside its usual plugin

Options
  --quick               few short rounds: a hint, no result; writes nothing unless --write is given
  --write               writes bench/results/ (the default without --quick and without a selection)
  --no-write            writes nothing
  --section heap,…      only these of jwt: ${SECTIONS.join(", ")};
                        of sessions: ${SESSIONS_SECTIONS.join(", ")}
  --alg HS256,ES256     jwt: only these algorithms
  --framework fastify,… http: only these: ${FRAMEWORKS.map(toOption).join(", ")}
  --source              jwt: measures src/ as it is instead of the packed package (no import figure)
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
    framework: { type: "string", default: "" },
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
  const unknown = positionals.find((part) => !PARTS.includes(part as Part));
  if (unknown !== undefined) return refuse(`There is no part '${unknown}'.`);
  const sections = list(values.section);
  const frameworks = list(values.framework).map((name) => name.toLowerCase());
  const wrongFramework = frameworks.find((name) => !FRAMEWORKS.map(toOption).includes(name));
  if (wrongFramework !== undefined) return refuse(`There is no framework '${wrongFramework}'.`);
  // A section or a framework says which part is meant.
  const parts = PARTS.filter((part) => positionals.length === 0 || positionals.includes(part))
    .filter((part) => sections.length === 0 || sections.some((section) => SECTIONS_OF[part].includes(section)))
    .filter((part) => frameworks.length === 0 || part === "http");
  const known = parts.flatMap((part) => SECTIONS_OF[part]);
  const wrong = sections.find((section) => !known.includes(section));
  if (wrong !== undefined || parts.length === 0) return refuse(`There is no section '${wrong ?? sections[0]}'.`);

  const algs = list(values.alg);
  const isSelection = algs.length > 0 || sections.length > 0 || frameworks.length > 0;
  const isWhole = !values.quick && !values.source && !isSelection;
  const isWritten = !values["no-write"] && (values.write ?? isWhole);
  const started = performance.now();
  const shared = {
    isQuick: values.quick,
    tarball: values.package,
    resultsFolder: isWritten ? new URL("results/", import.meta.url) : undefined,
    progress: (text: string) => showProgress(text, started),
  };
  const wanted = (part: Part): readonly string[] =>
    SECTIONS_OF[part].filter((section) => sections.length === 0 || sections.includes(section));
  const measure = (part: Part): Promise<Measured> => {
    if (part === "http") {
      const chosen = FRAMEWORKS.filter((name) => frameworks.length === 0 || frameworks.includes(toOption(name)));
      return measureHttp({ ...shared, frameworks: chosen }, isWritten);
    }
    if (part === "django") return measureDjango(shared);
    if (part === "sessions") {
      return measureSessions({ ...shared, sections: wanted(part) as SessionsSection[] }, isWritten);
    }
    const options = { ...shared, isSource: values.source, algs, sections: wanted(part) as Section[] };
    return measureJwt(options, isWritten);
  };
  const json: Record<string, object> = {};
  for (const part of parts) {
    const { results, text } = await measure(part);
    json[part] = results;
    clearProgress();
    if (!values.json) process.stdout.write(text);
  }
  if (values.json) process.stdout.write(`${JSON.stringify(parts.length === 1 ? json[parts[0]!] : json)}\n`);
}

interface Measured {
  readonly results: object;
  readonly text: string;
}

async function measureJwt(options: JwtOptions, isWritten: boolean): Promise<Measured> {
  const run = await runJwt(options);
  return { results: { ...run.results, verdicts: run.verdicts }, text: toTerminal(run, isWritten) };
}

async function measureSessions(options: SessionsOptions, isWritten: boolean): Promise<Measured> {
  const run = await runSessions(options);
  return { results: { ...run.results, verdicts: run.verdicts }, text: sessionsToTerminal(run, isWritten) };
}

async function measureHttp(options: HttpOptions, isWritten: boolean): Promise<Measured> {
  const run = await runHttp(options);
  return { results: { ...run.results, verdicts: run.verdicts }, text: httpToTerminal(run, isWritten) };
}

async function measureDjango(options: DjangoOptions): Promise<Measured> {
  const missing = missingPackages();
  if (missing) return { results: { skipped: missing }, text: `\nDjango was not measured: ${missing}.\n` };
  const results = await runDjango(options);
  return { results, text: djangoToPage(results) };
}

/** A framework as the command line names it. */
function toOption(framework: Framework): string {
  return framework.replace("node:", "").toLowerCase();
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
