/**
 * How often passwords may be guessed: at one name, from one network, by all instances of a store together (ASVS 6.1.1, 6.3.1).
 *
 * An attempt is entered as a failure before the password is looked at, in one statement that does nothing where it is not allowed; so of any number
 * at once as many are looked at as the limit says. A sign-in takes it back. Beyond the limit there is no lock but a delay that doubles, up to some
 * minutes. And whoever has signed in from a network has a count of their own there: strangers who keep a name busy do not shut its owner out.
 * Rows are always taken in one order, the network's first, so that no two attempts wait for each other.
 */
import { hash } from "node:crypto";
import { AuthError } from "../errors.ts";
import * as queries from "../storage/queries.ts";
import type { Statement, Storage } from "../storage/storage.ts";
import { type Duration, parseDuration, type System } from "../system.ts";
import { networkOf } from "./network.ts";

export interface LimitOptions {
  /** Wrong passwords at one username or email that are looked at without delay, by networks it was never signed in from together. Default 5. */
  readonly failures?: number;
  /** Wrong passwords from one network (IPv4 address or IPv6 /64), at whatever accounts. Default 100. */
  readonly failuresPerAddress?: number;
  /** The delay after the last of them; each further one doubles it. Default "10s". */
  readonly firstDelay?: Duration;
  /** Default "15m". */
  readonly longestDelay?: Duration;
}

/** One attempt to show a password. */
export interface Attempt {
  /**
   * Asks leave to look at the password.
   * @param account whose password it is, or would be, by the name that was typed: one that nobody has is limited as well.
   * @throws AuthError `rate_limited` with the seconds to wait; `store_unavailable`.
   */
  admit(account: string): Promise<void>;
  /**
   * Whether the account was signed in to from this network before, so that it may go first where many wait. Of one network only a few are at a time:
   * who has an account of their own does not bring a crowd.
   */
  isFavoured(account: string): Promise<boolean>;
  /** What commits together with the sign-in: the failure is taken back, and the network is known from now on. */
  granted(): readonly Statement[];
  /** The attempt is over; without a sign-in its failure stands, unless nobody looked at the password. */
  end(outcome: "granted" | "refused" | "undecided"): Promise<void>;
}

export interface LoginLimits {
  begin(ip: string | undefined): Attempt;
}

/** Seconds after which failures without another are forgotten, and a network that was not signed in from. */
const FAILURES_KEPT = 24 * 60 * 60;
const NETWORK_KEPT = 90 * 24 * 60 * 60;
/** The most attempts that wait for others at the same account: honest ones that come at the same moment. */
const MOST_WAITING = 64;
/** Milliseconds, and a bound on what a flood of names can have remembered. */
const SUSPECT_FOR = 1_000;
const MOST_SUSPECTS = 10_000;
/** A count that is full when it is tried and free when it is read has just been given back. */
const MOST_ROUNDS = 4;
/** The most attempts of one network that go first at a time. */
const MOST_FAVOURED = 4;

const UNLIMITED: LoginLimits = {
  begin: () => ({ admit: async () => {}, isFavoured: async () => false, granted: () => [], end: async () => {} }),
};

/** @throws TypeError naming the option that is out of range. */
export function createLoginLimits(storage: Storage, system: System, options: LimitOptions | false = {}): LoginLimits {
  if (options === false) return UNLIMITED;
  const rule = readRule(options);

  /** Attempts under way here, by account: whether each ended in a sign-in. */
  const pending = new Map<string, Set<Promise<boolean>>>();
  let waiting = 0;
  /** Whose turn it is to be entered, by account. */
  const turns = new Map<string, Promise<unknown>>();
  /** Buckets that were full a moment ago, and until when that is believed enough to look first. */
  const suspects = new Map<string, number>();

  function isSuspect(bucket: string): boolean {
    const until = suspects.get(bucket);
    if (until === undefined) return false;
    if (until > system.monotonic()) return true;
    suspects.delete(bucket);
    return false;
  }

  function rememberSuspect(bucket: string): void {
    if (suspects.size >= MOST_SUSPECTS) suspects.clear();
    suspects.set(bucket, system.monotonic() + SUSPECT_FOR);
  }

  /** How many attempts go first just now, by network. */
  const favoured = new Map<string, number>();

  function leaveFavoured(network: string): void {
    const left = (favoured.get(network) ?? 1) - 1;
    if (left === 0) favoured.delete(network);
    else favoured.set(network, left);
  }

  return {
    begin(ip) {
      const network = networkOf(ip);
      const ofNetwork = network === undefined ? undefined : { bucket: toBucket("network", network), ...rule.network };
      let account = "";
      /** Where the attempt was entered. */
      let entered: string | undefined;
      let settle: (isGranted: boolean) => void = () => {};
      let goesFirst = false;

      const bucketOf = () => toBucket("account", account);
      const knownBucket = (whose = account) =>
        network === undefined ? undefined : toBucket("known", `${whose} ${network}`);

      const enter = (entry: Statement): Promise<unknown> =>
        storage.write([
          ...(ofNetwork ? [queries.enterFailure({ ...ofNetwork, now: system.now(), keptFor: FAILURES_KEPT })] : []),
          entry,
        ]);

      /** Where the account has a count for all. One after the other, so that a thousand at once do not queue for one row. */
      function enterAccount(): Promise<boolean> {
        const bucket = bucketOf();
        const mine = (turns.get(account) ?? Promise.resolve()).then(async () => {
          if (isSuspect(bucket)) return false;
          const entry = queries.enterFailure({ bucket, ...rule.account, now: system.now(), keptFor: FAILURES_KEPT });
          if (await enter(entry)) {
            entered = bucket;
            return true;
          }
          rememberSuspect(bucket);
          return false;
        });
        const turn = mine.catch(() => false);
        turns.set(account, turn);
        void turn.then(() => turns.get(account) === turn && turns.delete(account));
        return mine;
      }

      /** @returns the refusal; `undefined` when the attempt has been entered. */
      async function tryToEnter(): Promise<AuthError | undefined> {
        for (let round = 0; round < MOST_ROUNDS; round++) {
          if (await enterAccount()) return undefined;
          // Read, and not tried: nobody waits for a row that is read.
          const found = await readWaits();
          if (found.network > 0) return refusal("from this network", found.network);
          if (found.account === 0) {
            suspects.delete(bucketOf());
            continue;
          }
          if (found.known === undefined) return refusal("at this account", found.account);
          if (found.known > 0) return refusal("at this account", Math.min(found.account, found.known));
          const known = knownBucket() as string;
          if (await enter(queries.enterKnownFailure({ bucket: known, ...rule.account, now: system.now() }))) {
            entered = known;
            return undefined;
          }
        }
        return refusal("at this account", 1);
      }

      /** Seconds to wait, by count; `known` is `undefined` for a network that was not signed in from. */
      async function readWaits() {
        const now = system.now();
        const buckets = [bucketOf(), knownBucket() ?? "", ofNetwork?.bucket ?? ""] as const;
        const rows = await storage.read(queries.limitsOf(...buckets));
        const waitOf = (bucket: string): number | undefined => {
          const row = rows.find((one) => one.bucket === bucket && (one.expires_at as number) > now);
          if (!row) return undefined;
          const wait = (row.next_at as number) - now;
          return wait > rule.account.longestDelay ? 0 : Math.max(0, wait);
        };
        return { account: waitOf(buckets[0]) ?? 0, known: waitOf(buckets[1]), network: waitOf(buckets[2]) ?? 0 };
      }

      /** Others who are just being looked at may be the owner, too: what they have taken is given back with their sign-in. */
      async function waitForOthers(): Promise<boolean> {
        const others = pending.get(account);
        if (!others || others.size === 0 || waiting >= MOST_WAITING) return false;
        waiting++;
        try {
          return (await Promise.all(others)).includes(true);
        } finally {
          waiting--;
        }
      }

      return {
        async admit(whose) {
          account = whose;
          for (let refused = await tryToEnter(); refused; refused = await tryToEnter()) {
            if (!(await waitForOthers())) throw refused;
          }
          const others = pending.get(account) ?? new Set();
          pending.set(account, others);
          const { promise, resolve } = Promise.withResolvers<boolean>();
          others.add(promise);
          settle = (isGranted) => {
            others.delete(promise);
            if (others.size === 0 && pending.get(account) === others) pending.delete(account);
            resolve(isGranted);
          };
        },

        async isFavoured(whose) {
          if (network === undefined || goesFirst) return goesFirst;
          const known = knownBucket(whose) as string;
          const [row] = await storage.read(queries.knownNetwork(known, system.now()));
          const count = favoured.get(network) ?? 0;
          if (!row || count >= MOST_FAVOURED) return false;
          favoured.set(network, count + 1);
          goesFirst = true;
          return true;
        },

        granted() {
          if (!entered) return [];
          const known = knownBucket();
          return [
            ...(ofNetwork ? [queries.takeBackFailure(ofNetwork.bucket, ofNetwork.failures)] : []),
            queries.forgetFailures(entered),
            ...(known === undefined ? [] : [queries.knowNetwork(known, system.now() + NETWORK_KEPT)]),
          ];
        },

        async end(outcome) {
          if (goesFirst && network !== undefined) leaveFavoured(network);
          if (!entered) return;
          try {
            if (outcome === "undecided") {
              await storage.write([
                ...(ofNetwork ? [queries.takeBackFailure(ofNetwork.bucket, ofNetwork.failures)] : []),
                queries.takeBackFailure(entered, rule.account.failures),
              ]);
            }
          } catch {
            // The store has gone: the failure stands, and is forgotten in a day.
          } finally {
            settle(outcome === "granted");
          }
        },
      };
    },
  };
}

function refusal(where: string, retryAfter: number): AuthError {
  return new AuthError("rate_limited", { reason: `too many wrong passwords ${where}`, retryAfter });
}

/** Names may be long and are nobody's business: a bucket has the length of a hash. */
const toBucket = (kind: "account" | "network" | "known", what: string): string =>
  hash("sha256", `${kind} ${what}`, "base64url");

function readRule({ failures = 5, failuresPerAddress = 100, firstDelay = "10s", longestDelay = "15m" }: LimitOptions) {
  const delays = {
    firstDelay: parseDuration(firstDelay, "limits.firstDelay"),
    longestDelay: parseDuration(longestDelay, "limits.longestDelay"),
  };
  if (delays.firstDelay < 1) throw new TypeError("limits.firstDelay is at least a second");
  if (delays.longestDelay < delays.firstDelay)
    throw new TypeError("limits.longestDelay is no shorter than limits.firstDelay");
  return {
    account: { failures: positive(failures, "limits.failures"), ...delays },
    network: { failures: positive(failuresPerAddress, "limits.failuresPerAddress"), ...delays },
  };
}

function positive(count: number, name: string): number {
  if (Number.isInteger(count) && count >= 1 && count <= 1_000_000) return count;
  throw new TypeError(`${name} is a whole number from 1 to 1000000`);
}
