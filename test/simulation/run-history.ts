/**
 * Runs one history against a server and records what happened. When its events are over there is an epilogue: every
 * owner comes back over a perfect link, thieves in between, twice; then what was ended is knocked at once more.
 */
import type { Storage } from "../../src/storage/storage.ts";
import { createDevice, type Device, type RefreshRequest } from "./device.ts";
import { endInForce } from "./ends.ts";
import { type Action, type History, type HistoryEvent, type Link, PERFECT, RESTORE_DURATION } from "./history.ts";
import { createKernel } from "./kernel.ts";
import {
  type Access,
  createRecording,
  type Issued,
  type Operation,
  type OperationKind,
  type Outcome,
  type Party,
  type Recording,
  type SessionRecord,
} from "./record.ts";
import type { Process, Server } from "./server.ts";
import { backUp, forget, readEndings, restore } from "./stored-rows.ts";
import { createThief, type Thief } from "./thief.ts";

/** Seconds between the visits of the epilogue. */
const VISIT_INTERVAL = 60 * 60;
/** After these, what has ended is tried. */
const KNOCKED_AFTER = new Set<Action["do"]>([
  "log-out",
  "end-all",
  "change-password",
  "deactivate",
  "crash-server",
  "restore",
]);
const PROBE: Party = { is: "probe" };
const DONE: Outcome = { is: "done" };

interface Request {
  readonly kind: OperationKind;
  readonly by: Party;
  readonly token?: Issued | undefined;
  readonly session?: SessionRecord | undefined;
  readonly attempt?: string | undefined;
  readonly spares?: boolean;
}

export async function runHistory(history: History, server: Server, storage: Storage): Promise<Recording> {
  const kernel = createKernel();
  const recording = createRecording();
  const endings = new Map<number, string>();
  const thieves: Thief[] = [];
  let attemptCount = 0;
  let backup: number | undefined;
  const newAttempt = () => `attempt-${String(++attemptCount).padStart(14, "0")}`;

  const devices = history.devices.map((spec, index) =>
    createDevice(spec, {
      schedule: kernel.schedule,
      now: () => kernel.now,
      newAttempt,
      refresh: ({ tab, ...request }, onAnswer) =>
        sendRefresh({ is: "device", device: index, tab }, request, (outcome, operation) =>
          onAnswer(outcome && operation ? { outcome, operation } : "nobody there"),
        ),
      giveUp: (operation) => recording.givenUp.push(operation),
      logOut: (token, tab) => logOut({ is: "device", device: index, tab }, token, PERFECT),
    }),
  );

  const deviceOf = (index: number) => devices[index % devices.length] as Device;
  const indexOf = (device: Device) => devices.indexOf(device);
  function thiefOf(index: number): Thief {
    thieves[index] ??= createThief(newAttempt);
    return thieves[index];
  }

  /** Carries a request to the server and its answer back, as the link says. */
  function send(
    request: Request,
    link: Link,
    work: (process: Process, operation: Operation) => Promise<Outcome>,
    onAnswer: (outcome: Outcome | undefined, operation: Operation | undefined) => void = () => {},
  ): void {
    if (link.lost === "request") return;
    kernel.schedule(link.there, () => {
      if (!server.isUp) return kernel.schedule(link.back, () => onAnswer(undefined, undefined));
      const operation: Operation = {
        token: undefined,
        session: undefined,
        attempt: undefined,
        spares: false,
        ...request,
        startedAt: kernel.now,
        wall: server.now(),
        started: recording.next(),
        firstCall: undefined,
        lastCall: undefined,
        settled: undefined,
        settledAt: undefined,
        outcome: undefined,
      };
      recording.operations.push(operation);
      server.serve(
        operation,
        link.store ?? [],
        (process) => work(process, operation),
        (outcome) => {
          if (link.lost === "answer") return;
          kernel.schedule(link.back, () => onAnswer(outcome, operation));
        },
      );
    });
  }

  function sendRefresh(
    by: Party,
    { token, attempt, link, signal }: Omit<RefreshRequest, "tab">,
    onAnswer: (outcome: Outcome | undefined, operation: Operation | undefined) => void = () => {},
  ): void {
    send(
      { kind: "refresh", by, token, attempt },
      link,
      async ({ refresh }) => {
        try {
          return server.toGranted(await refresh(token.text, { attempt, ...(signal && { signal }) }));
        } catch (error) {
          await noteEndings();
          throw error;
        }
      },
      onAnswer,
    );
  }

  /** Sends what ends sessions. */
  function sendEnd(request: Request, link: Link, work: (process: Process) => Promise<Outcome>): void {
    send(request, link, async (process) => {
      const outcome = await work(process);
      await noteEndings();
      return outcome;
    });
  }

  function logOut(by: Party, { session, text }: Issued, link: Link): void {
    sendEnd({ kind: "log-out", by, session }, link, async ({ auth }) => {
      await auth.logout(text);
      return DONE;
    });
  }

  /** Looks for sessions that have ended since the last look. */
  async function noteEndings(): Promise<void> {
    for (const [id, ending] of await readEndings(storage)) if (!endings.has(id)) endings.set(id, ending);
  }

  function logIn(device: Device, link: Link): void {
    if (device.held) return;
    const by: Party = { is: "device", device: indexOf(device), tab: 0 };
    send(
      { kind: "log-in", by },
      link,
      async (process, operation) => {
        const session = await process.logIn(indexOf(device), operation);
        return { is: "granted", token: session.newest, expiresIn: 0 };
      },
      (outcome) => {
        if (outcome?.is === "granted" && !device.held) device.signIn(outcome.token);
      },
    );
  }

  /** Work of the store's own, for which time stands. */
  function alone(work: () => Promise<void>): void {
    kernel.enter();
    work().finally(kernel.leave);
  }

  function steal(thief: Thief, kind: "own" | "none" | "copied", link: Link): void {
    const { token } = thief;
    if (!token) return;
    const by: Party = { is: "thief", thief: thieves.indexOf(thief) };
    sendRefresh(by, { token, attempt: thief.attempt(kind), link, signal: undefined }, (outcome) => {
      if (outcome?.is === "granted") thief.gain(outcome.token);
    });
  }

  const handlers: { [K in Action["do"]]: (action: Extract<Action, { do: K }>) => void } = {
    use: (action) => deviceOf(action.device).use(action),
    sleep: ({ device, seconds }) => deviceOf(device).sleep(seconds),
    "crash-tab": ({ device, tab }) => deviceOf(device).crashTab(tab),
    "log-in": ({ device, link }) => logIn(deviceOf(device), link),
    "log-out"({ device: index, link }) {
      const device = deviceOf(index);
      if (!device.held) return;
      logOut({ is: "device", device: indexOf(device), tab: 0 }, device.held, link);
      device.signOut();
    },
    "end-all"({ device: index, sparesItself, link }) {
      const device = deviceOf(index);
      const session = device.held?.session;
      if (!session) return;
      const by: Party = { is: "device", device: indexOf(device), tab: 0 };
      sendEnd({ kind: "end-all", by, session, spares: sparesItself }, link, async ({ auth }) => {
        await auth.sessions.endAll(server.userId, sparesItself ? { except: String(session.id) } : {});
        return DONE;
      });
      if (!sparesItself) device.signOut();
    },
    "change-password"({ device: index, link }) {
      const device = deviceOf(index);
      const session = device.held?.session;
      if (!session) return;
      const by: Party = { is: "device", device: indexOf(device), tab: 0 };
      sendEnd({ kind: "change-password", by, session, spares: true }, link, async (process) => {
        await process.changePassword(session);
        return DONE;
      });
    },
    deactivate({ link }) {
      sendEnd({ kind: "deactivate", by: PROBE }, link, async ({ auth }) =>
        (await auth.users.deactivate(server.userId))
          ? DONE
          : { is: "refused", code: "not_found", reason: "nothing to do" },
      );
    },
    reactivate({ link }) {
      send({ kind: "reactivate", by: PROBE }, link, async ({ auth }) => {
        await auth.users.reactivate(server.userId);
        return DONE;
      });
    },
    copy: ({ thief, device }) => thiefOf(thief).copy(deviceOf(device)),
    steal: ({ thief, attempt, link }) => steal(thiefOf(thief), attempt, link),
    "crash-server"({ down, commits }) {
      if (!server.isUp) return;
      server.crash(commits);
      kernel.schedule(down, () => {
        if (!server.isUp) alone(server.start);
      });
    },
    jump({ seconds, mendedAfter }) {
      server.jump(seconds);
      recording.jumps.push({ order: recording.next(), at: kernel.now, seconds });
      if (mendedAfter !== undefined)
        kernel.schedule(mendedAfter, () => handlers.jump({ do: "jump", seconds: -seconds }));
      guardEnded();
    },
    "back-up"() {
      alone(async () => {
        await backUp(storage);
        backup = recording.next();
      });
    },
    restore() {
      const restored = backup;
      if (restored === undefined) return;
      if (server.isUp) server.crash(false);
      alone(async () => {
        await restore(storage);
        endings.clear();
        recording.restores.push({ order: recording.next(), at: kernel.now, backup: restored });
        await noteEndings();
      });
      kernel.schedule(RESTORE_DURATION, () => {
        if (!server.isUp) alone(server.start);
      });
    },
  };

  function perform(event: HistoryEvent): void {
    (handlers[event.do] as (action: HistoryEvent) => void)(event);
  }

  /** Shows an access token to a guard. */
  function knock(session: SessionRecord, { token }: Access, freshness: "feed" | "live"): void {
    send({ kind: "guard", by: PROBE, session }, PERFECT, async ({ auth }) => {
      await auth.authenticate(token, { freshness });
      return DONE;
    });
  }

  /** Knocks at what has ended, once the server's index has been brought up to date, as it is every second. */
  function guardEnded(): void {
    const ended = recording.sessions.filter(
      (session) => session.access.newest && endInForce(session, recording.next(), recording),
    );
    if (ended.length === 0 || !server.isUp) return;
    alone(server.poll);
    for (const session of ended) {
      const { newest, longest } = session.access as { newest: Access; longest: Access };
      knock(session, longest, "feed");
      if (newest !== longest) knock(session, newest, "feed");
    }
  }

  async function epilogue(): Promise<void> {
    if (!server.isUp) alone(server.start);
    const contested = new Set<SessionRecord>();
    const rounds = thieves.some((thief) => thief?.token) ? 2 : 1;
    for (let round = 0; round < rounds; round++) {
      kernel.schedule(VISIT_INTERVAL, () => {
        for (const [index, device] of devices.entries()) {
          const { held } = device;
          if (held && round === 0 && thieves.some((thief) => thief?.goesOnWith(held))) contested.add(held.session);
          device.use({ do: "use", device: index, tab: 0, links: [] });
        }
      });
      await kernel.run();
      if (round === 0) {
        for (const { held } of devices) {
          if (!held?.session.access.newest) continue;
          knock(held.session, held.session.access.newest, "live");
          await kernel.run();
          recording.finals.push({ token: held, isGood: recording.operations.at(-1)?.outcome?.is === "done" });
        }
      }
      kernel.schedule(VISIT_INTERVAL, () => {
        for (const thief of thieves) if (thief) steal(thief, "own", PERFECT);
      });
      await kernel.run();
    }
    recording.contested.push(...contested);
    for (const session of recording.sessions) {
      if (!contested.has(session) && !endInForce(session, recording.next(), recording)) continue;
      sendRefresh(PROBE, { token: session.newest, attempt: undefined, link: PERFECT, signal: undefined });
    }
    guardEnded();
    await kernel.run();
  }

  await server.begin({ kernel, recording });
  for (const device of devices) logIn(device, PERFECT);
  await kernel.run();
  let at = 0;
  for (const event of history.events) {
    at += event.after;
    kernel.schedule(at, () => perform(event));
    if (KNOCKED_AFTER.has(event.do)) kernel.schedule(at, guardEnded);
  }
  await kernel.run();
  await epilogue();

  const lasting = await readEndings(storage);
  for (const session of recording.sessions) {
    const first = endings.get(session.id);
    if (first !== undefined) recording.endings.push({ session, first, last: lasting.get(session.id) });
  }
  await forget(storage);
  return recording;
}
