/**
 * An honest client: a browser whose tabs share one storage, or a program without attempt ids.
 * It keeps to the client's half of the refresh rule: storage is read again before every send, one attempt id per refresh
 * token is shared by all tabs and kept until a newer token is stored, a newer generation always wins, 10 s are waited
 * for an answer, and after "superseded" storage is read again; if it still holds that token, a thief has it too, and the
 * session is ended.
 */
import { type Action, type DeviceSpec, type Link, PERFECT, TIME_OUT } from "./history.ts";
import type { Issued, Operation, Outcome } from "./record.ts";

/** What a device needs of the world. */
export interface Surroundings {
  schedule(after: number, action: () => void): void;
  now(): number;
  /** Sends a refresh. @param onAnswer is told when an answer comes back, or that there is no server. */
  refresh(request: RefreshRequest, onAnswer: (answer: Answer) => void): void;
  /** The client goes to its login page. */
  giveUp(operation: Operation): void;
  /** Ends the session of a token. */
  logOut(token: Issued, tab: number): void;
  /** 22 characters that nobody else has. */
  newAttempt(): string;
}

export interface RefreshRequest {
  readonly tab: number;
  readonly token: Issued;
  readonly attempt: string | undefined;
  readonly link: Link;
  readonly signal: AbortSignal | undefined;
}

export type Answer = { readonly outcome: Outcome; readonly operation: Operation } | "nobody there";

export interface Device {
  readonly spec: DeviceSpec;
  /** What its tabs share: what a thief copies. */
  readonly held: Issued | undefined;
  readonly attempts: ReadonlyMap<string, string>;
  /** A login's answer has come. */
  signIn(token: Issued): void;
  /** Forgets its tokens. */
  signOut(): void;
  use(action: Extract<Action, { do: "use" }>): void;
  sleep(seconds: number): void;
  crashTab(tab: number): void;
}

/** Seconds until the next try where there was no server. */
const RETRY_AFTER = 7;
/** After so many tries that came to nothing a client gives up. No server is away for so long. */
const MOST_TRIES = 100;

interface Tab {
  readonly number: number;
  isBusy: boolean;
  /** Counts its crashes: what was begun in an earlier life is forgotten. */
  life: number;
  readonly attempts: Map<string, string>;
}

export function createDevice(spec: DeviceSpec, world: Surroundings): Device {
  const shared = new Map<string, string>();
  const tabs: Tab[] = Array.from({ length: spec.tabCount }, (_, number) => ({
    number,
    isBusy: false,
    life: 0,
    attempts: new Map(),
  }));
  let held: Issued | undefined;
  let asleepUntil = 0;

  const tabOf = (number: number) => tabs[number % tabs.length] as Tab;

  /** A timer of the device: it stands while the device sleeps. */
  function wait(seconds: number, action: () => void): void {
    world.schedule(seconds, () => {
      if (world.now() < asleepUntil) world.schedule(asleepUntil - world.now(), action);
      else action();
    });
  }

  function pendingAttempt(tab: Tab, token: Issued): string | undefined {
    if (spec.attemptIds === "none") return undefined;
    const pending = spec.attemptIds === "shared" ? shared : tab.attempts;
    const known = pending.get(token.text);
    if (known) return known;
    const made = world.newAttempt();
    pending.set(token.text, made);
    return made;
  }

  function store(token: Issued): void {
    if (!held || held.session !== token.session) return;
    // A program without attempt ids knows nothing of generations: it keeps what came last.
    if (spec.attemptIds !== "none" && token.generation <= held.generation) return;
    if (token.text !== held.text) shared.clear();
    held = token;
  }

  function crash(tab: Tab): void {
    tab.life++;
    tab.isBusy = false;
    tab.attempts.clear();
  }

  function send(tab: Tab, links: readonly Link[], tries: number): void {
    const token = held;
    if (!token) {
      tab.isBusy = false;
      return;
    }
    const { life } = tab;
    const link = links[tries] ?? PERFECT;
    const hangUp = link.showsHangUp ? new AbortController() : undefined;
    let isWaiting = true;

    function again(): void {
      if (life === tab.life) send(tab, links, tries + 1);
    }

    function take(answer: Answer): void {
      if (life !== tab.life || world.now() < asleepUntil) return;
      if (link.crashes) {
        crash(tab);
        return;
      }
      if (!isWaiting) {
        // Too late to be waited for. A program has closed the connection; a browser may still be handed it.
        if (answer !== "nobody there" && answer.outcome.is === "granted" && spec.attemptIds !== "none") {
          store(answer.outcome.token);
        }
        return;
      }
      isWaiting = false;
      if (answer === "nobody there") {
        wait(RETRY_AFTER, again);
        return;
      }
      const { outcome, operation } = answer;
      if (outcome.is === "granted") {
        store(outcome.token);
        tab.isBusy = false;
      } else if (outcome.is === "refused" && outcome.code === "store_unavailable" && tries < MOST_TRIES) {
        wait(RETRY_AFTER, again);
      } else if (outcome.is === "refused" && outcome.code === "refresh_superseded" && held !== token) {
        again();
      } else {
        const isSuperseded = outcome.is === "refused" && outcome.code === "refresh_superseded";
        if (isSuperseded && spec.endsSuperseded) world.logOut(token as Issued, tab.number);
        world.giveUp(operation);
        held = undefined;
        tab.isBusy = false;
      }
    }

    const { number } = tab;
    const attempt = pendingAttempt(tab, token);
    world.refresh({ tab: number, token, attempt, link, signal: hangUp?.signal }, take);
    wait(TIME_OUT, () => {
      if (!isWaiting || life !== tab.life) return;
      isWaiting = false;
      hangUp?.abort("hung up");
      again();
    });
  }

  return {
    spec,
    attempts: shared,
    get held() {
      return held;
    },
    signIn(token) {
      shared.clear();
      held = token;
    },
    signOut() {
      shared.clear();
      held = undefined;
    },
    use({ tab: number, links }) {
      const tab = tabOf(number);
      if (!held || tab.isBusy) return;
      tab.isBusy = true;
      const { life } = tab;
      wait(0, () => {
        if (life === tab.life) send(tab, links, 0);
      });
    },
    sleep(seconds) {
      asleepUntil = Math.max(asleepUntil, world.now() + seconds);
    },
    crashTab: (number) => crash(tabOf(number)),
  };
}
