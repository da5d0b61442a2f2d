/**
 * Which key a token is to be checked with. Its header only names one of ours; the key says which algorithm is used, and the header has to agree
 * (RFC 8725 §3.1).
 */
import { encodeHeader, readHeader } from "./header.ts";
import type { Key } from "./key.ts";
import type { Policy } from "./policy.ts";
import { quote } from "./refusal.ts";

/** Where keys are found. */
export interface KeyLookup {
  readonly keys: readonly Key[];
  /** Grows whenever the keys change. */
  readonly version: number;
  /** The key of that name, or for `undefined` the key of tokens that name none. */
  find(kid: string | undefined): Key | undefined;
}

/** A header that is known by sight. */
export interface KnownHeader {
  /** Encoded, with its dot. */
  readonly text: string;
  readonly key: Key;
}

export interface KeyFinder {
  /** The version of the keys that it was made of. */
  readonly version: number;
  /** The known header that a token begins with. */
  bySight(token: string): KnownHeader | undefined;
  /** The key that an encoded header names, or why there is none. */
  byReading(header: string): Key | string;
  /** Notes a header, encoded and with its dot, of a token whose signature was good. */
  remember(header: string, key: Key): void;
}

/** More than any sensible key set has keys. */
const MAX_KNOWN_HEADERS = 16;

/**
 * Makes a finder for the keys as they are now. Our own signer writes one header for a key, so comparing texts is enough for the tokens of every day:
 * ten times cheaper than parsing. Others are added only after a signature under them was good, so strangers can't fill the list.
 */
export function createKeyFinder(keys: KeyLookup, { typs, typName }: Policy): KeyFinder {
  const known: KnownHeader[] = [];

  function remember(header: string, key: Key): void {
    if (known.length >= MAX_KNOWN_HEADERS) return;
    // Through bytes, because a text that was cut or put together is compared ten times slower than one in one piece.
    known.push({ text: Buffer.from(header).toString("latin1"), key });
  }

  const [typ] = typs;
  if (typ !== undefined) {
    for (const key of keys.keys) remember(`${encodeHeader(key.alg, typ, key.kid)}.`, key);
  }

  return {
    version: keys.version,
    remember,
    bySight(token) {
      for (const header of known) {
        if (token.substring(0, header.text.length) === header.text) return header;
      }
      return undefined;
    },
    byReading(encoded) {
      const header = readHeader(encoded);
      if (header.problem !== undefined) return `the header ${header.problem}`;
      if (!typs.includes(header.typ)) return `typ is ${quote(header.typ)}, not ${typName}`;
      const key = keys.find(header.kid);
      if (!key)
        return header.kid === undefined
          ? "kid is missing, and no key is for such tokens"
          : `kid ${quote(header.kid)} is unknown`;
      if (header.alg !== key.alg) return `alg is ${quote(header.alg)}, and key ${quote(key.kid)} is for ${key.alg}`;
      return key;
    },
  };
}
