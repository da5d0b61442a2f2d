/**
 * The frame: who is signed in decides what there is to see, and the path which page of it.
 * When a session ends under somebody's hands the page stays as it is, with all that was typed, and they are asked to sign in over it.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { client, isReachable, noticing, signedIn, type User } from "./api.ts";
import { AccountPage } from "./pages/account.tsx";
import { ActivityPage } from "./pages/activity.tsx";
import { AuditPage } from "./pages/audit.tsx";
import { FirstUserPage } from "./pages/first-user.tsx";
import { KeysPage } from "./pages/keys.tsx";
import { OverviewPage } from "./pages/overview.tsx";
import { PasswordPage } from "./pages/password.tsx";
import { SessionsPage } from "./pages/sessions.tsx";
import { Mark, RegisterPage, reasonWords, SignInPage, signIn } from "./pages/sign-in.tsx";
import { TokensPage } from "./pages/tokens.tsx";
import { OneUserPage } from "./pages/user.tsx";
import { UsersPage } from "./pages/users.tsx";
import { Dialog } from "./parts/dialog.tsx";
import { Name } from "./parts/facts.tsx";
import { Field, Form } from "./parts/form.tsx";
import { Page } from "./parts/page.tsx";
import { useRead } from "./read.ts";
import { path } from "./router.ts";
import { useStore } from "./store.ts";

interface PageRow {
  readonly path: string;
  readonly name: string;
  readonly show: (user: User, here: string) => ComponentChildren;
  /** Seen by staff only; the server decides who may do what. */
  readonly isStaffOnly?: true;
}

const PAGES: readonly PageRow[] = [
  { path: "/", name: "Account", show: (user) => <AccountPage user={user} /> },
  { path: "/console/sessions", name: "Sessions", show: () => <SessionsPage /> },
  { path: "/console/password", name: "Password", show: (user) => <PasswordPage user={user} /> },
  { path: "/console/activity", name: "Activity", show: () => <ActivityPage /> },
  { path: "/console/tokens", name: "Tokens", show: () => <TokensPage /> },
  { path: "/console/overview", name: "Overview", show: () => <OverviewPage />, isStaffOnly: true },
  {
    path: "/console/users",
    name: "Users",
    show: (user, here) => {
      const id = /^\/console\/users\/(\d{1,16})$/.exec(here)?.[1];
      return id === undefined ? <UsersPage /> : <OneUserPage key={id} id={id} ownId={user.id} />;
    },
    isStaffOnly: true,
  },
  { path: "/console/keys", name: "Keys", show: () => <KeysPage />, isStaffOnly: true },
  { path: "/console/audit", name: "Audit", show: () => <AuditPage />, isStaffOnly: true },
];

/** A page's own path, or one below it where it has such. */
const isAt = (row: PageRow, here: string) =>
  row.path === here || (/^\/console\/users\/\d{1,16}$/.test(here) && row.path === "/console/users");

export function App() {
  const { status, user, reason } = useStore(signedIn);
  const here = useStore(path).replace(/(.)\/$/, "$1");
  /** Whoever was signed in last on this page, until they sign out themselves. */
  const [last, setLast] = useState<User>();
  if (user && user !== last) setLast(user);
  if (last && status === "signed-out" && reason === "logout") setLast(undefined);

  if (here === "/console/first-user") return <FirstUserPage />;
  if (status === "loading") return <Loading />;
  const shown = user ?? last;
  if (!shown) return here === "/console/register" ? <RegisterPage /> : <SignInPage reason={reason} />;
  return (
    // Another user is another page: nothing of the one before stays.
    <Signed key={shown.id} user={shown} here={here}>
      {!user && <SignInAgain user={shown} reason={reason} />}
    </Signed>
  );
}

function Loading() {
  const [isLate, setIsLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsLate(true), 400);
    return () => clearTimeout(timer);
  }, []);
  return <main id="main">{isLate && <p class="lone">Loading…</p>}</main>;
}

function Signed({
  user: known,
  here,
  children,
}: {
  readonly user: User;
  readonly here: string;
  readonly children: ComponentChildren;
}) {
  // Roles come and go between sign-ins; this only decides what is offered, the server what is done.
  const me = useRead<{ readonly is_staff: boolean }>("/v1/users/me");
  const user = me.value ? { ...known, isStaff: me.value.is_staff } : known;
  const page = PAGES.find((row) => isAt(row, here) && (!row.isStaffOnly || user.isStaff));
  return (
    <>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <Silence />
      <div class="frame">
        <Menu user={user} here={here} />
        <main id="main" tabIndex={-1}>
          {page ? page.show(user, here) : <NotHere />}
        </main>
      </div>
      {children}
    </>
  );
}

function Menu({ user, here }: { readonly user: User; readonly here: string }) {
  const [isOpen, setIsOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const toLink = (row: PageRow) => (
    <li key={row.path}>
      <a href={row.path} aria-current={isAt(row, here) ? "page" : undefined}>
        {row.name}
      </a>
    </li>
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes the menu.
  useEffect(() => setIsOpen(false), [here]);
  return (
    <header class="menu">
      <div class="bar">
        <a class="brand" href="/">
          <Mark /> Latchkey
        </a>
        <button
          ref={opener}
          type="button"
          class="opener"
          aria-expanded={isOpen}
          aria-controls="menu"
          onClick={() => setIsOpen(!isOpen)}
        >
          Menu
        </button>
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Escape closes what the button opened. */}
      <div
        id="menu"
        class={isOpen ? "open" : ""}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || !isOpen) return;
          setIsOpen(false);
          opener.current?.focus();
        }}
      >
        <nav aria-label="Console">
          <ul>{PAGES.filter((row) => !row.isStaffOnly).map(toLink)}</ul>
          {user.isStaff && PAGES.some((row) => row.isStaffOnly) && (
            <>
              <p class="group">Staff</p>
              <ul>{PAGES.filter((row) => row.isStaffOnly).map(toLink)}</ul>
            </>
          )}
        </nav>
        <div class="who">
          <p>
            <Name>{user.username}</Name>
          </p>
          <button type="button" onClick={() => noticing(() => client.logout()).catch(() => {})}>
            Sign out
          </button>
        </div>
      </div>
    </header>
  );
}

/** Says that nobody answers, for as long as that is so. */
function Silence() {
  const isThere = useStore(isReachable);
  return (
    <div class="silence" role="status">
      {!isThere && "The server does not answer. Trying again; nothing you typed is lost."}
    </div>
  );
}

function SignInAgain({ user, reason }: { readonly user: User; readonly reason: string | undefined }) {
  return (
    <Dialog title="Sign in to go on">
      <p>{reasonWords(reason) ?? "You have been signed out."} What you typed is kept.</p>
      <Form
        submit="Sign in"
        busy="Signing in…"
        onSubmit={({ password = "" }) => signIn(user.username, password)}
        more={
          <button type="button" onClick={() => location.assign("/")}>
            Use another account
          </button>
        }
      >
        <p>
          Username <Name>{user.username}</Name>
        </p>
        <input type="text" name="username" autocomplete="username" value={user.username} readOnly hidden />
        <Field name="password" label="Password" type="password" autocomplete="current-password" isFirst />
      </Form>
    </Dialog>
  );
}

function NotHere() {
  return (
    <Page
      title="There is no such page"
      lead={
        <>
          It may have moved. <a href="/">Go to your account</a>
        </>
      }
    >
      {null}
    </Page>
  );
}
