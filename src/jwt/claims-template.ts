/**
 * Reading claims whose names are known beforehand.
 * One issuer's tokens name the same claims in the same order, and most of what `JSON.parse` costs is finding the names out. So a reader learns the
 * sequence of names from a token that was read in full, and later only compares: bytes that are exactly `{"iss":"…","aud":"…",…}` are taken apart
 * where they lie. Whatever differs in the least (another name, an escape, a space, a fraction, nesting) is left to the full reader. No name can come
 * twice, because the learned ones differ, so nothing has to be checked afterwards.
 */
import { readLatin1 } from "../buffer-text.ts";
import { createBag } from "./claims.ts";

/** A JSON text as it lies in a buffer, of whose beginning the members may be known already. */
export interface ClaimsText {
  /** What lies behind `length` is ignored. */
  readonly bytes: Buffer;
  readonly length: number;
  /** The members that are known, in order, and where the comma behind them is; none and 0 where nothing is known. */
  readonly known: readonly KnownMember[];
  readonly knownLength: number;
}

export interface KnownMember {
  readonly name: string;
  readonly value: string;
}

export interface ClaimsTemplates {
  /** Takes claims apart. @returns the same as `JSON.parse` would, or `undefined` when no learned sequence fits. */
  read(text: ClaimsText): Record<string, unknown> | undefined;
  /** Learns the names of claims that have been read in full, of a token whose signature is good, in the order of its text. */
  learn(names: readonly string[]): void;
}

interface Member {
  readonly name: string;
  /** What precedes its value: `{"iss":` or `,"aud":`. */
  readonly lead: Uint8Array;
}

type Template = readonly Member[];

/** More shapes than the tokens of one issuer have; later ones take the full reader. */
const MAX_TEMPLATES = 4;
const MAX_MEMBERS = 32;

const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const BRACKET = 0x5b;
const BRACKET_END = 0x5d;
const BRACE_END = 0x7d;

/** 1 for the bytes that stand for themselves in a JSON string: ASCII without controls, quote and backslash. */
const PLAIN = new Uint8Array(256);
PLAIN.fill(1, 0x20, 0x80);
PLAIN[QUOTE] = 0;
PLAIN[0x5c] = 0;

/** So many digits are always a safe integer. */
const MAX_DIGITS = 15;

export function createClaimsTemplates(): ClaimsTemplates {
  const templates: Template[] = [];
  return {
    read(text) {
      if (templates.length === 0) return undefined;
      const characters = readLatin1(text.bytes, 0, text.length);
      for (const template of templates) {
        const claims = readWith(template, text, characters);
        if (claims) return claims;
      }
      return undefined;
    },
    learn(names) {
      if (templates.length >= MAX_TEMPLATES || names.length === 0 || names.length > MAX_MEMBERS) return;
      templates.push(
        names.map((name, i) => ({ name, lead: Buffer.from(`${i === 0 ? "{" : ","}${JSON.stringify(name)}:`) })),
      );
    },
  };
}

/** @param characters the text once more, to cut values from. */
function readWith(
  template: Template,
  { bytes, known, knownLength }: ClaimsText,
  characters: string,
): Record<string, unknown> | undefined {
  const claims = createBag();
  for (let i = 0; i < known.length; i++) {
    const { name, value } = known[i] as KnownMember;
    if (template[i]?.name !== name) return undefined;
    claims[name] = value;
  }
  let at = knownLength;
  for (let member = known.length; member < template.length; member++) {
    const { name, lead } = template[member] as Member;
    for (let i = 0; i < lead.length; i++) {
      if (bytes[at + i] !== lead[i]) return undefined;
    }
    at += lead.length;
    const first = bytes[at] as number;
    if (first === QUOTE) {
      const end = endOfString(bytes, at);
      if (end === -1) return undefined;
      claims[name] = characters.slice(at + 1, end - 1);
      at = end;
    } else if (first >= ZERO && first <= NINE) {
      const end = endOfDigits(bytes, at);
      if (end - at > MAX_DIGITS || (first === ZERO && end > at + 1)) return undefined;
      claims[name] = numberBetween(bytes, at, end);
      at = end;
    } else if (first === BRACKET) {
      const end = endOfTexts(bytes, at);
      if (end === -1 || end > characters.length) return undefined;
      claims[name] = JSON.parse(characters.slice(at, end));
      at = end;
    } else {
      const word = characters.startsWith("true", at) ? "true" : characters.startsWith("false", at) ? "false" : "";
      if (word === "") return undefined;
      claims[name] = word === "true";
      at += word.length;
    }
  }
  // Bytes behind the text are left over from another: only here does it show that none of them was read.
  return bytes[at] === BRACE_END && at === characters.length - 1 ? claims : undefined;
}

/** Where a string of plain characters ends that starts here, or -1. */
function endOfString(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (PLAIN[bytes[at] as number] === 1) at++;
  return bytes[at] === QUOTE ? at + 1 : -1;
}

function endOfDigits(bytes: Buffer, start: number): number {
  let at = start;
  while ((bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at++;
  return at;
}

function numberBetween(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + (bytes[at] as number) - ZERO;
  return value;
}

/** Where an array of plain strings ends that starts here, or -1. */
function endOfTexts(bytes: Buffer, start: number): number {
  let at = start + 1;
  if (bytes[at] === BRACKET_END) return at + 1;
  for (;;) {
    if (bytes[at] !== QUOTE) return -1;
    at = endOfString(bytes, at);
    if (at === -1) return -1;
    if (bytes[at] === BRACKET_END) return at + 1;
    if (bytes[at] !== COMMA) return -1;
    at++;
  }
}
