/**
 * Strict JSON: what `JSON.parse` takes, less everything that two readers could take differently.
 * `JSON.parse` keeps the last of two equal names where another parser keeps the first, turns 1e999 into Infinity, and nests as
 * deep as the text does; each of these has let one text mean two things. Tokens must be unambiguous (RFC 7515 §4,
 * RFC 7519 §4, RFC 8725 §2.4), and request bodies are read by the same rule.
 */
import { isUtf8 } from "node:buffer";

export interface JsonLimits {
  /** How deep objects and arrays may nest; the outermost one counts as 1. Default 16. */
  readonly maxDepth?: number;
}

/** What was read, or what is wrong with the text: a phrase to follow "the text …". It never quotes the text. */
export type JsonReading =
  | { readonly value: unknown; readonly problem?: undefined }
  | { readonly value?: undefined; readonly problem: string };

const DEFAULT_DEPTH = 16;

/**
 * Reads JSON (RFC 8259) strictly: no duplicate names, no `__proto__`, no number too large to hold, no byte order mark,
 * bounded depth, and of bytes only valid UTF-8.
 * @param source a text, or its bytes in UTF-8. Its size is for the caller to bound.
 */
export function readJson(source: string | Uint8Array, { maxDepth = DEFAULT_DEPTH }: JsonLimits = {}): JsonReading {
  const text = typeof source === "string" ? source : decodeUtf8(source);
  if (text === undefined) return { problem: "is not valid UTF-8" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: jsonProblem(text, maxDepth) ?? "is not JSON" };
  }
  if (isPlainJson(text, value, maxDepth)) return { value };
  const problem = jsonProblem(text, maxDepth);
  return problem === undefined ? { value } : { problem };
}

/**
 * True when a text is beyond doubt strict: it is, letter for letter, what `JSON.stringify` makes of the value that was parsed from it.
 * Two equal names or a number that was changed in reading would come out differently. False means "look closer", not "wrong".
 */
export function isPlainJson(text: string, value: unknown, maxDepth: number): boolean {
  if (text.includes("__proto__")) return false;
  // Two searches for a byte are far cheaper than a walk over the value, and most texts have no second level.
  const isFlat = text.indexOf("{", 1) === -1 && text.indexOf("[", 1) === -1;
  if (!isFlat && !isWithinDepth(value, maxDepth)) return false;
  return JSON.stringify(value) === text;
}

/** Reads UTF-8, the byte order mark as a character (RFC 8259 §8.1). `undefined` for bytes that are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

function isWithinDepth(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (depth === 0) return false;
  for (const member of Object.values(value)) {
    if (!isWithinDepth(member, depth - 1)) return false;
  }
  return true;
}

/**
 * Says what keeps a text from being strict JSON, without building the value and without throwing.
 * @returns a phrase to follow "the text …", or `undefined` for strict JSON.
 */
export function jsonProblem(text: string, maxDepth: number = DEFAULT_DEPTH): string | undefined {
  return new Scanner(text, maxDepth).problem();
}

const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** The characters that may follow a backslash, but for `u`. */
const ESCAPES = '"\\/bfnrt';
/** A number as RFC 8259 §6 spells it; sticky, so that it is tried at one place only. */
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const NOT_JSON = "is not JSON";

class Scanner {
  readonly #text: string;
  readonly #maxDepth: number;
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  problem(): string | undefined {
    const problem = this.#value(this.#maxDepth);
    if (problem) return problem;
    this.#skipSpace();
    return this.#at === this.#text.length ? undefined : NOT_JSON;
  }

  #value(depth: number): string | undefined {
    this.#skipSpace();
    switch (this.#text[this.#at]) {
      case "{":
        return depth === 0 ? `nests more than ${this.#maxDepth} levels deep` : this.#object(depth - 1);
      case "[":
        return depth === 0 ? `nests more than ${this.#maxDepth} levels deep` : this.#array(depth - 1);
      case '"':
        return this.#string() ? undefined : NOT_JSON;
      case "t":
        return this.#word("true");
      case "f":
        return this.#word("false");
      case "n":
        return this.#word("null");
      default:
        return this.#number();
    }
  }

  #object(depth: number): string | undefined {
    const names = new Set<string>();
    this.#at++;
    if (this.#takes("}")) return undefined;
    do {
      this.#skipSpace();
      const start = this.#at;
      if (!this.#string()) return NOT_JSON;
      // Names are equal when they say the same, however they are escaped.
      const raw = this.#text.slice(start, this.#at);
      const name = raw.includes("\\") ? (JSON.parse(raw) as string) : raw.slice(1, -1);
      if (names.has(name)) return "names a member twice";
      if (name === "__proto__") return "names a member __proto__";
      names.add(name);
      if (!this.#takes(":")) return NOT_JSON;
      const problem = this.#value(depth);
      if (problem) return problem;
    } while (this.#takes(","));
    return this.#takes("}") ? undefined : NOT_JSON;
  }

  #array(depth: number): string | undefined {
    this.#at++;
    if (this.#takes("]")) return undefined;
    do {
      const problem = this.#value(depth);
      if (problem) return problem;
    } while (this.#takes(","));
    return this.#takes("]") ? undefined : NOT_JSON;
  }

  /** Passes over a string; false when it is none. */
  #string(): boolean {
    const text = this.#text;
    if (text.charCodeAt(this.#at) !== QUOTE) return false;
    for (let at = this.#at + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at + 1;
        return true;
      }
      if (code < SPACE) return false;
      if (code !== BACKSLASH) continue;
      at++;
      if (text[at] === "u") {
        if (!/^[0-9a-fA-F]{4}$/.test(text.slice(at + 1, at + 5))) return false;
        at += 4;
      } else if (at === text.length || !ESCAPES.includes(text[at] as string)) {
        return false;
      }
    }
    return false;
  }

  #number(): string | undefined {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (!match) return NOT_JSON;
    this.#at = NUMBER.lastIndex;
    return Number.isFinite(Number(match[0])) ? undefined : "holds a number that is too large";
  }

  #word(word: string): string | undefined {
    if (!this.#text.startsWith(word, this.#at)) return NOT_JSON;
    this.#at += word.length;
    return undefined;
  }

  /** Passes over white space and then one punctuation mark, if it is next. */
  #takes(mark: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      // Space, tab, line feed, carriage return: the only white space of RFC 8259 §2.
      if (code !== SPACE && code !== 0x09 && code !== 0x0a && code !== 0x0d) return;
    }
  }
}
