/**
 * How long a password would last against somebody who guesses, roughly: a hint while it is typed.
 * The server decides what it takes; nothing typed leaves the page for this. Known pieces (common passwords, names, rows of keys,
 * repetitions) count for little, everything else for what its characters could have been.
 */

/** The most common passwords, with line breaks between; put in by the build. */
declare const COMMON_PASSWORDS: string;

export interface Strength {
  /** 0 to 4. */
  readonly level: number;
  readonly words: string;
}

const ROWS = [
  "abcdefghijklmnopqrstuvwxyz",
  "0123456789",
  "qwertyuiop",
  "asdfghjkl",
  "zxcvbnm",
  "qwertzuiop",
  "azertyuiop",
];
/** Decimal digits of guesses that a known piece is worth. */
const KNOWN = 3.2;
const PATTERN = 1.6;
/** Digits of guesses from which each level on counts. */
const LEVELS = [7, 9.5, 12, 15];
const WORDS = [
  "Would be guessed at once. Several words that have nothing to do with each other are better.",
  "Easy to guess. Add another word or two.",
  "Fair. One more word makes it good.",
  "Good.",
  "Strong.",
];

let common: ReadonlySet<string> | undefined;

/** @param own what the password should not be made of, such as the username. */
export function strengthOf(password: string, own: readonly string[] = []): Strength {
  common ??= new Set(COMMON_PASSWORDS.split("\n"));
  if ([...password].length < 8) {
    const missing = 8 - [...password].length;
    return { level: 0, words: `At least 8 characters: ${missing} more.` };
  }
  const names = own.flatMap((name) => [name, ...name.split(/[^\p{L}\p{N}]+/u)]).filter((name) => name.length > 2);
  const digits = countGuesses(password, new Set(names.map((name) => name.toLowerCase())), common);
  const level = LEVELS.filter((least) => digits >= least).length;
  return { level, words: WORDS[level] as string };
}

/** Takes the longest known piece at each place. */
function countGuesses(password: string, names: ReadonlySet<string>, known: ReadonlySet<string>): number {
  const folded = password.toLowerCase();
  const perCharacter = Math.log10(alphabetOf(password));
  let digits = 0;
  for (let at = 0; at < folded.length; ) {
    const piece = pieceAt(folded, at, names, known);
    digits += piece ? piece.digits : perCharacter;
    at += piece?.length ?? 1;
  }
  return digits;
}

function pieceAt(text: string, at: number, names: ReadonlySet<string>, known: ReadonlySet<string>) {
  for (let length = Math.min(text.length - at, 24); length >= 3; length--) {
    const piece = text.slice(at, at + length);
    if (names.has(piece)) return { length, digits: 0.5 };
    if (length >= 4 && known.has(piece)) return { length, digits: Math.min(KNOWN, length * 0.8) };
    if (isPattern(piece)) return { length, digits: PATTERN };
    if (length >= 4 && at >= length && text.slice(at - length, at) === piece) return { length, digits: 0.5 };
  }
  return undefined;
}

function isPattern(piece: string): boolean {
  const backwards = [...piece].reverse().join("");
  return /^(.)\1+$/u.test(piece) || ROWS.some((row) => row.includes(piece) || row.includes(backwards));
}

function alphabetOf(password: string): number {
  const kinds = [
    [/\p{Ll}/u, 26],
    [/\p{Lu}/u, 26],
    [/\p{N}/u, 10],
    [/[^\p{L}\p{N}]/u, 20],
    [/[^\x20-\x7e]/u, 100],
  ] as const;
  // A text in one case is words far more often than chance.
  const size = kinds.reduce((sum, [kind, count]) => sum + (kind.test(password) ? count : 0), 0);
  return Math.max(4, size * 0.4);
}
