/** What hostile tokens are made with: a good token to take apart, and signatures that no signer of ours would make. */
import { createHmac, sign } from "node:crypto";
import { rowOf } from "../jwt/algorithms.ts";
import type { PrivateKey, SecretKey } from "../jwt/index.ts";
import { materialOf } from "../jwt/key.ts";
import type { TestClaims, TestIssuer } from "./test-issuer.ts";

type SigningKey = SecretKey | PrivateKey;
type Members = Readonly<Record<string, unknown>>;

export interface Forge {
  readonly issuer: TestIssuer;
  readonly now: number;
  readonly good: string;
  readonly header: Members;
  readonly claims: Members;
  /** Signed, with the application's own key unless said otherwise. A part that is a text is taken as it is. */
  signed(header: Members, claims: Members | string, key?: SigningKey): string;
  /** The claims with a MAC by something that everybody knows. */
  withMac(secret: string | Buffer, header?: Members): string;
  /** The claims with the MAC of the application's secret by another hash; of a key pair, its signature under another name. */
  withOtherAlg(): string;
}

export function createForge(issuer: TestIssuer, user: number | string, asked: TestClaims): Forge {
  const { key } = issuer;
  const now = issuer.system.now();
  const header = { alg: key.alg, typ: "at+jwt", kid: key.kid };
  const own = { iss: issuer.issuer, aud: issuer.audience, sub: String(user), sid: "1", epoch: 0, typ: "at+jwt" };
  const claims = { ...own, jti: "j", iat: now, exp: now + 900, ...asked };
  const signed: Forge["signed"] = (head, body, by = key) => {
    const input = `${encode(head)}.${encode(body)}`;
    return `${input}.${signatureOf(input, by)}`;
  };
  return {
    ...{ issuer, now, header, claims, signed },
    good: issuer.tokenFor(user, asked),
    withMac(secret, more = {}) {
      // By the hash of the application's own secret, where it has one: it may take no other.
      const alg = key.type === "secret" ? key.alg : "HS256";
      const input = `${encode({ ...header, alg, ...more })}.${encode(claims)}`;
      return `${input}.${macOf(input, secret, rowOf(alg).hash as string)}`;
    },
    withOtherAlg() {
      if (key.type !== "secret") return signed({ ...header, alg: key.alg === "ES256" ? "RS256" : "ES256" }, claims);
      const alg = key.alg === "HS512" ? "HS256" : "HS512";
      const input = `${encode({ ...header, alg })}.${encode(claims)}`;
      return `${input}.${macOf(input, materialOf(key).keyObject.export(), rowOf(alg).hash as string)}`;
    },
  };
}

export const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

export const without = (members: Members, name: string): Members =>
  Object.fromEntries(Object.entries(members).filter(([key]) => key !== name));

function signatureOf(input: string, key: SigningKey): string {
  const row = rowOf(key.alg);
  const { keyObject } = materialOf(key);
  if (row.kind === "secret") return macOf(input, keyObject.export(), row.hash);
  return sign(row.hash, Buffer.from(input), { ...row.options, key: keyObject }).toString("base64url");
}

const macOf = (input: string, secret: string | Buffer, hash: string): string =>
  createHmac(hash, secret).update(input).digest("base64url");
