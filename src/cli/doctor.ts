/** `latchkey doctor`: looks at everything that keeps a server from working well, and says how to mend each. */
import { Command } from "commander";
import { type Finding, inspect } from "../server/inspection.ts";
import { inspectUrl } from "../server/url-inspection.ts";
import { print } from "./output.ts";

interface DoctorOptions {
  readonly dataDir?: string;
  readonly url?: string;
  readonly json?: true;
}

export const doctorCommand = () =>
  new Command("doctor")
    .description("check settings, secrets, store, clock, keys and proxies; exit code 1 when something is broken")
    .option("--url <url>", "also ask the running server there, as the public reaches it: TLS, proxy, clock, CORS, JWKS")
    .option("--data-dir <folder>", "the data folder (LATCHKEY_DATA_DIR)")
    .option("--json", "print JSON, for programs")
    .action(doctor);

const SIGNS = { ok: "ok  ", warning: "warn", failure: "FAIL" } as const;

async function doctor({ dataDir, url, json }: DoctorOptions): Promise<void> {
  const env = { ...process.env, ...(dataDir !== undefined && { LATCHKEY_DATA_DIR: dataDir }) };
  const findings: Finding[] = await inspect(env);
  if (url !== undefined) findings.push(...(await inspectUrl(url)));
  if (json) print(JSON.stringify({ findings }, null, 2));
  else {
    for (const { name, state, message, mend } of findings) {
      print(`${SIGNS[state]}  ${name}: ${message}`);
      if (mend !== undefined) print(`      → ${mend}`);
    }
  }
  if (findings.some(({ state }) => state === "failure")) process.exitCode = 1;
}
