/**
 * What the server tells its operator: JSON lines in production, plain lines in development.
 * Secrets can't be printed because they are never handed over: a line has the route's pattern, the status and the precise
 * reason, and no header, body, URL or query. What a reason quotes passes through redaction.ts.
 */
import type { HashEvent, KeyEvent, SessionEvent } from "../auth.ts";
import { AuthError } from "../errors.ts";
import type { HandledRequest } from "../http/handler.ts";
import { redactTokens } from "../http/redact-tokens.ts";
import { redactReason } from "./redaction.ts";

export interface Logger {
  request(request: HandledRequest): void;
  event(event: SessionEvent | KeyEvent | HashEvent): void;
  info(message: string): void;
}

/** Plain lines on standard output. */
export function createTextLogger(write: (line: string) => void): Logger {
  return {
    request({ method, route, status, reason, error }) {
      write(`${status} ${printable(method)} ${route}${reason ? ` · ${printable(redactReason(reason))}` : ""}`);
      // Indented, so that no line of a stack passes for one of a request, whatever an error's message holds.
      if (isDefect(error)) for (const line of describeError(error).split("\n")) write(`    ${printable(line.trim())}`);
    },
    event: (event) => write(`${event.type} · ${JSON.stringify(event)}`),
    info: (message) => write(message),
  };
}

/** JSON lines on standard output, by pino. */
export async function createJsonLogger(destination?: { write(line: string): void }): Promise<Logger> {
  const { pino } = await import("pino");
  const options = { base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const log = destination ? pino(options, destination) : pino(options);
  return {
    request({ method, route, status, reason, error }) {
      const line = { method, route, status, ...(reason && { reason: redactReason(reason) }) };
      if (isDefect(error)) log.error({ ...line, error: describeError(error) }, "request");
      else if (status >= 500) log.warn(line, "request");
      else log.info(line, "request");
    },
    event: (event) => log.warn(event, event.type),
    info: (message) => log.info(message),
  };
}

/** One line per line: what came over the network must not draw on the terminal or forge a line. */
const printable = (text: string) =>
  text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${(c.codePointAt(0) as number).toString(16)}}`);

/** A refusal is told by its reason, a full queue included; where it came from matters only for what nobody foresaw. */
function isDefect(error: unknown): boolean {
  return error !== undefined && (!(error instanceof AuthError) || error.code === "internal");
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return redactTokens(String(error));
  const cause = error.cause === undefined ? "" : ` · caused by ${describeError(error.cause)}`;
  return `${redactTokens(error.stack ?? error.message)}${cause}`;
}
