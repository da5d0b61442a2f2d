import { currentAuth } from "latchkey/next";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { auth } from "../../lib/auth.ts";
import { notesOf } from "../../lib/notes.ts";
import { SignOut } from "./sign-out.tsx";

/** The proxy has only looked whether there is a cookie; here it is judged. */
export default async function Notes() {
  const who = await currentAuth(auth, await headers());
  if (who === undefined) redirect("/login?next=/notes");
  return (
    <main>
      <h1>Notes</h1>
      <ul>
        {notesOf(who.userId).map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
      <SignOut />
    </main>
  );
}
