/** Signing in and registering, for who is not signed in. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ClientError, client, noticing } from "../api.ts";
import { Field, Form } from "../parts/form.tsx";
import { NewPassword } from "../parts/new-password.tsx";
import { Notice } from "../parts/notice.tsx";
import { Page } from "../parts/page.tsx";
import { go } from "../router.ts";
import { WORDS } from "../words.ts";

/** Why nobody is signed in, when it was not their own doing. */
export const reasonWords = (reason: string | undefined): string | undefined =>
  reason && reason !== "logout" ? WORDS[reason] : undefined;

export async function signIn(name: string, password: string): Promise<void> {
  const login = name.includes("@") ? { email: name, password } : { username: name, password };
  await noticing(() => client.login(login));
}

export function SignInPage({ reason }: { readonly reason: string | undefined }) {
  const [isCookieLost, setIsCookieLost] = useState(false);
  const words = reasonWords(reason);
  return (
    <Alone title="Sign in">
      <PlainHttp isCookieLost={isCookieLost} />
      {words && <Notice kind="note">{words}</Notice>}
      <Form
        submit="Sign in"
        busy="Signing in…"
        onSubmit={({ name = "", password = "" }) => signIn(name.trim(), password)}
        onRefused={(error) => {
          // The password was right and then nobody was signed in: the browser has not kept the cookies.
          const isLost = error instanceof ClientError && error.code === "credentials_missing";
          setIsCookieLost(isLost);
          return isLost;
        }}
      >
        <Field name="name" label="Username or email" autocomplete="username" isFirst />
        <Field name="password" label="Password" type="password" autocomplete="current-password" />
      </Form>
      <p class="below">
        New here? <a href="/console/register">Create an account</a>
      </p>
    </Alone>
  );
}

export function RegisterPage() {
  const [username, setUsername] = useState("");
  const [email, setEmail] = useState("");
  return (
    <Alone title="Create an account">
      <PlainHttp />
      <Form
        submit="Create account"
        busy="Creating it…"
        onSubmit={async ({ username = "", email = "", password = "", first_name = "", last_name = "" }) => {
          const names = { ...(first_name && { firstName: first_name }), ...(last_name && { lastName: last_name }) };
          await noticing(() => client.register({ username, email, password, ...names }));
          await signIn(username, password);
          go("/", { replace: true });
        }}
      >
        <Field name="username" label="Username" autocomplete="username" isFirst onInput={setUsername} />
        <Field name="email" label="Email" type="email" autocomplete="email" onInput={setEmail} />
        <div class="pair">
          <Field name="first_name" label="First name" autocomplete="given-name" isOptional />
          <Field name="last_name" label="Last name" autocomplete="family-name" isOptional />
        </div>
        <NewPassword name="password" label="Password" own={[username, email]} />
      </Form>
      <p class="below">
        Have an account? <a href="/">Sign in</a>
      </p>
    </Alone>
  );
}

/** A page without the menu: nobody is signed in. */
export function Alone({
  title,
  lead,
  children,
}: {
  readonly title: string;
  readonly lead?: string;
  readonly children: ComponentChildren;
}) {
  return (
    <main id="main" class="alone">
      <p class="brand" aria-hidden="true">
        <Mark /> Latchkey
      </p>
      <div class="card">
        <Page title={title} lead={lead}>
          {children}
        </Page>
      </div>
    </main>
  );
}

export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M16 7a5.5 5.5 0 0 0-2.6 10.3L12 25h8l-1.4-7.7A5.5 5.5 0 0 0 16 7Z" />
    </svg>
  );
}

/** Sessions are kept in cookies that browsers take over TLS, or from this very machine, only. */
function PlainHttp({ isCookieLost = false }: { readonly isCookieLost?: boolean }) {
  if (location.protocol === "https:") {
    if (!isCookieLost) return null;
    return (
      <Notice kind="problem">
        Your browser did not keep the sign-in cookie. Allow cookies for this site, then try again.
      </Notice>
    );
  }
  if (isSecureContext && !isCookieLost) return null;
  const local = `http://localhost${location.port && `:${location.port}`}${location.pathname}`;
  return (
    <Notice kind="problem">
      {isSecureContext ? (
        <>
          Your browser keeps no sign-in cookie from a page without TLS. Open this one as <a href={local}>{local}</a> in
          Chrome, Edge or Firefox, or over https.
        </>
      ) : (
        <>
          This page came over plain http: anybody on the way can read along, and browsers keep no session. Open it over
          https.
        </>
      )}
    </Notice>
  );
}
