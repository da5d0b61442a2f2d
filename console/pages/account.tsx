/** The first page of who is signed in: who they are, and where to go from here. */
import type { LiveSession, User } from "../api.ts";
import { client, noticing } from "../api.ts";
import { toDevice } from "../device.ts";
import { Badge, Fact, Facts, Name } from "../parts/facts.tsx";
import { Reading } from "../parts/notice.tsx";
import { Page, Section } from "../parts/page.tsx";
import { Time, toDay } from "../parts/time.tsx";
import { useReading } from "../read.ts";
import { plural } from "../words.ts";

const readSessions = () => noticing(() => client.sessions());

export function AccountPage({ user }: { readonly user: User }) {
  const sessions = useReading<LiveSession[]>(readSessions);
  const fullName = [user.firstName, user.lastName].filter(Boolean).join(" ");
  return (
    <Page
      title="Account"
      lead={
        <>
          Signed in as <Name>{user.username}</Name>.
        </>
      }
    >
      <Section title="Who you are" aside={user.isStaff && <Badge kind="good">Staff</Badge>}>
        <Facts>
          <Fact name="Username">
            <Name>{user.username}</Name>
          </Fact>
          <Fact name="Email">
            <Name>{user.email}</Name>
          </Fact>
          {fullName && (
            <Fact name="Name">
              <Name>{fullName}</Name>
            </Fact>
          )}
          <Fact name="Member since">{toDay(user.createdAt)}</Fact>
          <Fact name="User id">
            <code>{user.id}</code>
          </Fact>
        </Facts>
      </Section>
      <Section title="Where you are signed in" aside={<a href="/console/sessions">All sessions</a>}>
        <Reading of={sessions}>
          {(list) => {
            const others = list.filter(({ current }) => !current);
            const newest = others[0];
            return (
              <p class="prose">
                {others.length === 0 ? (
                  "Here, and nowhere else."
                ) : (
                  <>
                    Here, and in {plural(others.length, "other session")}
                    {newest && (
                      <>
                        {" "}
                        (the newest: {toDevice(newest.userAgent)}, used <Time at={newest.lastUsedAt} />)
                      </>
                    )}
                    . If one of them is not yours, end it and <a href="/console/password">change your password</a>.
                  </>
                )}
              </p>
            );
          }}
        </Reading>
      </Section>
    </Page>
  );
}
