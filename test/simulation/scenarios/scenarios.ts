/**
 * What goes wrong with refresh tokens in practice, as nine short plays: six in which an honest user must not be signed
 * out, three in which a thief should be caught. Each can be played under any rule.
 */
import type { RefreshRule, RuleAnswer, RuleSession } from "./rule.ts";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
/** The plays begin an hour after the login. */
const LOGIN = 1_800_000_000;
const START = LOGIN + HOUR;
/** Visits after which a thief who was not caught never will be: two weeks, by the hour. */
const VISITS = 14 * 24;

export interface Scenario {
  readonly title: string;
  /** Plays it. @returns what to print. */
  play(rule: RefreshRule): Promise<string>;
}

/** A browser: what its tabs share, and the sending and taking that a play does one by one. */
interface Browser {
  readonly held: string;
  /** Sends a token, the one in storage unless told otherwise; the answer is not taken yet. */
  send(now: number, token?: string): Promise<RuleAnswer>;
  /** An answer arrives and is stored. */
  take(answer: RuleAnswer): void;
  readonly isOut: boolean;
}

function openBrowser(session: RuleSession, { sendsAttempts }: { readonly sendsAttempts: boolean }): Browser {
  let held = session.first;
  let generation = -1;
  let isOut = false;

  return {
    get held() {
      return held;
    },
    get isOut() {
      return isOut;
    },
    // One attempt id per token, which all tabs share.
    send: async (now, token = held) =>
      session.refresh(token, now, sendsAttempts ? `attempt-for-${token}`.slice(-64) : undefined),
    take(answer) {
      if (answer.is === "refused") isOut = true;
      // Storage is read again: it holds something newer, or a login is needed.
      if (answer.is === "superseded") isOut ||= generation < 0;
      if (answer.is !== "token" || (answer.generation ?? generation) < generation) return;
      held = answer.token;
      generation = answer.generation ?? generation;
    },
  };
}

/** Plays with and without attempt ids, where the rule knows them. */
function honestly(title: string, play: (browser: Browser) => Promise<void>): Scenario {
  async function isSignedOut(rule: RefreshRule, sendsAttempts: boolean): Promise<boolean> {
    const browser = openBrowser(await rule.logIn(LOGIN), { sendsAttempts });
    await play(browser);
    // What went wrong may only show when the user comes back.
    for (const hours of [1, 2]) browser.take(await browser.send(START + hours * HOUR));
    return browser.isOut;
  }
  return {
    title,
    async play(rule) {
      if (!(await isSignedOut(rule, false))) return "ok";
      return rule.knowsAttempts && !(await isSignedOut(rule, true)) ? "ok, with an attempt id" : "OUT";
    },
  };
}

/** Owner and thief come by the hour, with the same token to begin with. @param lead seconds from the owner's visit to the thief's. */
function stealthily(title: string, lead: number): Scenario {
  return {
    title,
    async play(rule) {
      const session = await rule.logIn(LOGIN);
      const owner = openBrowser(session, { sendsAttempts: rule.knowsAttempts });
      const thief = openBrowser(session, { sendsAttempts: false });
      const visitors = lead < 0 ? [thief, owner] : [owner, thief];
      for (let visit = 0; visit < VISITS; visit++) {
        for (const [turn, visitor] of visitors.entries()) {
          const passed = visit * HOUR + turn * Math.abs(lead);
          visitor.take(await visitor.send(START + passed));
          if (visitor.isOut) return describeTime(passed);
        }
      }
      return "never";
    },
  };
}

/** @param seconds from the first use of the stolen token, by either, until it was noticed. */
function describeTime(seconds: number): string {
  return seconds < MINUTE ? "at once" : `${seconds / HOUR} h`;
}

export const HONEST_SCENARIOS: readonly Scenario[] = [
  honestly("two tabs refresh at once", async (browser) => {
    const answers = [await browser.send(START), await browser.send(START)];
    for (const answer of answers) browser.take(answer);
  }),
  honestly("two tabs, answers arrive reversed", async (browser) => {
    const answers = [await browser.send(START), await browser.send(START)];
    for (const answer of answers.reverse()) browser.take(answer);
  }),
  honestly("answer lost, retry after 5 s", async (browser) => {
    await browser.send(START);
    browser.take(await browser.send(START + 5));
  }),
  honestly("answer lost, retry after 1 h (lid closed)", async (browser) => {
    await browser.send(START);
    browser.take(await browser.send(START + HOUR));
  }),
  honestly("late tab, two refreshes meanwhile", async (browser) => {
    const late = browser.held;
    browser.take(await browser.send(START));
    browser.take(await browser.send(START + 5));
    browser.take(await browser.send(START + 9, late));
  }),
  honestly("request delayed 40 s on a slow link", async (browser) => {
    const slow = browser.held;
    // The client has waited 10 s and tried again; when the first request arrives nobody waits for its answer any more.
    browser.take(await browser.send(START + 10));
    await browser.send(START + 40, slow);
  }),
];

export const THEFT_SCENARIOS: readonly Scenario[] = [
  stealthily("thief half an hour behind, both hourly", HOUR / 2),
  stealthily("thief goes first, both hourly", -HOUR / 2),
  stealthily("thief inside the grace every time", 5),
];
