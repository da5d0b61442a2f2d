/**
 * Key sets: which keys verify, and which one signs.
 * A token names its key by `kid`, which is looked up among the keys that were given here and nowhere else: no file, no URL, no header member is
 * ever a source of keys (RFC 8725 §3.10).
 */
import { toPublicJwk } from "./export-key.ts";
import { ExternalKey } from "./external-key.ts";
import type { Jwks } from "./jwk.ts";
import { Key, type PrivateKey, type PublicKey } from "./key.ts";

export interface KeySetOptions {
  /** The `kid` of the key that signs. By default the first key that can. */
  readonly signWith?: string;
  /**
   * The `kid` of the key that verifies tokens without one. By default such tokens are verified by the only key of the set, and refused where there
   * are several.
   */
  readonly withoutKid?: string;
}

/** Keys that this process holds, or of which it holds the public half. `Member` decides whether signing answers at once or with promises. */
export interface KeySet<Member extends Key | ExternalKey = Key | ExternalKey> {
  readonly kind: "local";
  /** The keys that verify, in the order in which they were given. */
  readonly keys: readonly Key[];
  /** The key that new tokens are signed with, if any of them can sign. */
  readonly signingKey: Member | undefined;
  /** Whether a key was among the first that is elsewhere: signers made of the set then answer with promises. */
  readonly signsElsewhere: boolean;
  /** Grows whenever the keys change. */
  readonly version: number;
  /** The key of that name, or for `undefined` the key of tokens that name none. */
  find(kid: string | undefined): Key | undefined;
  /**
   * Changes the keys, for every signer and verifier that uses this set, from their next call on. A key that is left out is refused from then on.
   * @throws TypeError as `createKeySet` does, and for a key that is elsewhere where none was before; the set is then as it was.
   */
  replace(keys: readonly Member[], options?: KeySetOptions): void;
}

/**
 * Makes a key set.
 * @param keys at least one. During a rotation: the new key first, then those whose tokens are still alive.
 * @throws TypeError when there is no key, two have the same `kid`, or an option names a key that is not there or can't sign.
 */
export function createKeySet<Member extends Key | ExternalKey>(
  keys: readonly Member[],
  options?: KeySetOptions,
): KeySet<Member> {
  let state = index(keys, options);
  let version = 1;
  const isExternal = (member: Member): boolean => member instanceof ExternalKey;
  const signsElsewhere = keys.some(isExternal);
  return Object.freeze({
    kind: "local" as const,
    signsElsewhere,
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
    replace(newKeys: readonly Member[], newOptions?: KeySetOptions) {
      const newState = index(newKeys, newOptions);
      if (!signsElsewhere && newKeys.some(isExternal)) {
        throw new TypeError("signers of this set answer at once, which an external key can't: make another set");
      }
      state = newState;
      version++;
    },
  });
}

/**
 * The document for `/.well-known/jwks.json`: public members only. Secrets are left out, because whoever knows one can sign.
 * @param keys a set, or keys of which some may be no longer or not yet in use.
 */
export function toJwks(keys: Pick<KeySet, "keys">): Jwks {
  const isPair = (key: Key): key is PrivateKey | PublicKey => key.type !== "secret";
  return { keys: keys.keys.filter(isPair).map(toPublicJwk) };
}

interface Index<Member> {
  readonly keys: readonly Key[];
  readonly byKid: ReadonlyMap<string, Key>;
  readonly signingKey: Member | undefined;
  readonly withoutKid: Key | undefined;
}

function index<Member extends Key | ExternalKey>(
  members: readonly Member[],
  options: KeySetOptions = {},
): Index<Member> {
  if (!Array.isArray(members) || members.length === 0) throw new TypeError("a key set needs at least one key");
  const byKid = new Map<string, Key>();
  for (const member of members as readonly Member[]) {
    if (!(member instanceof Key || member instanceof ExternalKey)) {
      throw new TypeError("a key set is made of keys: use importKey, generateKey or createExternalKey");
    }
    if (byKid.has(member.kid))
      throw new TypeError(`two keys have the kid ${JSON.stringify(member.kid)}: give each its own`);
    byKid.set(member.kid, member instanceof ExternalKey ? member.publicKey : member);
  }
  const named = (kid: string, option: string): void => {
    if (!byKid.has(kid)) throw new TypeError(`${option} is ${JSON.stringify(kid)}, and no key has that kid`);
  };
  const { signWith, withoutKid } = options;
  if (signWith !== undefined) named(signWith, "signWith");
  if (withoutKid !== undefined) named(withoutKid, "withoutKid");
  const signingKey = members.find((member) => (signWith === undefined ? member.canSign : member.kid === signWith));
  if (signingKey?.canSign === false) throw new TypeError("signWith names a public key, and only a private one signs");
  const keys = Object.freeze([...byKid.values()]);
  const onlyKey = keys.length === 1 ? keys[0] : undefined;
  return { keys, byKid, signingKey, withoutKid: withoutKid === undefined ? onlyKey : byKid.get(withoutKid) };
}
