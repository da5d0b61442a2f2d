/** Requests that no guard may let pass, each for one reason. They are made of a good token and, where that is the attack, of the right secret or key. */
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { rowOf } from "../jwt/algorithms.ts";
import { generateKey, type PrivateKey, type SecretKey, toPublicJwk, toPublicPem } from "../jwt/index.ts";
import { materialOf } from "../jwt/key.ts";
import type { TestClaims, TestIssuer } from "./test-issuer.ts";

export interface Attack {
  /** What got in, when it did. */
  readonly name: string;
  /** Header names in lower case; a list is sent as so many headers. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Put behind the path, such as "?access_token=…". */
  readonly query?: string;
}

const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

type SigningKey = SecretKey | PrivateKey;

/** Signs what no signer of ours would. */
function signatureOf(input: string, key: SigningKey): string {
  const row = rowOf(key.alg);
  const { keyObject } = materialOf(key);
  if (row.kind === "secret") return macOf(input, keyObject.export(), row.hash);
  return sign(row.hash, Buffer.from(input), { ...row.options, key: keyObject }).toString("base64url");
}

const macOf = (input: string, secret: string | Buffer, hash = "sha256"): string =>
  createHmac(hash, secret).update(input).digest("base64url");

export interface HostileOptions {
  /** Whom the tokens are of; default 1. */
  readonly user?: number | string;
  /** What the route asks for, in every token. */
  readonly claims?: TestClaims;
}

/** Some fifty. @param issuer holds the application's own secret or key. */
export function hostileRequests(issuer: TestIssuer, { user = 1, claims: asked = {} }: HostileOptions = {}): Attack[] {
  const { key, audience } = issuer;
  const now = issuer.system.now();
  const good = issuer.tokenFor(user, asked);
  const [head = "", body = "", mac = ""] = good.split(".");
  const header = { alg: key.alg, typ: "at+jwt", kid: key.kid };
  const claims = {
    ...{
      iss: issuer.issuer,
      aud: audience,
      sub: String(user),
      sid: "1",
      epoch: 0,
      typ: "at+jwt",
      jti: "j",
      iat: now,
      exp: now + 900,
    },
    ...asked,
  };
  /** Signed with the application's own key: only what it says is wrong. */
  const signed = (head: unknown, body: unknown, by = key): string => {
    const input = `${encode(head)}.${encode(body)}`;
    return `${input}.${signatureOf(input, by)}`;
  };
  /** With a MAC: by something that everybody knows, or by another hash. */
  const withMac = (alg: string, by: string | Buffer, hash?: string): string => {
    const input = `${encode({ ...header, alg })}.${encode(claims)}`;
    return `${input}.${macOf(input, by, hash)}`;
  };
  const without = (name: keyof typeof claims) =>
    Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = publicKey.export({ type: "spki", format: "pem" });
  const jwk = publicKey.export({ format: "jwk" });
  // Of an application with a key pair, its own public key is what everybody knows (CVE-2016-5431).
  const known = key.type === "private" ? { pem: toPublicPem(key), jwk: toPublicJwk(key) } : { pem, jwk };
  const byOwnKey = (head: object) => {
    const input = `${encode({ ...head, alg: "RS256" })}.${encode(claims)}`;
    return `${input}.${sign("sha256", Buffer.from(input), privateKey).toString("base64url")}`;
  };
  /** What the key signed, said to be by another algorithm; of a secret, by another hash. */
  function otherAlg(): string {
    const [alg, hash] = key.alg === "HS512" ? ["HS256", "sha256"] : ["HS512", "sha512"];
    if (key.type === "secret") return withMac(alg as string, materialOf(key).keyObject.export(), hash);
    return signed({ ...header, alg: key.alg === "ES256" ? "RS256" : "ES256" }, claims);
  }
  const flipped = mac.slice(0, -2) + (mac.at(-2) === "A" ? "B" : "A") + mac.at(-1);
  const tokens: Readonly<Record<string, string>> = {
    "no signature, alg none": `${encode({ ...header, alg: "none" })}.${body}.`,
    "alg none with the old signature": `${encode({ ...header, alg: "none" })}.${body}.${mac}`,
    "alg NONE": `${encode({ ...header, alg: "NONE" })}.${body}.`,
    "alg empty": `${encode({ ...header, alg: "" })}.${body}.`,
    "alg missing": signed({ typ: "at+jwt", kid: key.kid }, claims),
    "another alg than the key's": otherAlg(),
    "another key": signed(header, claims, generateKey(key.alg)),
    "an empty secret": withMac("HS256", ""),
    "a public key as secret": withMac("HS256", known.pem),
    "a public key as secret (JWK)": withMac("HS256", JSON.stringify(known.jwk)),
    "a signature of zeros": `${head}.${body}.${"A".repeat(mac.length)}`,
    "a key in the header (jwk)": byOwnKey({ typ: "at+jwt", jwk }),
    "an address of keys in the header (jku)": byOwnKey({ typ: "at+jwt", jku: "https://attacker.example/keys" }),
    "a certificate in the header (x5c)": byOwnKey({ typ: "at+jwt", x5c: [pem] }),
    "an unknown kid": signed({ ...header, kid: "unknown" }, claims),
    "a kid that is a path": signed({ ...header, kid: "../../dev/null" }, claims),
    "a critical extension (crit)": signed({ ...header, crit: ["exp"] }, claims),
    "unencoded claims (b64)": signed({ ...header, b64: false }, claims),
    "compressed claims (zip)": signed({ ...header, zip: "DEF" }, claims),
    "a signature with one letter changed": `${head}.${body}.${flipped}`,
    "a signature cut short": `${head}.${body}.${mac.slice(0, -4)}`,
    "a signature with more behind it": `${good}AA`,
    "no signature": `${head}.${body}.`,
    "claims of somebody else": `${head}.${encode({ ...claims, sub: `${user}0` })}.${mac}`,
    "four parts": `${good}.${mac}`,
    padding: `${good}=`,
    "white space in it": `${head}.\t${body}.${mac}`,
    expired: signed(header, { ...claims, iat: now - 7200, exp: now - 3600 }),
    "no exp": signed(header, without("exp")),
    "exp null": signed(header, { ...claims, exp: null }),
    "exp as text": signed(header, { ...claims, exp: String(now + 900) }),
    "exp infinite": signed(header, JSON.stringify(claims).replace(`"exp":${now + 900}`, '"exp":1e999')),
    "valid for ten years": signed(header, { ...claims, exp: now + 315_360_000 }),
    "from the future (iat)": signed(header, { ...claims, iat: now + 600, exp: now + 900 }),
    "not yet valid (nbf)": signed(header, { ...claims, nbf: now + 600 }),
    "another issuer": signed(header, { ...claims, iss: "https://attacker.example" }),
    "no issuer": signed(header, without("iss")),
    "another audience": signed(header, { ...claims, aud: "somebody else" }),
    "no audience": signed(header, without("aud")),
    "no subject": signed(header, without("sub")),
    "a subject that is no text": signed(header, { ...claims, sub: { $ne: null } }),
    "a token of another kind (typ)": signed({ ...header, typ: "rt+jwt" }, { ...claims, typ: "rt+jwt" }),
    "two values for one name": signed(header, `${JSON.stringify(claims).slice(0, -1)},"sub":"2"}`),
    "claims that are no object": signed(header, "7"),
    "9 KiB": signed(header, { ...claims, more: "x".repeat(9000) }),
    garbage: "garbage",
  };
  return [
    ...Object.entries(tokens).map(([name, token]) => ({ name, headers: { authorization: `Bearer ${token}` } })),
    { name: "no credential", headers: {} },
    { name: "an empty one", headers: { authorization: "Bearer " } },
    { name: "another scheme", headers: { authorization: `Basic ${good}` } },
    { name: "a good token in the URL", headers: {}, query: `?access_token=${good}` },
    { name: "a good token in the URL, by another name", headers: {}, query: `?token=${good}` },
    { name: "two Authorization headers", headers: { authorization: [`Bearer ${good}`, `Bearer ${good}`] } },
  ];
}
