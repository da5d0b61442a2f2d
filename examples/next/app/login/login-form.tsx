"use client";
import { createClient } from "latchkey/client";
import { type SubmitEvent, useEffect, useState } from "react";

/** Whoever has a session whose access token has run out lands here too; the client renews it, and the page goes on. */
export function LoginForm({ next }: { next: string }) {
  const [client, setClient] = useState<ReturnType<typeof createClient>>();
  const [error, setError] = useState("");

  useEffect(() => {
    const baseUrl = `${location.origin}/auth`;
    const created = createClient({ baseUrl });
    setClient(created);
    async function goOn(): Promise<void> {
      await created.ready;
      if (created.state.status !== "signed-in") return;
      // Asks the server, and renews the session where that is needed: the page behind must not send us back.
      const answer = await created.fetch(`${baseUrl}/v1/users/me`);
      if (answer.ok) location.assign(next);
    }
    goOn().catch(() => {}); // offline: the form stays
    return () => created.close();
  }, [next]);

  async function signIn(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const { username, password } = Object.fromEntries(new FormData(event.currentTarget)) as Record<string, string>;
    try {
      await client?.login({ username: username ?? "", password: password ?? "" });
      location.assign(next);
    } catch (cause) {
      setError(cause instanceof Error ? cause.message : "Something went wrong");
    }
  }

  return (
    <form onSubmit={signIn}>
      <label>
        Username <input name="username" autoComplete="username" defaultValue="ada" />
      </label>
      <label>
        Password <input name="password" type="password" autoComplete="current-password" />
      </label>
      <button type="submit" disabled={!client}>
        Sign in
      </button>
      <p role="alert">{error}</p>
    </form>
  );
}
