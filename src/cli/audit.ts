/** `latchkey audit`: who did what to which account. */
import { InvalidArgumentError } from "commander";
import { AUDIT_TYPES, type AuditType } from "../audit/audit.ts";
import { findUser, type StoreOptions, storeCommand, withEngine } from "./open-engine.ts";
import { print, printJson, printTable, toDate } from "./output.ts";

interface AuditOptions extends StoreOptions {
  readonly user?: string;
  readonly type?: AuditType;
  readonly since?: number;
  readonly limit: number;
  readonly after?: string;
}

export const auditCommand = () =>
  storeCommand("audit")
    .description("show the audit trail, newest first")
    .option("--user <user>", "about one account: a username, an email address, or id: and a number")
    .option("--type <type>", `of one kind: ${AUDIT_TYPES.join(", ")}`, readType)
    .option("--since <time>", "nothing older than an instant (2026-01-31T12:00:00Z), or than 90m, 12h, 7d", readSince)
    .option("--limit <count>", "how many at most", readLimit, 50)
    .option("--after <cursor>", "the page that begins where another said that it ends")
    .action(show);

function show({ user, type, since, limit, after, ...options }: AuditOptions): Promise<void> {
  return withEngine(options, async (auth) => {
    const userId = user === undefined ? undefined : (await findUser(auth, user)).id;
    const { entries, next } = await auth.audit.list({ userId, type, since, limit, after });
    if (options.json) return printJson({ entries, next });
    const rows = entries.map((entry) => [
      toDate(entry.at),
      entry.type,
      entry.userId === undefined ? "" : String(entry.userId),
      entry.actorId === undefined ? "" : String(entry.actorId),
      entry.sessionId,
      entry.ip,
      entry.reason,
    ]);
    printTable(
      ["TIME (UTC)", "WHAT", "USER", "BY", "SESSION", "ADDRESS", "WHY"],
      rows,
      "There is nothing in the audit trail.",
    );
    if (next !== undefined) print(`\nMore: --after ${next}`);
  });
}

function readType(text: string): AuditType {
  const type = AUDIT_TYPES.find((one) => one === text);
  if (type) return type;
  throw new InvalidArgumentError(`It is one of ${AUDIT_TYPES.join(", ")}.`);
}

const UNITS: Readonly<Record<string, number>> = { m: 60, h: 60 * 60, d: 24 * 60 * 60 };

function readSince(text: string): number {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (count !== undefined && unit !== undefined) {
    return Math.max(0, Math.floor(Date.now() / 1000) - Number(count) * (UNITS[unit] as number));
  }
  const milliseconds = /^\d{4}-\d\d-\d\d(?:T|$)/.test(text) ? Date.parse(text) : Number.NaN;
  if (milliseconds >= 0) return Math.floor(milliseconds / 1000);
  throw new InvalidArgumentError("It is an instant, such as 2026-01-31T12:00:00Z, or a time such as 12h.");
}

function readLimit(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 1000) return Number(text);
  throw new InvalidArgumentError("It is a whole number from 1 to 1000.");
}
