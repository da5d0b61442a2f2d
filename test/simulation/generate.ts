/**
 * Histories by chance, for fast-check to make and to shrink. Four kinds: what befalls honest users; the same with
 * logouts, changes of password, deactivations and thieves thrown in; the same within a minute over a slow store; and
 * thieves who work to a plan.
 */
import fc from "fast-check";
import type { Action, DeviceSpec, History, HistoryEvent, Link } from "./history.ts";
import type { Setting } from "./settings.ts";

const DEVICES = 2;
const THIEVES = 2;
const HOUR = 60 * 60;
const DAY = 24 * HOUR;
const MOST_EVENTS = 14;

export function historiesOf(setting: Setting): fc.Arbitrary<History> {
  const link = linksOf(setting);
  const honest = eventsOf(honestActions(link, setting));
  const mixed = eventsOf([...honestActions(link, setting), ...otherActions(link)]);
  const events = fc.oneof(
    { weight: 4, arbitrary: honest },
    { weight: 3, arbitrary: mixed },
    { weight: 3, arbitrary: plannedThefts(link, setting) },
    { weight: 1, arbitrary: busyMinutes(setting) },
  );
  return fc.record({ devices: fc.array(deviceOf(setting), { minLength: 1, maxLength: DEVICES }), events });
}

function deviceOf({ tabCount, attemptIds }: Setting): fc.Arbitrary<DeviceSpec> {
  return fc.record({
    tabCount: fc.integer({ min: 1, max: tabCount }),
    attemptIds: fc.oneof(
      { weight: 4, arbitrary: fc.constant(attemptIds) },
      { weight: 1, arbitrary: fc.constant("none" as const) },
    ),
    endsSuperseded: fc.constant(true),
  });
}

/** Something that is so in so many of a hundred cases; shrunk, it is not. */
function sometimes<T>(percent: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 100 - percent, arbitrary: fc.constant(undefined) },
    { weight: percent, arbitrary },
  );
}

function linksOf({ loss, slowest, slow }: Setting): fc.Arbitrary<Link> {
  const delay = sometimes(slow, fc.integer({ min: 0, max: slowest }));
  const storeDelay = fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 3 }));
  return fc
    .tuple(
      delay,
      delay,
      sometimes(loss, fc.constantFrom("request" as const, "answer" as const)),
      sometimes(5, fc.constant(true)),
      sometimes(10, fc.constant(true)),
      sometimes(15, fc.array(storeDelay, { minLength: 1, maxLength: 3 })),
    )
    .map(([there = 0, back = 0, lost, crashes, showsHangUp, store]) => ({
      there,
      back,
      ...(lost && { lost }),
      ...(crashes && { crashes }),
      ...(showsHangUp && { showsHangUp }),
      ...(store && { store }),
    }));
}

/** Seconds from one event to the next. */
const PAUSE = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 3 }) },
  { weight: 4, arbitrary: fc.integer({ min: 4, max: 45 }) },
  { weight: 2, arbitrary: fc.integer({ min: 60, max: 1000 }) },
  { weight: 2, arbitrary: fc.constantFrom(HOUR / 2, HOUR) },
  { weight: 1, arbitrary: fc.integer({ min: HOUR, max: DAY }) },
);

interface Weighted {
  readonly weight: number;
  readonly arbitrary: fc.Arbitrary<Action>;
}

function eventsOf(actions: readonly Weighted[], pause = PAUSE): fc.Arbitrary<HistoryEvent[]> {
  const event = fc.tuple(pause, fc.oneof(...actions)).map(([after, action]) => ({ ...action, after }));
  return fc.array(event, { maxLength: MOST_EVENTS });
}

const device = fc.nat({ max: DEVICES - 1 });
const thief = fc.nat({ max: THIEVES - 1 });

function useOf(link: fc.Arbitrary<Link>, { tabCount }: Setting): fc.Arbitrary<Action> {
  const tab = fc.nat({ max: tabCount - 1 });
  return fc.record({ do: fc.constant("use" as const), device, tab, links: fc.array(link, { maxLength: 4 }) });
}

function honestActions(link: fc.Arbitrary<Link>, setting: Setting): Weighted[] {
  const tab = fc.nat({ max: setting.tabCount - 1 });
  return [
    { weight: 24, arbitrary: useOf(link, setting) },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant("sleep" as const), device, seconds: fc.constantFrom(60, HOUR) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("crash-tab" as const), device, tab }) },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("crash-server" as const),
        down: fc.constantFrom(1, 30),
        commits: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom(HOUR, -HOUR, DAY, -DAY), sometimes(50, fc.integer({ min: 1, max: 120 })))
        .map(([seconds, mendedAfter]) => ({ do: "jump" as const, seconds, mendedAfter })),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("back-up" as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("restore" as const) }) },
  ];
}

function otherActions(link: fc.Arbitrary<Link>): Weighted[] {
  const sparesItself = fc.boolean();
  return [
    { weight: 3, arbitrary: fc.record({ do: fc.constant("log-in" as const), device, link }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("log-out" as const), device, link }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("end-all" as const), device, sparesItself, link }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("change-password" as const), device, link }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("deactivate" as const), link }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("reactivate" as const), link }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("copy" as const), thief, device }) },
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant("steal" as const),
        thief,
        attempt: fc.constantFrom("own" as const, "none" as const, "copied" as const),
        link,
      }),
    },
  ];
}

/** Everything at once: what is under way meets with ends that are under way. */
function busyMinutes(setting: Setting): fc.Arbitrary<HistoryEvent[]> {
  const storeDelay = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }));
  const link = fc.array(storeDelay, { maxLength: 3 }).map((store) => ({ there: 0, back: 0, store }));
  const pause = fc.integer({ min: 0, max: 4 });
  const logIn = fc.record({ do: fc.constant("log-in" as const), device, link });
  const logOut = fc.record({ do: fc.constant("log-out" as const), device, link });
  return eventsOf(
    [
      { weight: 8, arbitrary: useOf(link, setting) },
      { weight: 8, arbitrary: logIn },
      { weight: 5, arbitrary: logOut },
      ...otherActions(link),
    ],
    pause,
  );
}

/** When a thief comes, in seconds after the owner, who comes by the hour. */
const PLANS = { behind: HOUR / 2, first: -HOUR / 2, "inside the grace": 5 } as const;

/** After some honest events a thief copies what the device stores, and keeps step with its owner from then on. */
function plannedThefts(link: fc.Arbitrary<Link>, setting: Setting): fc.Arbitrary<HistoryEvent[]> {
  return fc
    .record({
      before: eventsOf(honestActions(link, setting)),
      plan: fc.constantFrom("behind" as const, "first" as const, "inside the grace" as const),
      attempt: fc.constantFrom("own" as const, "none" as const, "copied" as const),
      visits: fc.array(fc.tuple(fc.array(link, { maxLength: 2 }), link), { minLength: 1, maxLength: 4 }),
    })
    .map(({ before, plan, attempt, visits }) => {
      const shift = PLANS[plan];
      const events: HistoryEvent[] = [...before, { do: "copy", thief: 0, device: 0, after: 1 }];
      for (const [links, stolen] of visits) {
        const visit = { do: "use", device: 0, tab: 0, links } as const;
        const theft = { do: "steal", thief: 0, attempt, link: stolen } as const;
        if (shift > 0) events.push({ ...visit, after: HOUR - shift }, { ...theft, after: shift });
        else events.push({ ...theft, after: HOUR + shift }, { ...visit, after: -shift });
      }
      return events;
    });
}
