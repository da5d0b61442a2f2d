import { currentAuth } from "latchkey/next";
import { headers } from "next/headers";
import { auth } from "../lib/auth.ts";

export default async function Home() {
  const who = await currentAuth(auth, await headers());
  const user = await who?.user();
  return (
    <main>
      <h1>Hello, {user?.username ?? "stranger"}</h1>
      <a href="/notes">Notes</a>
    </main>
  );
}
