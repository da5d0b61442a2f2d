/**
 * The last door before the log. Lines are made of templates, statuses and sentences of ours; what such a sentence quotes of a request is cut short
 * here, and what looks like a credential is struck out, so that a secret which came in a wrong place is no secret told.
 */
import { redactTokens } from "../http/redact-tokens.ts";

/** So many characters of a quotation say which it is; no secret is that short. */
const QUOTED = 6;
const LONGEST_QUOTATION = 12;
const QUOTATION = /"((?:[^"\\]|\\.)*)"/g;
/** Whatever is as long as a key. */
const LONG_WORD = /[\w~+=-]{32,}/g;

/** Makes a sentence of ours fit for the log. */
export const redactReason = (text: string): string =>
  redactTokens(text)
    .replace(QUOTATION, (whole, quoted: string) =>
      quoted.length > LONGEST_QUOTATION ? `"${quoted.slice(0, QUOTED)}…"` : whole,
    )
    .replace(LONG_WORD, "[…]");
