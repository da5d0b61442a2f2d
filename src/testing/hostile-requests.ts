/** Requests that no guard may let pass, each for one reason. They are made of a good token and, where that is the attack, of the right secret or key. */
import { createPublicKey } from "node:crypto";
import { generateKey, toPublicJwk, toPublicPem } from "../jwt/index.ts";
import { materialOf } from "../jwt/key.ts";
import { type Attacker, createAttacker, TLS } from "./attacker.ts";
import { createForge, encode, type Forge, without } from "./forge.ts";
import type { TestClaims, TestIssuer } from "./test-issuer.ts";

/**
 * What it means when an attack is let pass. `entry`: somebody gets in who must not, with a token that anybody can make, or that an honest issuer signs for
 * another time, service, person or purpose. `strictness`: the application is laxer than RFC 8725 and RFC 6750 ask, and by this alone nobody gets in, since
 * only the holder of a good token or of the key can make such a one.
 */
export type Severity = "entry" | "strictness";

export interface Attack {
  /** What got in, when it did. */
  readonly name: string;
  readonly severity: Severity;
  /** Header names in lower case; a list is sent as so many headers. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Put behind the path, such as "?access_token=…". */
  readonly query?: string;
}

/** An attack whose token names an address, which the application must not ask. */
export interface Lure extends Attack {
  /** The first segment of its path, or `TLS`. */
  readonly lure?: string;
}

export interface HostileOptions {
  /** Whom the tokens are of; default 1. */
  readonly user?: number | string;
  /** What the route asks for, in every token. */
  readonly claims?: TestClaims;
}

type Tokens = Readonly<Record<string, string>>;

/** Some eighty. @param issuer holds the application's own secret or key. */
export function hostileRequests(issuer: TestIssuer, options: HostileOptions = {}): Attack[] {
  return attacksOn(issuer, createAttacker(issuer.key), options);
}

/** The same by an attacker whom the application can reach. */
export function attacksOn(issuer: TestIssuer, attacker: Attacker, options: HostileOptions): Lure[] {
  const { user = 1, claims = {} } = options;
  const forge = createForge(issuer, user, claims);
  const bearer = (severity: Severity, tokens: Tokens): Lure[] =>
    Object.entries(tokens).map(([name, token]) => ({ name, severity, headers: { authorization: `Bearer ${token}` } }));
  return [
    // The times first: what is not valid for two minutes is, two minutes later.
    ...bearer("entry", timeAttacks(forge)),
    ...bearer("entry", signatureAttacks(forge)),
    ...bearer("entry", keyAttacks(forge, attacker)),
    ...lures(forge, attacker),
    ...bearer("entry", claimAttacks(forge)),
    ...bearer("strictness", laxTokens(forge)),
    ...otherRequests(forge),
  ];
}

function timeAttacks({ now, header, claims, signed }: Forge): Tokens {
  return {
    "not yet valid for two minutes (nbf)": signed(header, { ...claims, nbf: now + 120 }),
    "not yet valid (nbf)": signed(header, { ...claims, nbf: now + 600 }),
    "expired two minutes ago": signed(header, { ...claims, iat: now - 900, exp: now - 120 }),
    expired: signed(header, { ...claims, iat: now - 7200, exp: now - 3600 }),
    "no exp": signed(header, without(claims, "exp")),
    "exp null": signed(header, { ...claims, exp: null }),
    "exp as text": signed(header, { ...claims, exp: String(now + 900) }),
  };
}

function signatureAttacks({ good, header, claims }: Forge): Tokens {
  const [head = "", body = "", mac = ""] = good.split(".");
  const withAlg = (alg: string, signature = "") => `${encode({ ...header, alg })}.${body}.${signature}`;
  const flipped = mac.slice(0, -2) + (mac.at(-2) === "A" ? "B" : "A") + mac.at(-1);
  return {
    "no signature, alg none": withAlg("none"),
    "alg none with the old signature": withAlg("none", mac),
    "alg NONE": withAlg("NONE"),
    "alg nOnE": withAlg("nOnE"),
    "alg empty": withAlg(""),
    "no signature": `${head}.${body}.`,
    "a signature of zeros": `${head}.${body}.${"A".repeat(mac.length)}`,
    "a signature with one letter changed": `${head}.${body}.${flipped}`,
    "a signature cut short": `${head}.${body}.${mac.slice(0, -4)}`,
    "a signature without its last letter": `${head}.${body}.${mac.slice(0, -1)}`,
    "claims of somebody else": `${head}.${encode({ ...claims, sub: `${claims.sub}0` })}.${mac}`,
    garbage: "garbage",
  };
}

/** Signed with what the attacker has or knows: an application that takes one has let the token say how it is verified. */
function keyAttacks(forge: Forge, attacker: Attacker): Tokens {
  const { issuer, header, claims, signed, withMac } = forge;
  const { key, jwk, certificate } = attacker;
  const byAttacker = (members: object) => signed({ alg: key.alg, typ: "at+jwt", ...members }, claims, key);
  const x5c = [certificate.toString("base64")];
  const { kid } = issuer.key;
  // Enough to get to the root from any folder.
  const root = "../".repeat(16);
  return {
    "another key": signed(header, claims, generateKey(issuer.key.alg)),
    "an empty secret": withMac(""),
    "an empty secret, and no kid": withMac("", { kid: undefined }),
    ...publicKeyMacs(forge, attacker),
    "a key in the header (jwk)": byAttacker({ jwk }),
    "a key in the header (jwk), with a kid of ours": byAttacker({ jwk, kid }),
    "a certificate in the header (x5c)": byAttacker({ x5c }),
    "a certificate in the header (x5c), with a kid of ours": byAttacker({ x5c, kid }),
    "a kid that is a path": withMac("", { kid: `${root}dev/null` }),
    // What Linux says of itself, for applications whose library takes no empty key.
    "a kid that is a path to a known text": withMac("Linux\n", { kid: `${root}proc/sys/kernel/ostype` }),
    "a kid that is a path to a known text, trimmed": withMac("Linux", { kid: `${root}proc/sys/kernel/ostype` }),
    // A comment, for whatever the statement has behind the kid.
    "a kid that is SQL": withMac("x", { kid: "' union select 'x' -- " }),
    "a kid that is SQL (two columns)": withMac("x", { kid: "' union select 'x','x' -- " }),
    "a kid that is SQL (three columns)": withMac("x", { kid: "' union select 'x','x','x' -- " }),
  };
}

/** Of an application with a key pair, its public key is what everybody knows (CVE-2016-5431), in each form in which a deployment may keep it. */
function publicKeyMacs({ issuer: { key }, withMac }: Forge, attacker: Attacker): Tokens {
  const pair = key.type === "private" ? key : attacker.key;
  const publicKey = createPublicKey(materialOf(pair).keyObject);
  const pem = toPublicPem(pair);
  const forms: Record<string, string | Buffer> = { "": pem, " (JWK)": JSON.stringify(toPublicJwk(pair)) };
  if (key.type === "private") {
    const jwk = publicKey.export({ format: "jwk" });
    forms[" (trimmed)"] = pem.trim();
    forms[" (in one line)"] = pem.replaceAll("\n", "");
    forms[" (DER)"] = publicKey.export({ type: "spki", format: "der" });
    forms[" (JWK, bare)"] = JSON.stringify(jwk);
    if (jwk.kty === "OKP") forms[" (raw)"] = Buffer.from(jwk.x as string, "base64url");
    if (jwk.kty === "RSA") {
      const pkcs1 = publicKey.export({ type: "pkcs1", format: "pem" }) as string;
      forms[" (PKCS#1)"] = pkcs1;
      forms[" (PKCS#1, trimmed)"] = pkcs1.trim();
      forms[" (PKCS#1, DER)"] = publicKey.export({ type: "pkcs1", format: "der" });
    }
  }
  return Object.fromEntries(
    Object.entries(forms).map(([form, text]) => [`a public key as secret${form}`, withMac(text)]),
  );
}

/** Signed by the attacker, whose keys are where the token says. */
function lures({ issuer, claims, signed }: Forge, { key, origin }: Attacker): Lure[] {
  const { kid } = issuer.key;
  const to = (lure: string, name: string, header: object, more: object = {}): Lure => {
    const token = signed({ alg: key.alg, typ: "at+jwt", ...header }, { ...claims, ...more }, key);
    return { name, severity: "entry", headers: { authorization: `Bearer ${token}` }, lure };
  };
  const jku = "an address of keys in the header (jku)";
  const x5u = "an address of a certificate in the header (x5u)";
  return [
    to("jku", jku, { jku: `${origin}/jku/jwks.json` }),
    to("jku-kid", `${jku}, with a kid of ours`, { jku: `${origin}/jku-kid/jwks.json`, kid }),
    to(TLS, `${jku}, https`, { jku: `${origin.replace("http:", "https:")}/jku-tls/jwks.json`, kid }),
    to("x5u", x5u, { x5u: `${origin}/x5u/certificate.pem` }),
    to("x5u-kid", `${x5u}, with a kid of ours`, { x5u: `${origin}/x5u-kid/certificate.pem`, kid }),
    to("kid", "a kid that is an address", { kid: `${origin}/kid/jwks.json` }),
    to("iss", "another issuer, with keys of its own", { kid }, { iss: `${origin}/iss` }),
  ];
}

/** What an honest issuer signs with the same key for others, and for other purposes. */
function claimAttacks({ issuer: { issuer, audience }, header, claims, signed }: Forge): Tokens {
  const untyped = without(claims, "typ");
  const idToken = { ...untyped, nonce: "n", auth_time: claims.iat, azp: audience };
  const refreshToken = { ...untyped, type: "refresh", token_type: "refresh", token_use: "refresh" };
  return {
    "another issuer": signed(header, { ...claims, iss: "https://attacker.example" }),
    "an issuer with more behind it": signed(header, { ...claims, iss: `${issuer}.attacker.example` }),
    "an issuer cut short": signed(header, { ...claims, iss: cutShort(issuer) }),
    "no issuer": signed(header, without(claims, "iss")),
    "another audience": signed(header, { ...claims, aud: "somebody else" }),
    "an audience with more behind it": signed(header, { ...claims, aud: `${audience}x` }),
    "an audience cut short": signed(header, { ...claims, aud: cutShort(audience) }),
    "no audience": signed(header, without(claims, "aud")),
    "no subject": signed(header, without(claims, "sub")),
    "a token of another kind (typ)": signed({ ...header, typ: "rt+jwt" }, { ...claims, typ: "rt+jwt" }),
    "an ID token": signed({ ...header, typ: "JWT" }, idToken),
    "an ID token without a typ": signed(without(header, "typ"), idToken),
    "a refresh token": signed({ ...header, typ: "JWT" }, refreshToken),
    "claims that are no object": signed(header, "7"),
  };
}

/** By two letters where the last is a slash, by which alone addresses of one issuer may differ. */
const cutShort = (text: string): string => text.slice(0, text.endsWith("/") ? -2 : -1);

/** What only the holder of the key can sign, or of a good token can make of it. */
function laxTokens({ good, now, header, claims, signed, withOtherAlg }: Forge): Tokens {
  const [head = "", body = "", mac = ""] = good.split(".");
  const json = JSON.stringify(claims);
  return {
    "alg missing": signed(without(header, "alg"), claims),
    "another alg than the key's": withOtherAlg(),
    "an unknown kid": signed({ ...header, kid: "unknown" }, claims),
    "a critical extension (crit)": signed({ ...header, crit: ["exp"] }, claims),
    "unencoded claims (b64)": signed({ ...header, b64: false }, claims),
    "compressed claims (zip)": signed({ ...header, zip: "DEF" }, claims),
    "a signature with more behind it": `${good}AA`,
    "four parts": `${good}.${mac}`,
    padding: `${good}=`,
    "white space in it": `${head}.\t${body}.${mac}`,
    "exp infinite": signed(header, json.replace(`"exp":${claims.exp}`, '"exp":1e999')),
    "valid for ten years": signed(header, { ...claims, exp: now + 315_360_000 }),
    "from the future (iat)": signed(header, { ...claims, iat: now + 600, exp: now + 900 }),
    "a subject that is no text": signed(header, { ...claims, sub: { $ne: null } }),
    "two values for one name": signed(header, `${json.slice(0, -1)},"sub":"2"}`),
    "9 KiB": signed(header, { ...claims, more: "x".repeat(9000) }),
  };
}

function otherRequests({ good }: Forge): Attack[] {
  const lax = { severity: "strictness", headers: {} } as const;
  return [
    { name: "no credential", severity: "entry", headers: {} },
    { name: "an empty one", severity: "entry", headers: { authorization: "Bearer " } },
    { ...lax, name: "another scheme", headers: { authorization: `Basic ${good}` } },
    { ...lax, name: "a good token in the URL", query: `?access_token=${good}` },
    { ...lax, name: "a good token in the URL, by another name", query: `?token=${good}` },
    { ...lax, name: "a good token in the URL (jwt)", query: `?jwt=${good}` },
    { ...lax, name: "a good token in the URL (auth_token)", query: `?auth_token=${good}` },
    { ...lax, name: "two Authorization headers", headers: { authorization: [`Bearer ${good}`, `Bearer ${good}`] } },
  ];
}
