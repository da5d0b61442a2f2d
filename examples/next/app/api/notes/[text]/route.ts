import { requireAuth } from "latchkey/next";
import type { NextRequest } from "next/server";
import { auth } from "../../../../lib/auth.ts";
import { removeNote } from "../../../../lib/notes.ts";

interface Context {
  readonly params: Promise<{ text: string }>;
}

export const DELETE = requireAuth(auth)(async (_request: NextRequest, { userId }, { params }: Context) => {
  const { text } = await params;
  return new Response(null, { status: removeNote(userId, text) ? 204 : 404 });
});
