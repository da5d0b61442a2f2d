import { requireAuth } from "latchkey/next";
import { auth } from "../../../lib/auth.ts";
import { addNote, notesOf } from "../../../lib/notes.ts";

export const GET = requireAuth(auth)((_request, { userId }) => Response.json({ notes: notesOf(userId) }));

export const POST = requireAuth(auth)(async (request, { userId }) => {
  const body = await request.json().catch(() => undefined);
  const notes = addNote(userId, body?.text);
  return notes
    ? Response.json({ notes }, { status: 201 })
    : Response.json({ error: "text: 1 to 200 characters" }, { status: 422 });
});
