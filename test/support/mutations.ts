/** Damaged copies of texts, the same ones from the same seed. */

export interface Mutations {
  next(): string;
}

/** Pieces that mean something to somebody in a request. */
const SPICE: readonly string[] = [
  ...["\0", "\r\n", "\n", " ", "\t", ":", ",", ";", "?", "#", "\\", '"', "{", "}", "[", "../", "//", "%00", "%2e"],
  ...["\\u0000", "\\ud800", "\xff", "\xe2\x82", "9".repeat(30), "-1", "null", "__proto__", "a".repeat(3_000)],
  ...["GET ", "HTTP/1.1", "0\r\n\r\n", "Host: x\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"],
  ...["Connection: close\r\n", "Expect: 100-continue\r\n", "Upgrade: x\r\n", "Authorization: Bearer x\r\n"],
];

/** Each mutation is a text of the corpus, damaged one to four times. Characters are bytes: Latin-1. */
export function createMutations(corpus: readonly string[], seed: number): Mutations {
  const random = createRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;

  const damages: readonly ((text: string, at: number, size: number) => string)[] = [
    (text, at, size) => text.slice(0, at) + text.slice(at + size),
    (text, at, size) => text.slice(0, at + size) + text.slice(at),
    (text, at) => text.slice(0, at) + pick(SPICE) + text.slice(at),
    (text, at, size) => text.slice(0, at) + pick(SPICE) + text.slice(at + size),
    (text, at) => text.slice(0, at) + String.fromCharCode(below(256)) + text.slice(at + 1),
    (text, at) => text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << below(8))) + text.slice(at + 1),
    (text, at) => text.slice(0, at) + pick(corpus).slice(below(100)),
    (text, at) => text.slice(0, at),
  ];

  return {
    next() {
      let text = pick(corpus);
      for (let i = below(4); i >= 0; i--)
        text = pick(damages)(text, below(text.length), Math.floor(random() ** 3 * 40));
      return text;
    },
  };
}

/** Numbers from 0 up to 1: mulberry32, small and good enough to break things with. */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
