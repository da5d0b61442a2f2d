/**
 * The key ring: which keys verify access tokens and which one signs, the same for every instance on one store.
 * The store's rows are the truth, and each instance follows them: it reads the ring's version with every poll of the feed
 * and the rows when that has changed. Changes are made under a lease and guarded by the version, so of many instances one
 * rotates, and one that was overtaken changes nothing.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { AuthError } from "../errors.ts";
import type { Algorithm, PairAlgorithm } from "../jwt/algorithms.ts";
import { exposePrivateJwk, toPublicJwk, toPublicKey } from "../jwt/export-key.ts";
import { generateKey } from "../jwt/generate-key.ts";
import { importKey } from "../jwt/import-key.ts";
import type { Jwk, Jwks } from "../jwt/jwk.ts";
import type { Key, PrivateKey, PublicKey } from "../jwt/key.ts";
import { createKeySet, type KeySet, toJwks } from "../jwt/key-set.ts";
import { shareRuns } from "../revocations/shared-runs.ts";
import type { NumberedKeys, RootSecret } from "../secrets.ts";
import * as queries from "../storage/queries.ts";
import type { Statement, Storage } from "../storage/storage.ts";
import type { System } from "../system.ts";
import { type KeyInfo, type KeyRecord, toInfo, toRecords } from "./key-record.ts";
import { createLease } from "./lease.ts";
import { makeKey } from "./new-key.ts";
import { activeOf, findTask, isLive, KEPT_FOR, nextOf, type RingTimes, signsFrom } from "./ring-rule.ts";
import { openKey, type SealProblem, sealKey, secretNumberOf } from "./sealed-key.ts";
import { createSecretKeys, isSecretAlgorithm } from "./secret-keys.ts";

export type KeyEvent =
  | { readonly type: "key_active"; readonly kid: string; readonly alg: Algorithm }
  | { readonly type: "key_compromised"; readonly kid: string }
  | { readonly type: "key_unreadable"; readonly kid: string; readonly problem: string }
  | { readonly type: "key_task_failed"; readonly task: string; readonly problem: string };

export interface KeyRingOptions {
  readonly storage: Storage;
  readonly system: System;
  /** The secrets of HS256, HS384 and HS512, the one that signs first. */
  readonly secrets: RootSecret;
  /** Derived from the root under the label "key-ring". */
  readonly sealingKeys: NumberedKeys;
  /** What tokens are to be signed with. Default: as the store's keys are, HS256 where there are none. */
  readonly algorithm?: Algorithm | undefined;
  readonly times: RingTimes;
  readonly onEvent?: (event: KeyEvent) => void;
}

export interface RotateOptions {
  /** The key that is to stop signing. When another already has taken its place nothing is done. Default: the active one. */
  readonly from?: string;
  /** Signs with the next key even when others may not have seen it yet: they refuse its tokens until they look again. */
  readonly ignoringLead?: boolean;
}

export type KeyRing = Awaited<ReturnType<typeof openKeyRing>>;

/** Seconds that what was read may be believed when signing. */
const FRESH_FOR = 30;
/** Milliseconds between looks for unknown keys, and the most tokens that wait for one. */
const COOLDOWN = 200;
const MOST_ASKERS = 1_000;
/** Milliseconds that a start waits for the lease: longer than one that died can hold it. */
const OPENING_PATIENCE = 40_000;
/** Milliseconds before a task that failed is tried again. */
const RETRY_AFTER = 5_000;

/**
 * Reads the ring, makes the first key where there is none, and prepares the change of algorithm where another is asked for.
 * @throws TypeError when the store's keys were sealed under another root secret, or a secret is too short for the algorithm.
 */
export async function openKeyRing(options: KeyRingOptions) {
  const { storage, system, sealingKeys, times, onEvent = () => {} } = options;
  const secrets = createSecretKeys(options.secrets);
  const lease = createLease(storage, system);
  const nobodysKey = generateKey("HS256", { kid: randomUUID() });

  let records: readonly KeyRecord[] = [];
  let version = -1;
  let readAt: { readonly wall: number; readonly monotonic: number } | undefined;
  /** Keys of rows, by kid: a kid is the thumbprint of its key, so what was opened once stays right. */
  const opened = new Map<string, PrivateKey | PublicKey>();
  /** Kids of rows that can't be opened, told once. */
  const unreadable = new Map<string, SealProblem>();
  let set: KeySet<Key> | undefined;
  let inSet: readonly Key[] = [];
  const listeners = new Set<() => void>();

  // Reading ----------------------------------------------------------------------------------------------------------

  /** Reads what is new in the store. Rejects with `store_unavailable`. */
  const catchUp = shareRuns(async () => {
    const began = { wall: system.now(), monotonic: system.monotonic() };
    const [ring] = await storage.read(queries.keyRing());
    if (ring?.version !== version) {
      records = toRecords(await storage.read(queries.keys()));
      version = ring?.version as number;
    }
    refresh();
    readAt = began;
  });

  /** By both clocks: one of them may jump, both do not stand still. */
  function isFresh(): boolean {
    if (!readAt) return false;
    const wall = system.now() - readAt.wall;
    return wall >= 0 && wall <= FRESH_FOR && system.monotonic() - readAt.monotonic <= FRESH_FOR * 1000;
  }

  /** Brings the key set in line with the rows and the time. */
  function refresh(): void {
    const now = system.now();
    const active = activeOf(records);
    const live = records.filter((record) => isLive(record, now)).map((record) => ({ record, key: toKey(record) }));
    const keys = live.flatMap(({ key }) => key ?? []);
    for (const kid of opened.keys()) if (!live.some(({ record }) => record.kid === kid)) opened.delete(kid);
    // While secrets sign, all that the configuration has are taken: it is the operator who drops one from the list.
    if (active && isSecretAlgorithm(active.alg)) {
      for (const kid of secrets.kids(active.alg)) {
        const isRefused = records.some((record) => record.kid === kid && record.state === "compromised");
        const key = isRefused || keys.some((known) => known.kid === kid) ? undefined : secrets.find(kid, active.alg);
        if (key) keys.push(key);
      }
    }
    // A set is never empty: what nobody knows verifies nothing.
    if (keys.length === 0) keys.push(nobodysKey);
    const kid = active && signingKid(active);
    const isSame = keys.length === inSet.length && keys.every((key, i) => key === inSet[i]);
    if (isSame && set?.signingKey?.kid === kid) return;
    inSet = keys;
    // PyJWT and others that hold the secret name no key.
    const withoutKid = keys.find((key) => key.type === "secret" && key !== nobodysKey)?.kid;
    const keySetOptions = {
      ...(kid !== undefined && { signWith: kid }),
      ...(withoutKid !== undefined && { withoutKid }),
    };
    if (!set) {
      set = createKeySet(keys, keySetOptions);
      return;
    }
    set.replace(keys, keySetOptions);
    for (const listener of listeners) listener();
  }

  /** The key that signs here; `undefined` when it can't be opened. */
  function signingKid(active: KeyRecord): string | undefined {
    if (toKey(active)?.canSign) return active.kid;
    // Another instance was given a newer secret; until this one is, it goes on with its own, which that one takes too.
    const own = isSecretAlgorithm(active.alg) ? secrets.find(secrets.currentKid(active.alg), active.alg) : undefined;
    return own?.kid;
  }

  function toKey(record: KeyRecord): Key | undefined {
    const { kid, alg, state, sealed } = record;
    if (isSecretAlgorithm(alg)) return secrets.find(kid, alg);
    const known = opened.get(kid);
    if (known) {
      // What signs no more is kept without the means to.
      if (state !== "retiring" || known.type === "public") return known;
      const half = toPublicKey(known);
      opened.set(kid, half);
      return half;
    }
    const reading = openKey(sealed ?? "", record, sealingKeys);
    if ("problem" in reading) {
      if (!unreadable.has(kid)) onEvent({ type: "key_unreadable", kid, problem: describe(record, reading) });
      unreadable.set(kid, reading.problem);
      return undefined;
    }
    const key = importKey(reading.jwk, { alg, kid }) as PrivateKey | PublicKey;
    opened.set(kid, key);
    unreadable.delete(kid);
    return key;
  }

  // Changing ---------------------------------------------------------------------------------------------------------

  /** Plans a change on the rows as they are under the lease, and commits it. @returns false when there was nothing to do. */
  async function change(
    plan: (keys: readonly KeyRecord[], now: number) => Promise<readonly Statement[]>,
    patience?: number,
  ): Promise<boolean> {
    const isChanged = await lease.change(async () => {
      const keys = toRecords(await storage.read(queries.keys()));
      return plan(keys, system.now());
    }, patience);
    await catchUp();
    return isChanged;
  }

  const seal = (jwk: Jwk, key: { readonly kid: string; readonly alg: string }) => sealKey(jwk, key, sealingKeys);

  async function insertNew(alg: PairAlgorithm, state: "next" | "active", now: number): Promise<Statement> {
    const key = await makeKey(alg);
    opened.set(key.kid, key);
    return queries.insertKey({ kid: key.kid, alg, state, sealed: seal(exposePrivateJwk(key), key), now });
  }

  /** The active key makes way. Of a pair the private half is forgotten. */
  function retire(active: KeyRecord, now: number): Statement {
    const key = isSecretAlgorithm(active.alg) ? undefined : toKey(active);
    // What can't be opened here others may open.
    const sealed = key ? seal(toPublicJwk(key as PrivateKey), active) : (active.sealed ?? null);
    return queries.retireKey(active.kid, now, now + times.verifiesFor, sealed);
  }

  /** Makes the secret of the configuration the active key. */
  function activateSecret(keys: readonly KeyRecord[], kid: string, alg: Algorithm, now: number): Statement {
    const row = keys.find((key) => key.kid === kid);
    if (row?.state === "compromised") {
      throw new TypeError(
        `the secret ${kid} was reported as compromised: give a new one under another number, as in "2:<new secret>"`,
      );
    }
    return row ? queries.activateKey(kid, now) : queries.insertKey({ kid, alg, state: "active", sealed: null, now });
  }

  /** Brings the ring towards the algorithm (and, of secrets, the number) that was asked for. */
  function settle(wanted: Algorithm): Promise<boolean> {
    return change(async (keys, now) => {
      const active = activeOf(keys);
      const next = nextOf(keys);
      if (isSecretAlgorithm(wanted)) {
        const kid = secrets.currentKid(wanted);
        const dropNext = next ? [queries.closeKey(next.kid, "retired", "another algorithm was asked for", now)] : [];
        if (active?.kid === kid) return dropNext;
        return [...dropNext, ...(active ? [retire(active, now)] : []), activateSecret(keys, kid, wanted, now)];
      }
      if (!active && next?.alg === wanted) return follow(next, wanted, now);
      if (active && (next ?? active).alg === wanted) return [];
      const dropNext = next ? [queries.closeKey(next.kid, "retired", "another algorithm was asked for", now)] : [];
      if (!active) return [...dropNext, ...(await follow(undefined, wanted, now))];
      return [...dropNext, await insertNew(wanted, "next", now)];
    }, OPENING_PATIENCE);
  }

  /** The next key signs from now on, and another takes its place. */
  async function advance(keys: readonly KeyRecord[], active: KeyRecord, now: number): Promise<Statement[]> {
    const next = nextOf(keys);
    const alg = (next ?? active).alg as PairAlgorithm;
    return [retire(active, now), ...(await follow(next, alg, now))];
  }

  /** What makes the next key, or where there is none that will do a new one, the active key. */
  async function follow(next: KeyRecord | undefined, alg: PairAlgorithm, now: number): Promise<Statement[]> {
    const newNext = await insertNew(alg, "next", now);
    if (!next) return [await insertNew(alg, "active", now), newNext];
    if (toKey(next)) return [queries.activateKey(next.kid, now), newNext];
    if (unreadable.get(next.kid) !== "damage") {
      throw new AuthError("secret_unknown", {
        reason: "the next key was sealed under a secret that is not known here",
      });
    }
    return [closeDamaged(next, now), await insertNew(alg, "active", now), newNext];
  }

  const closeDamaged = ({ kid }: KeyRecord, now: number) =>
    queries.closeKey(kid, "retired", "its material was damaged", now);

  /** Does what is due, if another instance has not done it. */
  async function maintain(patience?: number): Promise<void> {
    const before = activeOf(records)?.kid;
    await change(async (keys, now) => {
      const active = activeOf(keys);
      const next = nextOf(keys);
      switch (findTask(keys, now, times)) {
        case "begin": {
          const alg = next?.alg ?? options.algorithm ?? "HS256";
          if (isSecretAlgorithm(alg)) return [activateSecret(keys, secrets.currentKid(alg), alg, now)];
          return follow(next, alg, now);
        }
        case "publish":
          return [await insertNew(active?.alg as PairAlgorithm, "next", now)];
        case "rotate":
          return active ? advance(keys, active, now) : [];
        case "retire":
          return [
            ...keys
              .filter((key) => key.state === "retiring" && !isLive(key, now))
              .map(({ kid }) => queries.closeKey(kid, "retired", null, now)),
            queries.forgetKeys(now - KEPT_FOR),
          ];
        default:
          return [];
      }
    }, patience);
    const active = activeOf(records);
    if (active && active.kid !== before) onEvent({ type: "key_active", kid: active.kid, alg: active.alg });
  }

  let maintaining: Promise<void> | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;
  let isClosed = false;

  /** Does what is due beside whatever else goes on; what fails is tried again later. */
  function maintainSoon(): void {
    const task = findTask(records, system.now(), times);
    if (!task || maintaining || isClosed || system.monotonic() - failedAt < RETRY_AFTER) return;
    // Whoever has the lease is doing it.
    maintaining = maintain(0)
      .catch((error: unknown) => {
        failedAt = system.monotonic();
        if (error instanceof AuthError && error.code === "busy") return;
        onEvent({ type: "key_task_failed", task, problem: error instanceof AuthError ? error.reason : String(error) });
      })
      .finally(() => {
        maintaining = undefined;
      });
  }

  /** Keys that no one can open any more are given up; keys under an older secret are sealed anew. */
  async function mend(): Promise<void> {
    const damaged = records.filter(({ kid, state }) => unreadable.get(kid) === "damage" && state !== "retired");
    const isOld = ({ sealed }: KeyRecord) => sealed !== undefined && secretNumberOf(sealed) !== sealingKeys.current;
    const old = records.filter((record) => isOld(record) && opened.has(record.kid));
    if (damaged.length === 0 && old.length === 0) return;
    await change(
      async (keys, now) => [
        ...keys
          .filter(({ kid }) => damaged.some((record) => record.kid === kid))
          .map((record) => closeDamaged(record, now)),
        ...keys.filter(isOld).flatMap((record) => {
          const key = opened.get(record.kid);
          if (!key) return [];
          return queries.resealKey(
            record.kid,
            seal(key.type === "private" ? exposePrivateJwk(key) : toPublicJwk(key), record),
          );
        }),
      ],
      OPENING_PATIENCE,
    );
  }

  // Opening ----------------------------------------------------------------------------------------------------------

  await catchUp();
  throwIfSealedElsewhere();
  await mend();
  const wanted = options.algorithm ?? activeOf(records)?.alg ?? "HS256";
  if (isSecretAlgorithm(wanted) && !secrets.find(secrets.currentKid(wanted), wanted)) {
    throw new TypeError(`the secret is too short for ${wanted}: make one with: openssl rand -base64 64`);
  }
  if (!isSettled(wanted)) await settle(wanted);
  if (findTask(records, system.now(), times) === "begin") await maintain(OPENING_PATIENCE);
  refresh();

  function isSettled(alg: Algorithm): boolean {
    const active = activeOf(records);
    const next = nextOf(records);
    if (!active) return false;
    if (isSecretAlgorithm(alg)) return active.kid === secrets.currentKid(alg) && !next;
    return next ? next.alg === alg : active.alg === alg;
  }

  function throwIfSealedElsewhere(): void {
    const foreign = records.find(({ kid }) => unreadable.has(kid) && unreadable.get(kid) !== "damage");
    if (!foreign) return;
    if (unreadable.get(foreign.kid) === "release") {
      throw new TypeError(`the store's key ${foreign.kid} was sealed by a newer Latchkey: run that release.`);
    }
    throw new TypeError(
      `the store's key ${foreign.kid} was sealed under another root secret (number ${secretNumberOf(foreign.sealed ?? "")}): ` +
        `give LATCHKEY_ROOT_SECRET (without one, JWT_SECRET_KEY) the value it had, or name that secret beside the new one, as in "2:newer 1:older"`,
    );
  }

  /** The kid that was last looked for in vain. */
  let missedKid: string | undefined;
  const keySet = set as unknown as KeySet<Key>;

  let askers = 0;
  let lookedAt = Number.NEGATIVE_INFINITY;
  const look = shareRuns(async () => {
    const pause = lookedAt + COOLDOWN - performance.now();
    if (pause > 0) await sleep(pause);
    lookedAt = performance.now();
    await catchUp();
  });

  return {
    catchUp: async () => {
      await catchUp();
      maintainSoon();
    },

    /** For signers and verifiers; it changes as the ring does. */
    keys: {
      kind: "local",
      signsElsewhere: false,
      get keys() {
        return keySet.keys;
      },
      get signingKey() {
        return keySet.signingKey;
      },
      get version() {
        return keySet.version;
      },
      find(kid) {
        const key = keySet.find(kid);
        if (!key) missedKid = kid;
        return key;
      },
      replace: keySet.replace,
    } satisfies KeySet<Key> as KeySet<Key>,

    /** Calls back when keys have come or gone. @returns how to stop. */
    onChange(listener: () => void): () => void {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },

    /**
     * After a token was refused: the kid that its verifier found no key for, if that may be one that this instance has
     * not heard of yet. A kid that is known to be retired or compromised is not.
     */
    takeMissedKid(): string | undefined {
      const kid = missedKid;
      missedKid = undefined;
      return records.some((record) => record.kid === kid && !isLive(record, system.now())) ? undefined : kid;
    },

    /**
     * Looks for a key in the store, for all who ask at once and at most five times a second: strangers may ask for anything.
     * @throws AuthError `secret_unknown` for a key that is there and can't be opened here, `busy`, `store_unavailable`.
     */
    async lookFor(kid: string): Promise<void> {
      if (askers >= MOST_ASKERS) throw new AuthError("busy", { reason: "too many tokens with unknown keys" });
      askers++;
      try {
        await look();
      } finally {
        askers--;
      }
      const isKnown = records.some((record) => record.kid === kid && isLive(record, system.now()));
      if (isKnown && !keySet.find(kid))
        throw new AuthError("secret_unknown", { reason: `key ${quote(kid)} can't be opened here` });
    },

    /** Makes sure that whatever is signed now is signed by the active key. @throws AuthError `secret_unknown`, `store_unavailable`. */
    async readyToSign(): Promise<void> {
      if (!isFresh()) await catchUp();
      const active = activeOf(records);
      if (!active || keySet.signingKey?.kid !== signingKid(active)) {
        throw new AuthError("secret_unknown", {
          reason: "the active key was sealed under a secret that is not known here",
        });
      }
    },

    /** All keys, also those that verify nothing any more, oldest first. */
    async list(): Promise<KeyInfo[]> {
      await catchUp();
      return records.map(toInfo);
    },

    /**
     * Makes the next key the active one.
     * @returns the active key.
     * @throws AuthError `input_invalid` where a secret signs, `busy` while the next key was not published for long enough.
     */
    async rotate({ from, ignoringLead = false }: RotateOptions = {}): Promise<KeyInfo> {
      if (from === undefined) await catchUp();
      const seen = from ?? activeOf(records)?.kid;
      await change(async (keys, now) => {
        const active = activeOf(keys);
        if (!active || active.kid !== seen) return [];
        const next = nextOf(keys);
        if (isSecretAlgorithm(active.alg) && !next) {
          throw new AuthError("input_invalid", {
            reason: "a secret is rotated by the configuration",
            detail: `${active.kid} is JWT_SECRET_KEY itself: give it a new secret beside the old one, as in "2:newer 1:older".`,
          });
        }
        const from = next && signsFrom(next, times);
        if (from !== undefined && now < from && !ignoringLead) {
          throw new AuthError("busy", {
            reason: "the next key was published too recently",
            detail: `The next key may sign in ${from - now} s, when everyone has seen it in the JWKS.`,
            retryAfter: from - now,
          });
        }
        return advance(keys, active, now);
      });
      const active = activeOf(records) as KeyRecord;
      if (active.kid !== seen) onEvent({ type: "key_active", kid: active.kid, alg: active.alg });
      return toInfo(active);
    },

    /**
     * Refuses whatever a key has signed, everywhere, from now on; if it was the active one, the next signs at once.
     * @returns the active key. @throws AuthError `not_found` for an unknown kid, `input_invalid` for the secret that signs.
     */
    async compromise(kid: string, note?: string): Promise<KeyInfo> {
      const isChanged = await change(async (keys, now) => {
        const record = keys.find((key) => key.kid === kid);
        if (!record)
          throw new AuthError("not_found", { reason: "no such key", detail: `There is no key ${quote(kid)}.` });
        if (record.state === "compromised") return [];
        if (record.state === "active" && isSecretAlgorithm(record.alg)) {
          throw new AuthError("input_invalid", {
            reason: "a secret is withdrawn by the configuration",
            detail: `${kid} is JWT_SECRET_KEY itself: set a new secret under a new number and leave the old one out.`,
          });
        }
        const close = queries.closeKey(kid, "compromised", note ?? null, now);
        const next = nextOf(keys);
        if (record.state === "next") return [close, await insertNew(record.alg as PairAlgorithm, "next", now)];
        if (record.state !== "active") return [close];
        const alg = (next ?? record).alg as PairAlgorithm;
        return [close, ...(await follow(next, alg, now))];
      });
      if (isChanged) onEvent({ type: "key_compromised", kid });
      return toInfo(activeOf(records) as KeyRecord);
    },

    /** The public keys, for `/.well-known/jwks.json`: the one that signs, the next, and those whose tokens still live. */
    jwks: (): Jwks => toJwks(keySet),

    /** Waits for the change under way; before the store is closed, or the lease would outlive its holder. */
    async close(): Promise<void> {
      isClosed = true;
      await lease.close();
      await maintaining;
    },
  };
}

function describe(
  { kid }: KeyRecord,
  { problem, secretNumber }: { problem: SealProblem; secretNumber?: number },
): string {
  if (problem === "damage") return `the material of key ${kid} is damaged`;
  if (problem === "release") return `key ${kid} was sealed by a newer release`;
  return `key ${kid} was sealed under secret number ${secretNumber}, which is another than the one here`;
}

const quote = (text: string) => JSON.stringify(text.slice(0, 60));
