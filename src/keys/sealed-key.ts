/**
 * Keys at rest: AES-256-GCM under a key derived from the root secret, so that who steals the database signs nothing.
 * `1.<secret number>.<check>.<nonce, ciphertext and tag>`: the check tells another root secret from damage, and the key's
 * name and algorithm are authenticated with it, so that no row can be passed off as another. Public halves are sealed as
 * well: who writes to the database could otherwise have a key of their own trusted. (NIST SP 800-38D)
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import type { Jwk } from "../jwt/jwk.ts";
import type { NumberedKeys } from "../secrets.ts";

/** What the material of a row turned out to be. */
export type Opened =
  | { readonly jwk: Jwk }
  /**
   * "secret": it was sealed under a secret that is not known here. "release": in a form that a newer release may know.
   * "damage": it is not what was sealed.
   */
  | { readonly problem: SealProblem; readonly secretNumber?: number };

export type SealProblem = "secret" | "release" | "damage";

const VERSION = "1";
const NONCE_SIZE = 12;
const TAG_SIZE = 16;
const CHECK_SIZE = 9;

/** Seals a key under the current secret. */
export function sealKey(jwk: Jwk, name: { readonly kid: string; readonly alg: string }, keys: NumberedKeys): string {
  const key = keys.byNumber.get(keys.current) as Uint8Array;
  const nonce = randomBytes(NONCE_SIZE);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(toAad(name));
  const body = Buffer.concat([nonce, cipher.update(JSON.stringify(jwk), "utf8"), cipher.final(), cipher.getAuthTag()]);
  return [VERSION, keys.current, checkOf(key), body.toString("base64url")].join(".");
}

export function openKey(
  sealed: string,
  name: { readonly kid: string; readonly alg: string },
  keys: NumberedKeys,
): Opened {
  const [version, number, check, body, ...rest] = sealed.split(".");
  if (version !== VERSION && /^[1-9]\d{0,3}$/.test(version ?? "")) return { problem: "release" };
  if (version !== VERSION || body === undefined || rest.length > 0) return { problem: "damage" };
  const key = keys.byNumber.get(Number(number));
  if (!key || check !== checkOf(key)) return { problem: "secret", secretNumber: Number(number) };
  const bytes = Buffer.from(body, "base64url");
  if (bytes.length <= NONCE_SIZE + TAG_SIZE) return { problem: "damage" };
  try {
    const cipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_SIZE), { authTagLength: TAG_SIZE });
    cipher.setAAD(toAad(name)).setAuthTag(bytes.subarray(-TAG_SIZE));
    const text = Buffer.concat([cipher.update(bytes.subarray(NONCE_SIZE, -TAG_SIZE)), cipher.final()]);
    return { jwk: JSON.parse(text.toString("utf8")) as Jwk };
  } catch {
    return { problem: "damage" };
  }
}

/** The number of the secret that a row was sealed under. */
export const secretNumberOf = (sealed: string): number => Number(sealed.split(".")[1]);

const toAad = ({ kid, alg }: { readonly kid: string; readonly alg: string }) =>
  Buffer.from(`latchkey key ${alg} ${kid}`);

const checkOf = (key: Uint8Array) =>
  createHmac("sha256", key).update("latchkey key check").digest().subarray(0, CHECK_SIZE).toString("base64url");
