/**
 * Key sets: which keys verify, and which one signs.
 * A token names its key by `kid`, which is looked up among the keys that were given here and nowhere else: no file, no URL, no header member is
 * ever a source of keys (RFC 8725 §3.10).
 */
import { Key } from "./key.ts";

export interface KeySetOptions {
  /** The `kid` of the key that signs. By default the first key that can. */
  readonly signWith?: string;
  /**
   * The `kid` of the key that verifies tokens without one. By default such tokens are verified by the only key of the set, and refused where there
   * are several.
   */
  readonly withoutKid?: string;
}

/** Keys that are held by this process. */
export interface KeySet {
  readonly kind: "local";
  readonly keys: readonly Key[];
  /** The key that new tokens are signed with, if any of them can sign. */
  readonly signingKey: Key | undefined;
  /** Grows whenever the keys change. */
  readonly version: number;
  /** The key of that name, or for `undefined` the key of tokens that name none. */
  find(kid: string | undefined): Key | undefined;
  /**
   * Changes the keys, for every signer and verifier that uses this set, from their next call on. A key that is left out is refused from then on.
   * @throws TypeError as `createKeySet` does; the set is then as it was.
   */
  replace(keys: readonly Key[], options?: KeySetOptions): void;
}

/**
 * Makes a key set.
 * @param keys at least one. During a rotation: the new key first, then those whose tokens are still alive.
 * @throws TypeError when there is no key, two have the same `kid`, or an option names a key that is not there or can't sign.
 */
export function createKeySet(keys: readonly Key[], options?: KeySetOptions): KeySet {
  let state = index(keys, options);
  let version = 1;
  return Object.freeze({
    kind: "local" as const,
    get keys() {
      return state.keys;
    },
    get signingKey() {
      return state.signingKey;
    },
    get version() {
      return version;
    },
    find: (kid: string | undefined) => (kid === undefined ? state.withoutKid : state.byKid.get(kid)),
    replace(newKeys: readonly Key[], newOptions?: KeySetOptions) {
      state = index(newKeys, newOptions);
      version++;
    },
  });
}

interface Index {
  readonly keys: readonly Key[];
  readonly byKid: ReadonlyMap<string, Key>;
  readonly signingKey: Key | undefined;
  readonly withoutKid: Key | undefined;
}

function index(keys: readonly Key[], options: KeySetOptions = {}): Index {
  if (!Array.isArray(keys) || keys.length === 0) throw new TypeError("a key set needs at least one key");
  const byKid = new Map<string, Key>();
  for (const key of keys as readonly Key[]) {
    if (!(key instanceof Key)) throw new TypeError("a key set is made of keys: use importKey or generateKey");
    if (byKid.has(key.kid)) throw new TypeError(`two keys have the kid ${JSON.stringify(key.kid)}: give each its own`);
    byKid.set(key.kid, key);
  }
  const named = (kid: string): Key => {
    const key = byKid.get(kid);
    if (!key) throw new TypeError(`no key has the kid ${JSON.stringify(kid)}`);
    return key;
  };
  const signingKey = options.signWith === undefined ? keys.find((key) => key.canSign) : named(options.signWith);
  if (signingKey?.canSign === false) throw new TypeError("signWith names a public key, and only a private one signs");
  const onlyKey = keys.length === 1 ? keys[0] : undefined;
  const withoutKid = options.withoutKid === undefined ? onlyKey : named(options.withoutKid);
  return { keys: Object.freeze([...keys]), byKid, signingKey, withoutKid };
}
