/** Everybody has notes, and sees no others. Kept where every copy of this module finds them. */
const shared = globalThis as { notes?: Map<number, readonly string[]> };
shared.notes ??= new Map();
const { notes } = shared;

export const notesOf = (userId: number): readonly string[] => notes.get(userId) ?? [];

/** @returns all notes of the user, or `undefined` for what is no note: a text of 1 to 200 characters. */
export function addNote(userId: number, text: unknown): readonly string[] | undefined {
  if (typeof text !== "string" || text === "" || text.length > 200) return undefined;
  const all = [...notesOf(userId), text];
  notes.set(userId, all);
  return all;
}

/** @returns whether there was such a note. */
export function removeNote(userId: number, text: string): boolean {
  const own = notesOf(userId);
  const rest = own.filter((note) => note !== text);
  notes.set(userId, rest);
  return rest.length < own.length;
}

export const countNotes = (): number => [...notes.values()].reduce((sum, own) => sum + own.length, 0);
