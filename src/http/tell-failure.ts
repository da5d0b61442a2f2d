/**
 * What becomes of errors that nobody foresaw, such as those of an application's `claimsOf`, where no log was given: without a word of them a 500 would be
 * all that anybody learns. Told are stacks and causes, and nothing else that hangs on an error: clients of databases and of HTTP leave there what was sent.
 */
import type { HandledRequest } from "./handler.ts";
import { redactTokens } from "./redact-tokens.ts";

/** Causes of causes; an error may be its own. */
const DEEPEST_CAUSE = 8;

export function tellFailure({ method, route, status, error }: HandledRequest): void {
  if (status === 500) console.error(`latchkey: ${method} ${route} was answered with 500: ${describeError(error)}`);
}

function describeError(error: unknown, depth = 0): string {
  // A thing that was thrown and is no error may be anything, a body included.
  if (!(error instanceof Error)) return typeof error === "string" ? redactTokens(error) : `a thrown ${typeof error}`;
  const { cause, stack, message } = error;
  const told = redactTokens(stack ?? `${error.name}: ${message}`);
  if (cause === undefined || depth === DEEPEST_CAUSE) return told;
  return `${told}\n  caused by: ${describeError(cause, depth + 1)}`;
}
