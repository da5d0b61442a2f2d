/**
 * The keys of another issuer, fetched from its JWKS URL and kept.
 * Tokens are verified with the keys that are here; fetching goes on beside it. Keys that grow old are renewed while they still serve, an unknown
 * `kid` asks for newer ones but not more often than the cool-down allows (else strangers could make us fetch), fetches never run side by side, and when
 * one fails the old keys go on serving, for a time. The URL is the one that was configured: nothing in a token leads anywhere (RFC 8725 §3.10).
 */
import { AuthError } from "../errors.ts";
import { type OptionNames, refuseUnknownOptions } from "../known-options.ts";
import { type Duration, parseDuration, realSystem, type System } from "../system.ts";
import type { PairAlgorithm } from "./algorithms.ts";
import { brieflyWhy, fetchJson, readLocation, toError } from "./fetch-json.ts";
import type { PublicKey } from "./key.ts";
import { readJwks, readTrustedAlgorithms } from "./read-jwks.ts";

export interface RemoteKeySetOptions {
  /** What this issuer is trusted to sign with. */
  readonly algorithms: readonly PairAlgorithm[];
  /** How old keys may be before they are renewed in the background. Default 10 min. */
  readonly maxAge?: Duration;
  /** How long keys serve that can't be renewed. Default 24 h. A key that the issuer withdrew is believed that long by us at most. */
  readonly maxStale?: Duration;
  /** The least time between two fetches for unknown kids or after failures. Default 30 s. */
  readonly cooldown?: Duration;
  /** How long one fetch may take. Default 5 s. */
  readonly timeout?: Duration;
  /** Fetches over plain HTTP too: whoever is on the way can then replace the keys. Default false. */
  readonly allowInsecureHttp?: boolean;
  /** Told why a fetch failed, for logs. */
  readonly onFailure?: (cause: Error) => void;
  readonly fetch?: typeof globalThis.fetch;
  readonly system?: Pick<System, "monotonic">;
}

export interface RemoteKeySet {
  readonly kind: "remote";
  readonly url: string;
  /** The keys that are here now; none before the first fetch. */
  readonly keys: readonly PublicKey[];
  /** Grows whenever the keys change. */
  readonly version: number;
  /** The key of that name among those that are here; for `undefined` the only one. */
  find(kid: string | undefined): PublicKey | undefined;
  /**
   * Makes sure that there are keys to verify with, and renews old ones in the background.
   * @returns `undefined` when there are; otherwise a promise, which rejects with AuthError `secret_unknown` (503) when none can be had.
   */
  ready(): Promise<void> | undefined;
  /** Fetches newer keys for a `kid` that is unknown, unless it has just been done. @returns whether the keys have changed. */
  lookAgain(): Promise<boolean>;
}

/** Bytes of a key set: 64 RSA keys with their certificates. */
const MAX_DOCUMENT_SIZE = 256 * 1024;
const JWKS_HEADERS = { accept: "application/jwk-set+json, application/json" };

const OPTIONS = {
  algorithms: true,
  maxAge: true,
  maxStale: true,
  cooldown: true,
  timeout: true,
  allowInsecureHttp: true,
  onFailure: true,
  fetch: true,
  system: true,
} as const satisfies OptionNames<RemoteKeySetOptions>;

/**
 * Makes a remote key set. Nothing is fetched before it is needed.
 * @param url of the JWKS document; https.
 * @throws TypeError naming the argument that is missing, mistyped, out of bounds or not known.
 */
export function createRemoteKeySet(url: string | URL, options: RemoteKeySetOptions): RemoteKeySet {
  refuseUnknownOptions(options, OPTIONS, "createRemoteKeySet");
  const location = readLocation(url, "a remote key set", options.allowInsecureHttp === true);
  const algorithms = readTrustedAlgorithms(options.algorithms);
  const milliseconds = (duration: Duration, name: string): number => parseDuration(duration, name) * 1000;
  const maxAge = milliseconds(options.maxAge ?? "10m", "maxAge");
  const maxStale = milliseconds(options.maxStale ?? "24h", "maxStale");
  const cooldown = milliseconds(options.cooldown ?? "30s", "cooldown");
  const timeout = milliseconds(options.timeout ?? "5s", "timeout");
  const { fetch = globalThis.fetch, system = realSystem, onFailure } = options;

  let keys: readonly PublicKey[] = [];
  let text = "";
  let version = 0;
  /** Both by the monotonic clock: when a fetch last succeeded, and when one was last begun. */
  let renewedAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;
  /** Why the last fetch failed; `undefined` when it did not. */
  let failure: Error | undefined;

  async function renew(): Promise<void> {
    try {
      const document = await fetchJson(location, { fetch, timeout, maxSize: MAX_DOCUMENT_SIZE, headers: JWKS_HEADERS });
      const newText = JSON.stringify(document);
      if (newText !== text) {
        keys = readJwks(document, algorithms);
        text = newText;
        version++;
      }
      renewedAt = system.monotonic();
      failure = undefined;
    } catch (thrown) {
      failure = toError(thrown);
      report(failure);
    }
  }

  function report(cause: Error): void {
    try {
      onFailure?.(cause);
    } catch {
      // A log that fails must not fail the verification that waits for the keys.
    }
  }

  /** Fetches, once however many ask; during the cool-down not at all. */
  function renewSoon(): Promise<void> {
    if (running) return running;
    if (system.monotonic() - triedAt < cooldown) return Promise.resolve();
    triedAt = system.monotonic();
    running = renew().finally(() => {
      running = undefined;
    });
    return running;
  }

  const age = (): number => system.monotonic() - renewedAt;

  return Object.freeze({
    kind: "remote" as const,
    url: location.href,
    get keys() {
      return keys;
    },
    get version() {
      return version;
    },
    find: (kid: string | undefined) => (kid === undefined ? onlyOne(keys) : keys.find((key) => key.kid === kid)),
    ready() {
      if (age() <= maxAge) return undefined;
      const renewal = renewSoon();
      if (age() <= maxStale) return undefined;
      return renewal.then(() => {
        if (age() <= maxStale) return;
        const why = failure === undefined ? "" : `: ${brieflyWhy(failure)}`;
        throw new AuthError("secret_unknown", { reason: `no keys from ${location.host}${why}`, cause: failure });
      });
    },
    async lookAgain() {
      const before = version;
      await renewSoon();
      return version !== before;
    },
  });
}

function onlyOne(keys: readonly PublicKey[]): PublicKey | undefined {
  return keys.length === 1 ? keys[0] : undefined;
}
