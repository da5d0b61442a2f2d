/** Running the seam's statements: as PostgreSQL numbers parameters, with rows as the seam promises them. */
import type { Row, Statement, Value } from "../storage.ts";
import type { Client } from "./pool.ts";

const texts = new WeakMap<readonly string[], string>();

/** `select … where id = $1`, the same string at every call of one call site. */
function toText(strings: readonly string[]): string {
  let text = texts.get(strings);
  if (text === undefined) {
    text = strings.reduce((before, part, i) => `${before}$${i}${part}`);
    texts.set(strings, text);
  }
  return text;
}

/** Runs one statement, prepared once on each connection. */
export async function runStatement(client: Pick<Client, "unsafe">, { strings, values }: Statement): Promise<Row[]> {
  // Without `simple: false` a statement without parameters would be parsed anew each time.
  const options = { prepare: true, simple: false };
  const result = await client.unsafe(toText(strings), values as Value[], options).values();
  return result.map((cells: readonly Value[]) => {
    const row: Record<string, Value> = Object.create(null);
    for (let i = 0; i < cells.length; i++) row[result.columns[i]?.name as string] = cells[i] as Value;
    return row;
  });
}
