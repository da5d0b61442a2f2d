/** A history and its record as text for people. */
import type { Violation } from "./checker.ts";
import { INVARIANTS } from "./checker.ts";
import type { History, HistoryEvent, Link } from "./history.ts";
import type { Issued, Operation, Party, Recording } from "./record.ts";

/** What was to happen, a line for each event. */
export function describeHistory({ devices, events }: History): string {
  let at = 0;
  const lines = devices.map(
    ({ tabCount, attemptIds }, index) =>
      `     device ${index}: ${tabCount} ${tabCount === 1 ? "tab" : "tabs"}, attempt ids: ${attemptIds}`,
  );
  for (const event of events) {
    at += event.after;
    lines.push(`${clock(at)} ${describeEvent(event)}`);
  }
  return lines.join("\n");
}

/** What reached the server, a line for each request, then what is wrong with it. */
export function describeRecord({ operations, jumps, restores }: Recording, violations: readonly Violation[]): string {
  const lines: { readonly order: number; readonly text: string }[] = [
    ...operations.map((operation) => ({ order: operation.started, text: describeOperation(operation) })),
    ...jumps.map(({ order, at, seconds }) => ({ order, text: `${clock(at)} the clock jumps by ${seconds} s` })),
    ...restores.map(({ order, at }) => ({ order, text: `${clock(at)} the store is restored` })),
  ];
  lines.sort((a, b) => a.order - b.order);
  return [
    ...lines.map(({ text }) => text),
    ...violations.map(
      ({ invariant, what, operation }) =>
        `BROKEN: ${INVARIANTS[invariant]}: ${what}${operation ? `\n        ${describeOperation(operation)}` : ""}`,
    ),
  ].join("\n");
}

function describeEvent(event: HistoryEvent): string {
  switch (event.do) {
    case "use":
      return `device ${event.device} tab ${event.tab} refreshes${event.links.map((link) => `, ${describeLink(link)}`).join("; then")}`;
    case "sleep":
      return `device ${event.device} sleeps ${event.seconds} s`;
    case "crash-tab":
      return `device ${event.device} tab ${event.tab} crashes`;
    case "log-in":
    case "log-out":
    case "change-password":
      return `device ${event.device}: ${event.do}, ${describeLink(event.link)}`;
    case "end-all":
      return `device ${event.device} ends all sessions${event.sparesItself ? " but its own" : ""}, ${describeLink(event.link)}`;
    case "deactivate":
    case "reactivate":
      return `${event.do} the user, ${describeLink(event.link)}`;
    case "copy":
      return `thief ${event.thief} copies what device ${event.device} stores`;
    case "steal":
      return `thief ${event.thief} refreshes, attempt id: ${event.attempt}, ${describeLink(event.link)}`;
    case "crash-server":
      return `the server crashes for ${event.down} s; what was on its way to the store is ${event.commits ? "done" : "lost"}`;
    case "jump":
      return `the clock jumps by ${event.seconds} s${event.mendedAfter === undefined ? "" : ` for ${event.mendedAfter} s`}`;
    case "back-up":
      return "a backup is made";
    case "restore":
      return "the backup is restored";
  }
}

function describeLink({ there, back, lost, crashes, showsHangUp, store }: Link): string {
  return [
    there > 0 || back > 0 ? `${there} s there and ${back} s back` : "at once",
    lost && `the ${lost} is lost`,
    crashes && "the tab crashes over the answer",
    showsHangUp && "hanging up shows",
    store && store.length > 0 && `the store takes ${store.map(([before, after]) => `${before}+${after}`).join(", ")} s`,
  ]
    .filter(Boolean)
    .join(", ");
}

function describeOperation({ startedAt, kind, by, token, session, attempt, outcome }: Operation): string {
  const what = token ? describeToken(token) : session ? `session ${session.number}` : "";
  const asked = [kind, what, attempt && `(${attempt.replace(/-0+/, " ")})`].filter(Boolean).join(" ");
  return `${clock(startedAt)} ${describeParty(by)}: ${asked} → ${describeOutcome(outcome)}`;
}

const describeToken = ({ session, generation }: Issued) => `token ${session.number}.${generation}`;

function describeParty(by: Party): string {
  if (by.is === "device") return `device ${by.device} tab ${by.tab}`;
  return by.is === "thief" ? `thief ${by.thief}` : "probe";
}

function describeOutcome(outcome: Operation["outcome"]): string {
  if (!outcome) return "never answered";
  if (outcome.is === "granted") return describeToken(outcome.token);
  return outcome.is === "done" ? "done" : `${outcome.code} (${outcome.reason})`;
}

/** "1d 02:03:04" since the beginning. */
function clock(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const days = Math.floor(seconds / 86_400);
  const time = [seconds / 3600, seconds / 60, seconds].map((value, i) => two(Math.floor(value) % (i === 0 ? 24 : 60)));
  return `${days > 0 ? `${days}d ` : ""}${time.join(":")}`;
}
