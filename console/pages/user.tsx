/** One user, for staff: who it is, where they are signed in, and taking them out of service. */
import { useState } from "preact/hooks";
import { call, type LiveSession } from "../api.ts";
import { toDevice } from "../device.ts";
import { Confirm } from "../parts/dialog.tsx";
import { Fact, Facts, Name } from "../parts/facts.tsx";
import { Empty, Notice, Reading } from "../parts/notice.tsx";
import { Page, Section } from "../parts/page.tsx";
import { toDay } from "../parts/time.tsx";
import { useRead } from "../read.ts";
import { SessionRow } from "./sessions.tsx";
import { type StaffUser, Standing } from "./users.tsx";

interface WireSession {
  readonly id: string;
  readonly created_at: string;
  readonly last_used_at: string;
  readonly expires_at: string;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly current: boolean;
}

const fromWire = (session: WireSession): LiveSession => ({
  id: session.id,
  createdAt: session.created_at,
  lastUsedAt: session.last_used_at,
  expiresAt: session.expires_at,
  ip: session.ip,
  userAgent: session.user_agent,
  current: session.current,
});

export function OneUserPage({ id, ownId }: { readonly id: string; readonly ownId: number }) {
  const path = `/v1/users/${encodeURIComponent(id)}`;
  const user = useRead<StaffUser>(path);
  const sessions = useRead<{ readonly sessions: readonly WireSession[] }>(`${path}/sessions`);
  const [done, setDone] = useState<string>();
  const isOwn = String(ownId) === id;

  /** Whatever became of it, what is shown is what is so: somebody else of the staff may have been here too. */
  async function act(run: () => Promise<unknown>, words: string): Promise<void> {
    try {
      await run();
      setDone(words);
    } finally {
      await Promise.all([user.reload(), sessions.reload()]);
    }
  }

  const { value } = user;
  return (
    <Page
      title={value ? value.username : `User ${id}`}
      lead={
        <>
          <a href="/console/users">Users</a> / <span class="number">{id}</span>
        </>
      }
      aside={
        value &&
        !isOwn &&
        (value.is_active ? (
          <Confirm
            action="Deactivate"
            busy="Deactivating…"
            title="Take this user out of service?"
            run={() =>
              act(
                () => call("PATCH", path, { is_active: false }),
                "The user is out of service; every session has ended.",
              )
            }
          >
            <p>
              <Name>{value.username}</Name> is signed out everywhere at once and can't sign in until somebody
              reactivates the account. Nothing is deleted.
            </p>
          </Confirm>
        ) : (
          <Confirm
            action="Reactivate"
            busy="Reactivating…"
            title="Put this user back into service?"
            isDanger={false}
            run={() => act(() => call("PATCH", path, { is_active: true }), "The user is back in service.")}
          >
            <p>
              <Name>{value.username}</Name> can sign in again, with the password as it was.
            </p>
          </Confirm>
        ))
      }
    >
      {done && <Notice kind="done">{done}</Notice>}
      <Section title="Account">
        <Reading of={user}>
          {(one) => (
            <Facts>
              <Fact name="Standing">
                <Standing user={one} />
              </Fact>
              <Fact name="Email">
                <Name>{one.email}</Name>
              </Fact>
              {(one.first_name || one.last_name) && (
                <Fact name="Name">
                  <Name>{`${one.first_name} ${one.last_name}`.trim()}</Name>
                </Fact>
              )}
              <Fact name="Member since">{toDay(one.created_at)}</Fact>
            </Facts>
          )}
        </Reading>
      </Section>
      <section>
        <header>
          <h2>Sessions</h2>
          {(sessions.value?.sessions.length ?? 0) > 0 && (
            <Confirm
              action="End all"
              busy="Ending them…"
              title="End all sessions of this user?"
              run={() => act(() => call("DELETE", `${path}/sessions`), "All sessions have ended.")}
            >
              <p>{isOwn ? "You will be signed out here, too." : "They have to sign in again everywhere."}</p>
            </Confirm>
          )}
        </header>
        <Reading of={sessions}>
          {({ sessions: list }) =>
            list.length === 0 ? (
              <Empty title="Not signed in anywhere" />
            ) : (
              <ul class="rows inner">
                {list.map(fromWire).map((session) => (
                  <SessionRow
                    key={session.id}
                    session={session}
                    end={({ id: sessionId, userAgent }) =>
                      act(
                        () => call("DELETE", `${path}/sessions/${encodeURIComponent(sessionId)}`),
                        `The session on ${toDevice(userAgent)} has ended.`,
                      )
                    }
                  />
                ))}
              </ul>
            )
          }
        </Reading>
      </section>
    </Page>
  );
}
