import { requireAuth } from "latchkey/next";
import { auth } from "../../../lib/auth.ts";
import { countNotes } from "../../../lib/notes.ts";

export const GET = requireAuth(auth, { roles: ["staff"] })((_request, { claims }) =>
  Response.json({ notes: countNotes(), askedBy: claims.roles }),
);
