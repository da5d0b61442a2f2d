/** Keys and their life, for staff: since when each is known, signed, and until when it verifies. */
import { useState } from "preact/hooks";
import { ClientError, call } from "../api.ts";
import { Confirm } from "../parts/dialog.tsx";
import { Badge } from "../parts/facts.tsx";
import { Notice, Reading } from "../parts/notice.tsx";
import { Page, Section } from "../parts/page.tsx";
import { Time, toDay, toExact } from "../parts/time.tsx";
import { useRead } from "../read.ts";
import { sayDuration } from "../words.ts";

interface Key {
  readonly kid: string;
  readonly alg: string;
  readonly state: "next" | "active" | "retiring" | "retired" | "compromised";
  readonly published_at: string;
  readonly activated_at: string | null;
  readonly retiring_at: string | null;
  readonly verifies_until: string | null;
  readonly retired_at: string | null;
  readonly note: string | null;
}

const STATES: Readonly<Record<Key["state"], { readonly words: string; readonly kind: "" | "good" | "bad" | "warn" }>> =
  {
    next: { words: "Next", kind: "" },
    active: { words: "Signs", kind: "good" },
    retiring: { words: "Verifies only", kind: "warn" },
    retired: { words: "Retired", kind: "" },
    compromised: { words: "Compromised", kind: "bad" },
  };

const isSecret = ({ alg }: Key) => alg.startsWith("HS");

export function KeysPage() {
  const keys = useRead<{ readonly keys: readonly Key[] }>("/v1/keys", { every: 10_000 });
  const [done, setDone] = useState<string>();
  const active = keys.value?.keys.find(({ state }) => state === "active");

  async function rotate(from: string): Promise<void> {
    try {
      const { kid } = await call<Key>("POST", "/v1/keys/rotate", { from });
      setDone(`${short(kid)} signs from now on. The key before it verifies what it has signed until that has expired.`);
    } finally {
      await keys.reload();
    }
  }

  return (
    <Page
      title="Keys"
      lead="What signs access tokens, what did, and what will."
      aside={
        active &&
        !isSecret(active) && (
          <Confirm
            action="Rotate now"
            busy="Rotating…"
            title="Have the next key sign?"
            isDanger={false}
            say={sayTooNew}
            run={() => rotate(active.kid)}
          >
            <p>
              <code>{short(active.kid)}</code> stops signing and goes on verifying until its last token has expired.
              Nobody is signed out. It also happens by itself, by schedule.
            </p>
          </Confirm>
        )
      }
    >
      {done && <Notice kind="done">{done}</Notice>}
      <Reading of={keys}>
        {({ keys: list }) => (
          <>
            {active && isSecret(active) && (
              <Notice kind="note">
                A secret signs ({active.alg}). It is in the server's settings, so it is changed there:{" "}
                <code>latchkey secrets rotate</code> says how, without signing anybody out.
              </Notice>
            )}
            <Section title="Their life">
              <Lives keys={[...list].reverse()} />
            </Section>
          </>
        )}
      </Reading>
    </Page>
  );
}

/** A key has to be known everywhere before it signs. */
const sayTooNew = (error: unknown): string | undefined =>
  error instanceof ClientError && error.code === "busy" && (error.retryAfter ?? 0) > 5
    ? `The next key is too new: others may not have seen it yet. It can sign in ${sayDuration(error.retryAfter ?? 0)}.`
    : undefined;

const short = (kid: string) => (kid.length > 14 ? `${kid.slice(0, 12)}…` : kid);

function Lives({ keys }: { readonly keys: readonly Key[] }) {
  const now = Date.now();
  const instants = keys.flatMap(({ published_at, verifies_until, retired_at }) =>
    [published_at, verifies_until, retired_at].flatMap((at) => (at ? [Date.parse(at)] : [])),
  );
  const from = Math.min(...instants, now - 3_600_000);
  const until = Math.max(...instants, now);
  // Some room on the right for what goes on.
  const scale = 1000 / (until - from + (until - from) * 0.06);
  const x = (at: number) => (at - from) * scale;
  return (
    <>
      <ol class="lives">
        {keys.map((key) => {
          const signs = key.activated_at ? Date.parse(key.activated_at) : undefined;
          const stops = key.retiring_at ?? key.retired_at;
          const dies = key.retired_at ?? key.verifies_until;
          const end = dies ? Date.parse(dies) : now;
          const published = Date.parse(key.published_at);
          return (
            <li key={key.kid}>
              <div class="head">
                <code title={key.kid}>{short(key.kid)}</code>
                <span class="quiet">{key.alg}</span>
                <Badge kind={STATES[key.state].kind}>{STATES[key.state].words}</Badge>
              </div>
              <svg viewBox="0 0 1000 14" preserveAspectRatio="none" aria-hidden="true">
                <rect class="track" width="1000" height="14" rx="3" />
                <rect
                  class={`known ${key.state}`}
                  x={x(published)}
                  width={Math.max(4, x(end) - x(published))}
                  height="14"
                />
                {signs !== undefined && (
                  <rect
                    class={`signs ${key.state}`}
                    x={x(signs)}
                    width={Math.max(4, x(stops ? Date.parse(stops) : now) - x(signs))}
                    height="14"
                  />
                )}
                <rect class="now" x={x(now)} width="2" height="14" />
              </svg>
              <p class="quiet">{tell(key)}</p>
              {key.note && <p class="quiet">{key.note}</p>}
            </li>
          );
        })}
      </ol>
      <p class="legend quiet">
        <span class="swatch known" /> known <span class="swatch signs" /> signs <span class="swatch now" /> now · from{" "}
        {toDay(new Date(from).toISOString())}
      </p>
    </>
  );
}

function tell(key: Key) {
  if (key.state === "next") {
    return (
      <>
        Published <Time at={key.published_at} />; signs nothing yet.
      </>
    );
  }
  const since = key.activated_at && (
    <>
      Signed from {toExact(key.activated_at)}
      {key.retiring_at && <> to {toExact(key.retiring_at)}</>}.{" "}
    </>
  );
  return (
    <>
      {key.state === "active" && key.activated_at ? (
        <>
          Signs since <Time at={key.activated_at} />.
        </>
      ) : (
        since
      )}
      {key.state === "retiring" && key.verifies_until && (
        <>
          Verifies until {toExact(key.verifies_until)}, <Time at={key.verifies_until} />.
        </>
      )}
      {key.state === "compromised" && key.retired_at && (
        <>Refused since {toExact(key.retired_at)}, whatever it has signed.</>
      )}
      {key.state === "retired" && key.retired_at && <>Retired {toExact(key.retired_at)}.</>}
    </>
  );
}
