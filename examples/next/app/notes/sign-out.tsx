"use client";
import { createClient } from "latchkey/client";

export function SignOut() {
  async function signOut(): Promise<void> {
    const client = createClient({ baseUrl: `${location.origin}/auth` });
    await client.ready;
    await client.logout();
    location.assign("/");
  }

  return (
    <button type="button" onClick={signOut}>
      Sign out
    </button>
  );
}
