/** Numbers the statements of a process, so that threads name a statement by its number and its text crosses once. */

export interface StatementTexts {
  /** The same number for every statement of one call site, from 0. */
  numberOf(strings: readonly string[]): number;
  /** The texts from this number on. */
  from(number: number): readonly string[];
  columnsOf(strings: readonly string[]): readonly string[];
  setColumns(number: number, names: readonly string[]): void;
}

export const toText = (strings: readonly string[]): string => strings.join("?");

export function createStatementTexts(): StatementTexts {
  const numbers = new Map<string, number>();
  const known = new WeakMap<readonly string[], number>();
  const texts: string[] = [];
  const columns: (readonly string[])[] = [];
  const NONE: readonly string[] = [];

  function numberOf(strings: readonly string[]): number {
    const number = known.get(strings);
    if (number !== undefined) return number;
    const text = toText(strings);
    const same = numbers.get(text) ?? texts.length;
    if (same === texts.length) {
      texts.push(text);
      numbers.set(text, same);
    }
    known.set(strings, same);
    return same;
  }

  return {
    numberOf,
    from: (number) => (number === texts.length ? NONE : texts.slice(number)),
    columnsOf: (strings) => columns[numberOf(strings)] ?? NONE,
    setColumns(number, names) {
      columns[number] = names;
    },
  };
}
