/** Claims, as they are returned once they have been verified (RFC 7519 §4). */

/** The claims of a verified token. They inherit nothing: a name that the token did not carry is `undefined`. */
export interface Claims {
  /** Absent only where the verifier was told `NO_ISSUER`. */
  readonly iss?: string;
  /** Absent only where the verifier was told `NO_AUDIENCE`. */
  readonly aud?: string | readonly string[];
  readonly sub: string;
  /** Seconds since 1970. */
  readonly exp: number;
  readonly iat: number;
  readonly nbf?: number;
  readonly jti?: string;
  readonly [name: string]: unknown;
}

/** The names that RFC 7519 §4.1 registers. They mean the same in every token, so an application can't give them another meaning. */
export const REGISTERED_NAMES: ReadonlySet<string> = new Set(["iss", "sub", "aud", "exp", "nbf", "iat", "jti"]);

/** Says loudly that tokens carry no `aud`, for verifiers that can't take one (PyJWT without `audience=` refuses it). A token with `aud` is refused. */
export const NO_AUDIENCE: unique symbol = Symbol("tokens carry no aud");

/** Says loudly that tokens carry no `iss`, as those of the services we replace. A token with `iss` is refused. */
export const NO_ISSUER: unique symbol = Symbol("tokens carry no iss");

/** Says loudly that the header's `typ` is absent or "JWT", so that nothing tells this kind of token from another (RFC 8725 §3.11). */
export const UNTYPED: unique symbol = Symbol("tokens carry no typ but JWT");

/**
 * An object without inherited members, as `Object.create(null)` makes one, but of a kind that V8 keeps in its fast form: its prototype is empty and
 * frozen, and inherits nothing. Reading a claim that is absent can then never find what somebody put on `Object.prototype`.
 */
class Bag {
  [name: string]: unknown;
}
Reflect.deleteProperty(Bag.prototype, "constructor");
Object.freeze(Object.setPrototypeOf(Bag.prototype, null));

/** An empty object that inherits nothing. */
export function createBag(): Record<string, unknown> {
  return new Bag();
}

/** Copies an object's members into one that inherits nothing. */
export function withoutPrototype(members: object): Record<string, unknown> {
  const bag = createBag();
  for (const [name, member] of Object.entries(members)) bag[name] = member;
  return bag;
}

/** True for arrays, and for objects of no class, of whichever realm. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Freezes a value and everything in it, also below what was frozen before. A schema may have put more there than JSON holds.
 * @returns whether nobody can change anything of it now. A Date, a Map, bytes or an object of a class can be changed frozen or not: what holds one is
 *   for one caller only.
 */
export function deepFreeze(value: unknown, seen = new Set<unknown>()): boolean {
  if (typeof value === "function") return false;
  // What is met again, as in a circle, has been judged where it was met first.
  if (typeof value !== "object" || value === null || seen.has(value)) return true;
  if (!isPlain(value)) return false;
  seen.add(value);
  Object.freeze(value);
  let isFixed = true;
  for (const member of Object.values(value)) isFixed = deepFreeze(member, seen) && isFixed;
  return isFixed;
}
