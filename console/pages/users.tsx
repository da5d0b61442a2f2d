/** Users, for staff: found by how their names begin, page by page. */
import { useEffect, useState } from "preact/hooks";
import { Badge, Name } from "../parts/facts.tsx";
import { Empty, Reading } from "../parts/notice.tsx";
import { Page } from "../parts/page.tsx";
import { toDay } from "../parts/time.tsx";
import { useRead } from "../read.ts";
import { createStore, useStore } from "../store.ts";

export interface StaffUser {
  readonly id: number;
  readonly username: string;
  readonly email: string;
  readonly first_name: string;
  readonly last_name: string;
  readonly is_staff: boolean;
  readonly is_superuser: boolean;
  readonly is_active: boolean;
  readonly created_at: string;
}

interface UserPage {
  readonly users: readonly StaffUser[];
  readonly next: string | null;
}

/** What is looked for and where, so that it is there still when one comes back from a user. */
interface Place {
  readonly search: string;
  /** The cursors of this page and those before it; the first has none. */
  readonly cursors: readonly string[];
}

const place = createStore<Place>({ search: "", cursors: [] });

/** Milliseconds after the last key. */
const PAUSE = 200;
const PAGE_SIZE = 25;

export function UsersPage() {
  const { search, cursors } = useStore(place);
  const [typed, setTyped] = useState(search);
  useEffect(() => {
    if (typed === search) return;
    const timer = setTimeout(() => place.set({ search: typed, cursors: [] }), PAUSE);
    return () => clearTimeout(timer);
  }, [typed, search]);
  const query = new URLSearchParams({ limit: String(PAGE_SIZE) });
  if (search.trim()) query.set("search", search.trim());
  const cursor = cursors.at(-1);
  if (cursor) query.set("after", cursor);
  const users = useRead<UserPage>(`/v1/users?${query}`);
  return (
    <Page title="Users" lead="Everybody who has an account here.">
      <search class="search">
        <label for="search" class="unseen">
          Search by the beginning of a username or email
        </label>
        <input
          id="search"
          type="search"
          placeholder="Username or email begins with…"
          autocomplete="off"
          spellcheck={false}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
      </search>
      <Reading of={users}>
        {({ users: list, next }) => (
          <>
            <p class="unseen" role="status">
              {list.length === 0 ? "No users found" : `${list.length} users on this page`}
            </p>
            {list.length === 0 ? (
              <Empty title={search ? "Nobody's name begins like that" : "There is nobody here yet"}>
                {search && "A search looks at how usernames and email addresses begin."}
              </Empty>
            ) : (
              <UserTable users={list} />
            )}
            <nav class="pages" aria-label="Pages">
              {users.isCurrent && cursors.length > 0 && (
                <button type="button" onClick={() => place.set({ search, cursors: cursors.slice(0, -1) })}>
                  Previous
                </button>
              )}
              {users.isCurrent && next && (
                <button type="button" onClick={() => place.set({ search, cursors: [...cursors, next] })}>
                  Next
                </button>
              )}
            </nav>
          </>
        )}
      </Reading>
    </Page>
  );
}

function UserTable({ users }: { readonly users: readonly StaffUser[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard.
    <section class="table" aria-label="Users" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Username</th>
            <th scope="col">Email</th>
            <th scope="col">Standing</th>
            <th scope="col">Since</th>
            <th scope="col" class="right">
              Id
            </th>
          </tr>
        </thead>
        <tbody>
          {users.map((user) => (
            <tr key={user.id}>
              <th scope="row">
                <a href={`/console/users/${user.id}`}>
                  <Name>{user.username}</Name>
                </a>
              </th>
              <td>
                <Name>{user.email}</Name>
              </td>
              <td>
                <Standing user={user} />
              </td>
              <td class="nowrap">{toDay(user.created_at)}</td>
              <td class="right number">{user.id}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

export function Standing({ user }: { readonly user: StaffUser }) {
  return (
    <span class="badges">
      {user.is_active ? <Badge>Active</Badge> : <Badge kind="bad">Out of service</Badge>}
      {user.is_superuser ? <Badge kind="good">Superuser</Badge> : user.is_staff && <Badge kind="good">Staff</Badge>}
    </span>
  );
}
