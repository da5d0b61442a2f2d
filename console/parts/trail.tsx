/** The audit trail as a timeline, newest first, a page at a time. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { call } from "../api.ts";
import { toDevice } from "../device.ts";
import { useRead } from "../read.ts";
import { byDay, isBad, type TrailEntry, type TrailPage, toHappening } from "../trail.ts";
import { say } from "../words.ts";
import { Empty, Notice, Reading } from "./notice.tsx";
import { toExact, toTime } from "./time.tsx";

export interface TrailProps {
  /** With its query, but for `after`. */
  readonly path: string;
  readonly empty: string;
  /** More about an entry. */
  readonly about?: (entry: TrailEntry) => ComponentChildren;
}

export function Trail({ path, empty, about }: TrailProps) {
  const first = useRead<TrailPage>(path);
  const [older, setOlder] = useState<readonly TrailPage[]>([]);
  const [error, setError] = useState<unknown>();
  const [isBusy, setIsBusy] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list begins anew.
  useEffect(() => setOlder([]), [path]);

  async function readOlder(after: string): Promise<void> {
    if (isBusy) return;
    setIsBusy(true);
    setError(undefined);
    try {
      const page = await call<TrailPage>("GET", `${path}&after=${encodeURIComponent(after)}`);
      setOlder((pages) => [...pages, page]);
    } catch (caught) {
      setError(caught);
    } finally {
      setIsBusy(false);
    }
  }

  return (
    <Reading of={first}>
      {(page) => {
        const pages = [page, ...older];
        const entries = pages.flatMap((one) => one.entries);
        const next = pages.at(-1)?.next;
        if (entries.length === 0) return <Empty title={empty} />;
        return (
          <>
            {byDay(entries).map(([day, list]) => (
              <section key={day}>
                <h2>{day}</h2>
                <ol class="timeline">
                  {list.map((entry) => (
                    <Entry key={entry.id} entry={entry} about={about?.(entry)} />
                  ))}
                </ol>
              </section>
            ))}
            {error !== undefined && <Notice kind="problem">{say(error)}</Notice>}
            {next && first.isCurrent && (
              <p class="pages">
                <button type="button" aria-disabled={isBusy} onClick={() => readOlder(next)}>
                  {isBusy ? "Loading…" : "Show older"}
                </button>
              </p>
            )}
          </>
        );
      }}
    </Reading>
  );
}

function Entry({ entry, about }: { readonly entry: TrailEntry; readonly about: ComponentChildren }) {
  const { at, type, ip, user_agent, reason } = entry;
  const place = [user_agent && toDevice(user_agent), ip].filter(Boolean).join(" · ");
  return (
    <li class={isBad(entry) ? "bad" : ""}>
      <time dateTime={at} title={toExact(at)}>
        {toTime(at)}
      </time>
      <div class="grow">
        <p>
          <strong>{toHappening(type)}</strong> {about}
        </p>
        {(place || reason) && (
          <p class="quiet">
            <bdi>{place}</bdi>
            {place && reason && " · "}
            <bdi>{reason}</bdi>
          </p>
        )}
      </div>
    </li>
  );
}
