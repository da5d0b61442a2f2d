/** Whether all is well, for staff: what the server that answers has counted, drawn as it happens. */
import { useEffect, useState } from "preact/hooks";
import {
  addReading,
  type Measurement,
  type MetricsAnswer,
  type Sample,
  sumOf,
  toFigure,
  toLevels,
  toRates,
} from "../measurements.ts";
import { Chart } from "../parts/chart.tsx";
import { Reading } from "../parts/notice.tsx";
import { Page } from "../parts/page.tsx";
import { Time } from "../parts/time.tsx";
import { useRead } from "../read.ts";

/** Milliseconds between looks. */
const EVERY = 2_000;

/** Kept between visits to the page. */
let kept: readonly Measurement[] = [];

const outcome =
  (...names: readonly string[]) =>
  ({ labels }: Sample) =>
    names.includes(labels.outcome ?? "");
const notOutcome =
  (...names: readonly string[]) =>
  ({ labels }: Sample) =>
    !names.includes(labels.outcome ?? "");

const LOGINS = "latchkey_logins_total";
const REFRESHES = "latchkey_refreshes_total";
const VERIFICATIONS = "latchkey_verifications_total";

export function OverviewPage() {
  const metrics = useRead<MetricsAnswer>("/v1/staff/metrics", { every: EVERY });
  const [readings, setReadings] = useState(kept);
  const { value } = metrics;
  useEffect(() => {
    if (!value) return;
    kept = addReading(kept, value, Date.now());
    setReadings(kept);
  }, [value]);
  return (
    <Page
      title="Overview"
      lead="What this instance is doing now."
      aside={
        value && (
          <p class="quiet">
            Up since <Time at={value.started_at} />
          </p>
        )
      }
    >
      <Reading of={metrics}>{(answer) => <Charts answer={answer} readings={readings} />}</Reading>
    </Page>
  );
}

function Charts({ answer, readings }: { readonly answer: MetricsAnswer; readonly readings: readonly Measurement[] }) {
  const now = readings.at(-1)?.at ?? Date.now();
  const rate = (name: string, choose: (sample: Sample) => boolean) =>
    toRates(readings, (one) => sumOf(one, name, choose));
  const level = (name: string) => toLevels(readings, (one) => sumOf(one, name));
  const reuse = sumOf(answer, REFRESHES, outcome("refresh_token_reused"));
  const isFresh = sumOf(answer, "latchkey_feed_fresh") > 0;
  return (
    <>
      <ul class="figures">
        <Figure name="Signed in" value={sumOf(answer, LOGINS, outcome("granted"))} />
        <Figure name="Refreshed" value={sumOf(answer, REFRESHES, outcome("rotated", "repeated", "restored"))} />
        <Figure name="Tokens accepted" value={sumOf(answer, VERIFICATIONS, outcome("accepted"))} />
        <Figure name="Stolen tokens caught" value={reuse} isBad={reuse > 0} />
      </ul>
      <div class="charts">
        <Chart
          title="Sign-ins"
          unit="per second"
          now={now}
          lines={[
            { name: "granted", kind: "main", points: rate(LOGINS, outcome("granted")) },
            { name: "refused", kind: "bad", points: rate(LOGINS, notOutcome("granted")) },
          ]}
        />
        <Chart
          title="Refreshes"
          unit="per second"
          now={now}
          lines={[
            { name: "rotated", kind: "main", points: rate(REFRESHES, outcome("rotated")) },
            { name: "repeated or restored", kind: "second", points: rate(REFRESHES, outcome("repeated", "restored")) },
            {
              name: "refused",
              kind: "third",
              points: rate(REFRESHES, notOutcome("rotated", "repeated", "restored", "refresh_token_reused")),
            },
            { name: "reuse caught", kind: "bad", points: rate(REFRESHES, outcome("refresh_token_reused")) },
          ]}
        />
        <Chart
          title="Tokens at guards"
          unit="per second"
          now={now}
          lines={[
            { name: "accepted", kind: "main", points: rate(VERIFICATIONS, outcome("accepted")) },
            { name: "expired", kind: "second", points: rate(VERIFICATIONS, outcome("token_expired")) },
            {
              name: "taken back",
              kind: "third",
              points: rate(VERIFICATIONS, outcome("session_ended", "user_not_found")),
            },
            {
              name: "refused",
              kind: "bad",
              points: rate(VERIFICATIONS, notOutcome("accepted", "token_expired", "session_ended", "user_not_found")),
            },
          ]}
        />
        <Chart
          title="Password hashes"
          unit="at once"
          now={now}
          lines={[
            { name: "under way", kind: "main", points: level("latchkey_hash_running") },
            { name: "waiting", kind: "bad", points: level("latchkey_hash_waiting") },
          ]}
        />
        <Chart
          title={isFresh ? "Feed" : "Feed, stale"}
          unit="seconds behind"
          now={now}
          lines={[
            {
              name: "age of what is known",
              kind: isFresh ? "main" : "bad",
              points: level("latchkey_feed_age_seconds"),
            },
          ]}
        />
        <Chart
          title="Store"
          unit="at once"
          now={now}
          lines={[
            { name: "under way", kind: "main", points: level("latchkey_store_running") },
            { name: "waiting", kind: "bad", points: level("latchkey_store_waiting") },
          ]}
        />
      </div>
      <p class="quiet">Counted by {answer.instance} since its start; others count for themselves.</p>
    </>
  );
}

function Figure({
  name,
  value,
  isBad = false,
}: {
  readonly name: string;
  readonly value: number;
  readonly isBad?: boolean;
}) {
  return (
    <li class={isBad ? "bad" : ""}>
      <strong class="number">{toFigure(value)}</strong>
      <span class="quiet">{name}</span>
    </li>
  );
}
