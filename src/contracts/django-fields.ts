/** Fields as Django REST Framework's serializers judge them, in its words, which clients show to people and tests compare. */
import { isIPv4, isIPv6 } from "node:net";
import { domainToASCII } from "node:url";
import * as z from "zod";
import { BODY_LIMIT } from "../http/body.ts";
import type { Schema } from "../http/schema.ts";
import { WireRefusal } from "../http/wire-refusal.ts";

/** The kinds of field that logins and refreshes have. */
export type FieldKind = "text" | "email";

/** The same fields for the document. */
export function documentFields(fields: Readonly<Record<string, FieldKind>>): Schema {
  const shape = Object.entries(fields).map(([name, kind]) => {
    const example = EXAMPLES[name];
    const field = z
      .string()
      .min(1)
      .max(kind === "email" ? LONGEST_EMAIL : BODY_LIMIT);
    return [name, field.meta({ ...(example !== undefined && { examples: [example] }) })];
  });
  return z.object(Object.fromEntries(shape));
}

const EXAMPLES: Readonly<Record<string, string>> = {
  email: "ada@example.com",
  username: "ada",
  password: "correct horse battery staple",
  refresh: "eyJ…",
  token: "eyJ…",
};

/**
 * Reads the fields of a body, all of them required.
 * @param body as `readDjangoBody` gives it.
 * @returns each field's text, trimmed.
 * @throws WireRefusal 400 that names every field with what is wrong.
 */
export function readFields<Name extends string>(
  body: unknown,
  fields: Readonly<Record<Name, FieldKind>>,
): Readonly<Record<Name, string>> {
  const members = readMembers(body);
  const texts: Record<string, string> = {};
  const problems: Record<string, readonly string[]> = {};
  for (const [name, kind] of Object.entries<FieldKind>(fields)) {
    const read = readField(Object.hasOwn(members, name) ? members[name] : undefined, kind);
    if (typeof read === "string") texts[name] = read;
    else problems[name] = read;
  }
  if (Object.keys(problems).length > 0) {
    throw new WireRefusal("input_invalid", { status: 400, body: problems, reason: JSON.stringify(problems) });
  }
  return texts as Record<Name, string>;
}

/** The members of a body. @throws WireRefusal 400 for one that is no object. */
export function readMembers(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  const message =
    body === null
      ? "No data provided"
      : `Invalid data. Expected a dictionary, but got ${Array.isArray(body) ? "list" : pythonTypeOf(body)}.`;
  throw new WireRefusal("input_invalid", {
    status: 400,
    body: { non_field_errors: [message] },
    reason: "the body is no object",
  });
}

function pythonTypeOf(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  return typeof value === "boolean" ? "bool" : "str";
}

/** @returns the field's text, or what is wrong with it. */
function readField(value: unknown, kind: FieldKind): string | readonly string[] {
  if (value === undefined) return ["This field is required."];
  if (value === null) return ["This field may not be null."];
  if (typeof value !== "string" && typeof value !== "number") {
    return [kind === "email" ? "Enter a valid email address." : "Not a valid string."];
  }
  const text = stripped(String(value));
  if (text === "") return ["This field may not be blank."];
  const problems: string[] = [];
  if (text.includes("\0")) problems.push("Null characters are not allowed.");
  const surrogate = /\p{Surrogate}/u.exec(text)?.[0];
  if (surrogate !== undefined) {
    const codePoint = surrogate.charCodeAt(0).toString(16).toUpperCase();
    problems.push(`Surrogate characters are not allowed: U+${codePoint}.`);
  }
  if (kind === "email" && !isEmail(text)) problems.push("Enter a valid email address.");
  return problems.length > 0 ? problems : text;
}

/** What Python's `str.strip` takes for white space: not quite what `trim` does. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: Python counts the separators of files, groups, records and units.
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** From both ends by hand: an expression for the end of a text tries every run of spaces within it, in quadratic time. */
function stripped(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && SPACE.test(text[start] as string)) start++;
  while (end > start && SPACE.test(text[end - 1] as string)) end--;
  return text.slice(start, end);
}

const ATOMS = /^[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(?:\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*$/i;
// Every escape is of two characters, so there is one way to read a text and no way back.
// biome-ignore lint/suspicious/noControlCharactersInRegex: RFC 5322 lets a quoted local part hold them.
const QUOTED = /^"(?:[\x01-\x08\x0b\x0c\x0e-\x1f!#-[\]-\x7f]|\\[\x01-\x09\x0b\x0c\x0e-\x7f])*"$/;
const LABEL = /^[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?$/i;
const LAST_LABEL = /^[A-Z0-9-]{1,62}[A-Z0-9]$/i;
/** The longest address that Django takes. */
const LONGEST_EMAIL = 320;

/** Whether Django takes a text for an e-mail address. */
function isEmail(text: string): boolean {
  const at = text.lastIndexOf("@");
  if (at < 1 || text.length > LONGEST_EMAIL) return false;
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)];
  if (!ATOMS.test(local) && !QUOTED.test(local)) return false;
  if (domain === "localhost" || isDomain(domain)) return true;
  const literal = /^\[([A-F0-9:.]+)\]$/i.exec(domain)?.[1];
  if (literal !== undefined) return isIPv4(literal) || isIPv6(literal);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: everything but ASCII.
  return /[^\x00-\x7f]/.test(domain) && isDomain(domainToASCII(domain));
}

function isDomain(domain: string): boolean {
  const labels = domain.split(".");
  const last = labels.pop() as string;
  return labels.length > 0 && LAST_LABEL.test(last) && labels.every((label) => LABEL.test(label));
}
