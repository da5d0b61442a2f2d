/** Where somebody is signed in, and ending it. */
import { useState } from "preact/hooks";
import { call, client, type LiveSession, noticing } from "../api.ts";
import { isPhone, toDevice } from "../device.ts";
import { Confirm } from "../parts/dialog.tsx";
import { Badge } from "../parts/facts.tsx";
import { Notice, Reading } from "../parts/notice.tsx";
import { Page } from "../parts/page.tsx";
import { Time, toDay } from "../parts/time.tsx";
import { useReading } from "../read.ts";

const readSessions = () => noticing(() => client.sessions());

export function SessionsPage() {
  const sessions = useReading<LiveSession[]>(readSessions);
  const [done, setDone] = useState<string>();

  async function end({ id, userAgent }: LiveSession): Promise<void> {
    await call("DELETE", `/v1/users/me/sessions/${encodeURIComponent(id)}`);
    await sessions.reload();
    setDone(`The session on ${toDevice(userAgent)} has ended.`);
  }

  async function endOthers(): Promise<void> {
    await noticing(() => client.logoutEverywhere({ except: "current" }));
    await sessions.reload();
    setDone("All other sessions have ended. You are signed in here only.");
  }

  const others = sessions.value?.filter(({ current }) => !current) ?? [];
  return (
    <Page
      title="Sessions"
      lead="Every place where you are signed in. Ending one takes its access back at once."
      aside={
        others.length > 0 && (
          <Confirm action="End all others" busy="Ending them…" title="End all other sessions?" run={endOthers}>
            <p>You stay signed in here. Everywhere else you will have to sign in again.</p>
          </Confirm>
        )
      }
    >
      {done && <Notice kind="done">{done}</Notice>}
      <Reading of={sessions}>
        {(list) => (
          <ul class="rows">
            {[...list]
              .sort((a, b) => Number(b.current) - Number(a.current))
              .map((session) => (
                <SessionRow key={session.id} session={session} end={end} />
              ))}
          </ul>
        )}
      </Reading>
    </Page>
  );
}

export interface SessionRowProps {
  readonly session: LiveSession;
  readonly end: (session: LiveSession) => Promise<void>;
}

export function SessionRow({ session, end }: SessionRowProps) {
  const { userAgent, ip, current, createdAt, lastUsedAt } = session;
  const device = toDevice(userAgent);
  return (
    <li>
      <DeviceIcon isPhone={isPhone(userAgent)} />
      <div class="grow">
        <p class="title">
          <span title={userAgent ?? undefined}>{device}</span> {current && <Badge kind="good">This session</Badge>}
        </p>
        <p class="quiet">
          {ip ?? "address not known"} ·{" "}
          {current ? (
            "used just now"
          ) : (
            <>
              used <Time at={lastUsedAt} />
            </>
          )}{" "}
          · since {toDay(createdAt)}
        </p>
      </div>
      {!current && (
        <Confirm
          action="End"
          of={`session on ${device}, ${ip ?? "address not known"}`}
          isQuiet
          busy="Ending it…"
          title="End this session?"
          run={() => end(session)}
        >
          <p>
            {device}, {ip ?? "address not known"}. Whoever uses it will have to sign in again.
          </p>
        </Confirm>
      )}
    </li>
  );
}

function DeviceIcon({ isPhone }: { readonly isPhone: boolean }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      {isPhone ? <path d="M8 3h8v18H8zM11 18h2" /> : <path d="M4 5h16v11H4zM9 20h6M12 16v4" />}
    </svg>
  );
}
